// Subscriber reads events from the space, and says which it was too late for.
//
//	go run ./tuple_spaces/event_example/subscriber 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"distsys/internal/cli"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	count  = flag.Int("count", 0, "how many events to read; 0: endless")
	sensor = tuplespaces.Sensor
)

func main() {
	cli.Parse("tuple_spaces/event_example/subscriber [id]",
		"Subscriber reads events from the space, one after the other.")
	cli.Main(subscribe)
}

func subscribe(ctx context.Context) error {
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.NoReply = tuplespaces.SayNoReply
	log.Printf("waiting for events of %s", sensor)
	// rd("temp", ?next, sensor, ?temp): the oldest that is there
	var next, temp int
	_, err = space.Read(ctx, "temp", &next, sensor, &temp)
	for n := 1; err == nil; n++ {
		log.Printf("received event %d of %s: %d degrees", next, sensor, temp)
		if temp > tuplespaces.High {
			log.Print("warning: high temperature measured by sensor " + sensor)
		}
		if n == *count {
			return nil
		}
		next, temp, err = readNext(ctx, space, next+1)
	}
	return fmt.Errorf("read an event: %w", err)
}

// readNext waits for the next event. If that does not come, it may be over
// already: then it goes on with the oldest that is there.
func readNext(ctx context.Context, space *tuplespace.Client, next int) (
	seq, temp int, err error) {
	for {
		limit, cancel := context.WithTimeout(ctx, time.Second)
		_, err = space.Read(limit, "temp", next, sensor, &temp)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return next, temp, err
		}
		_, last, err1 := space.TryRead(ctx, "temp", next-1, sensor, &temp)
		_, found, err2 := space.TryRead(ctx, "temp", &seq, sensor, &temp)
		switch err := errors.Join(err1, err2); {
		case err != nil:
			return 0, 0, err
		case found && seq > next:
			log.Printf("missed events %d to %d", next, seq-1)
			return seq, temp, nil
		case found && seq < next && !last:
			log.Printf("a new publisher begins with event %d", seq)
			return seq, temp, nil
		}
	}
}
