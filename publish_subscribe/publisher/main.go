// Publisher publishes events to the broker, and does not know who gets them.
//
//	go run ./publish_subscribe/publisher
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/cli"
	pubsub "distsys/publish_subscribe"
)

var (
	url      = broker.Flag()
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 100, "how many events to publish")
	sensor   = flag.String("sensor", "sensor123", "`name` of the sensor")
	events   []pubsub.Event // not published yet
)

func main() {
	cli.Parse("publish_subscribe/publisher", "Publisher publishes events.")
	events = pubsub.Measure(*count, *sensor)
	cli.OnStop(func() { log.Printf("%d events not published", len(events)) })
	cli.Main(broker.KeepConnected(url, publish))
}

// publish runs again after the broker was lost: it then repeats the events
// that were on their way, and some may arrive twice.
func publish(ctx context.Context, channel *amqp.Channel) error {
	if err := pubsub.Declare(channel); err != nil {
		return err
	}
	const window = 100 // events on their way to the broker, at most
	returned := channel.NotifyReturn(make(chan amqp.Return, window))
	confirmed := channel.NotifyPublish(make(chan amqp.Confirmation, window))
	if err := channel.Confirm(false); err != nil {
		return fmt.Errorf("ask for confirms: %w", err)
	}

	dropped := map[string]bool{} // no queue was bound for them
	sent := 0                    // on their way, the oldest is events[0]
	for due := time.After(0); len(events) > 0; {
		next := due
		if sent == min(window, len(events)) {
			next = nil // wait for a confirm first
		}
		select {
		case <-next:
			e := events[sent]
			err := channel.PublishWithContext(ctx, pubsub.Exchange, e.Key(),
				true, false, pubsub.Message(e))
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			due = time.After(*interval)
			sent++
		case confirm := <-confirmed: // in the order of publishing
			if !confirm.Ack {
				return broker.Lost(fmt.Sprintf("%v was not taken", events[0]))
			}
			for len(returned) > 0 {
				dropped[(<-returned).MessageId] = true
			}
			log.Print(pubsub.Outcome(events[0], dropped))
			events, sent = events[1:], sent-1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
