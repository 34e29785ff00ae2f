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

	"distsys/internal/cli"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 0, "how many events; 0: endless")
	sensor   = tuplespaces.Sensor
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
		temp := rand.IntN(51)
		// out("temp", seq, sensor, temp), with a time to live
		err := space.WriteFor(ctx, life, "temp", seq, sensor, temp)
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("published event %d of %s: %d degrees", seq, sensor, temp)
		if seq+1 == *count {
			return nil
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}
