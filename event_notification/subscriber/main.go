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
)

var (
	connect = cli.Addresses("connect", event.Address,
		"`address` of a publisher; can be given several times")
	topic = flag.String("topic", event.Topic, "how the events begin; \"\": all")
)

func main() {
	cli.Parse("event_notification/subscriber [id]",
		"Subscriber is notified of events, and warns of high temperatures.")
	cli.Main(subscribe)
}

func subscribe(ctx context.Context) error {
	socket, err := zmq.NewSocket(zmq.SUB)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	defer socket.Close()
	if err := socket.SetLinger(0); err != nil {
		return fmt.Errorf("set linger: %w", err)
	}

	// The publisher filters: what nobody asks for does not travel. Without
	// a subscription nothing comes at all.
	if err := socket.SetSubscribe(*topic); err != nil {
		return fmt.Errorf("subscribe to %q: %w", *topic, err)
	}
	for _, address := range connect.All() {
		if err := socket.Connect(address); err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
		log.Printf("subscribing to %q at %s", *topic, address)
	}
	context.AfterFunc(ctx, func() { zmq.Term() }) // Ctrl-C ends Recv

	for {
		frame, err := socket.Recv(0)
		if err != nil {
			return fmt.Errorf("receive an event: %w", err)
		}
		topic, e, err := event.ParseFrame(frame)
		if err != nil {
			log.Printf("skipped %.60q: %v", frame, err)
			continue
		}
		log.Printf("received %.20s %v", topic, e)
		if e.Temp > event.High {
			log.Printf("warning: high temperature measured by sensor %s",
				e.Sensor)
		}
	}
}
