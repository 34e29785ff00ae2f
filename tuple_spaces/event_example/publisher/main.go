// Publisher writes events into the space, where they stay for a while.
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

	"distsys/internal/lab/cli"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 0, "how many events; 0: endless")
)

func main() {
	cli.Parse("tuple_spaces/event_example/publisher",
		"Publisher writes events into the space. Each stays for as long as "+
			"it takes to\nwrite three more (but for a second at least).")
	cli.Main(publish)
}

func publish(ctx context.Context) error {
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.NoReply = tuplespaces.SayNoReply

	life := max(3**interval, time.Second)
	for seq := 0; ; seq++ {
		event := tuplespace.Tuple{"temp", seq, tuplespaces.Sensor,
			rand.IntN(51)}
		// out("temp", seq, sensor, temperature), with a time to live
		if err := space.WriteFor(ctx, life, event...); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("published event %d: %v", seq, event)
		if seq+1 == *count {
			return nil
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}
