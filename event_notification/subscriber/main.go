// Subscriber is notified of the events whose topic it asks for, as long as
// it is there: what is published while it is away, it misses.
//
//	go run ./event_notification/subscriber 1
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"

	event "distsys/event_notification"
	"distsys/internal/cli"
	"distsys/internal/zeromq"
)

var (
	connect = cli.Addresses("connect", event.Address,
		"`address` of a publisher; can be given several times")
	wanted = flag.String("topic", event.Topic,
		"what events to ask for, by how they begin; \"\": all")
	_ = zeromq.KeyFlag()
)

const hot = 30 // degrees

func main() {
	cli.Parse("event_notification/subscriber [id]",
		"Subscriber is notified of events, and warns of high temperatures.")
	cli.Main(subscribe)
}

func subscribe(ctx context.Context) error {
	// A SUB socket receives what it has subscribed to, and nothing else.
	socket, err := zeromq.Open(ctx, zmq.SUB)
	if err != nil {
		return err
	}
	defer socket.Close()

	// The publisher filters: what nobody has asked for does not travel.
	err = socket.SetSubscribe(*wanted)
	if err != nil {
		return fmt.Errorf("subscribe to %q: %w", *wanted, err)
	}

	// Connect succeeds whether or not the publisher is there (yet).
	for _, address := range connect.All() {
		err := socket.Connect(address)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
		log.Printf("subscribing to %q at %s", *wanted, address)
	}

	for {
		// From whichever publisher: ZeroMQ joins them all in one queue.
		frames, err := socket.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("receive an event: %w", err)
		}

		topic, e, err := event.Parse(frames)
		if err != nil {
			log.Printf("skipped %.60q: %v", frames[0], err)
			continue
		}
		log.Printf("received %s %v", cli.Quote(topic), e)
		if e.Temp > hot {
			log.Printf("warning: high temperature measured by sensor %s",
				cli.Quote(e.Sensor))
		}
	}
}
