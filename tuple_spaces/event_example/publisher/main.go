// Publisher writes events into the space, which holds the latest three.
//
//	go run ./tuple_spaces/event_example/publisher
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 0, "how many events; 0: endless")
	_        = zeromq.KeyFlag()
)

const (
	sensor = tuplespaces.Sensor
	kept   = 3 // events that the space holds
)

func main() {
	cli.Parse("tuple_spaces/event_example/publisher",
		"Publisher writes events into the space. Each stays there until "+
			"three more\nhave come, then the publisher takes it out.")
	cli.Main(publish)
}

func publish(ctx context.Context) error {
	// Connect succeeds whether or not the server is there (yet).
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.Name = cli.Name()
	space.NoReply = tuplespaces.SayNoReply

	// Events of a publisher that ran before are out of date.
	old, err := space.TakeAll(ctx, "temp", tuplespace.Any, sensor,
		tuplespace.Any)
	if err != nil {
		return fmt.Errorf("take out the events of an earlier run: %w", err)
	}
	if len(old) > 0 {
		log.Printf("took out %d events of an earlier run", len(old))
	}

	for seq := 0; ; seq++ {
		// out("temp", seq, sensor, temp): any number of subscribers read it.
		temp := rand.IntN(51)
		err := space.Write(ctx, "temp", seq, sensor, temp)
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("published event %d of %s: %d degrees", seq, sensor, temp)

		// inp("temp", seq-3, sensor, ?): the event three back has been there
		// long enough. Nobody else takes it out: subscribers only read.
		if seq >= kept {
			_, _, err := space.TryTake(ctx, "temp", seq-kept, sensor,
				tuplespace.Any)
			if err != nil {
				return fmt.Errorf("take out an old event: %w", err)
			}
		}

		if seq+1 == *count {
			return nil
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}
