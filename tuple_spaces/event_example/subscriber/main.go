// Subscriber reads the events in the space, one after the other, and says
// which it was too late for.
//
//	go run ./tuple_spaces/event_example/subscriber A
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	count = flag.Int("count", 0, "how many events to read; 0: endless")
	_     = zeromq.KeyFlag()
)

const sensor = tuplespaces.Sensor

func main() {
	cli.Parse("tuple_spaces/event_example/subscriber [id]",
		"Subscriber reads the events in the space, one after the other.")
	cli.Main(subscribe)
}

func subscribe(ctx context.Context) error {
	// Connect succeeds whether or not the server is there (yet).
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.Name = cli.Name()
	space.NoReply = tuplespaces.SayNoReply
	log.Printf("waiting for events of %s", sensor)

	// rd("temp", ?seq, sensor, ?temp): begin with the oldest event there is,
	// or wait for one. A read leaves the event there for the others.
	var seq, temp int
	_, err = space.Read(ctx, "temp", &seq, sensor, &temp)
	if err != nil {
		return fmt.Errorf("read an event: %w", err)
	}

	for n := 1; ; n++ {
		log.Printf("received event %d of %s: %d degrees", seq, sensor, temp)
		if temp > tuplespaces.High {
			log.Print("warning: high temperature measured by sensor " + sensor)
		}
		if n == *count {
			return nil
		}
		seq, temp, err = readNext(ctx, space, seq+1)
		if err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
	}
}

// readNext waits for the event with the number next. If it does not come it
// may be gone already: then readNext goes on with the oldest that is there.
func readNext(ctx context.Context, space *tuplespace.Client, next int) (
	seq, temp int, err error) {
	for {
		// rd("temp", next, sensor, ?temp), for two seconds
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := space.Read(limited, "temp", next, sensor, &temp)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return next, temp, err
		}

		// rdp("temp", next-1, sensor, ?): while the event before it is there,
		// the next one has not come yet.
		_, notYet, err := space.TryRead(ctx, "temp", next-1, sensor,
			tuplespace.Any)
		if err != nil {
			return 0, 0, err
		}
		if notYet {
			continue
		}

		// rdp("temp", ?seq, sensor, ?temp): the oldest that is there
		_, found, err := space.TryRead(ctx, "temp", &seq, sensor, &temp)
		if err != nil {
			return 0, 0, err
		}
		if found && seq > next {
			log.Printf("missed events %d to %d", next, seq-1)
			return seq, temp, nil
		}
		if found && seq < next {
			log.Printf("a new publisher begins with event %d", seq)
			return seq, temp, nil
		}
	}
}
