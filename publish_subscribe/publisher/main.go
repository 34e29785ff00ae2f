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

// publish publishes events, and counts on those that the broker has confirmed.
// It is called again after the broker was lost, and then repeats what was on
// its way: some events may arrive twice.
func publish(ctx context.Context, channel *amqp.Channel) error {
	if err := pubsub.Declare(channel); err != nil {
		return err
	}

	// From here on the broker confirms each event, once its queues have it.
	const noWait = false
	err := channel.Confirm(noWait)
	if err != nil {
		return fmt.Errorf("ask for confirms: %w", err)
	}
	returned := channel.NotifyReturn(make(chan amqp.Return, window()))
	dropped := map[string]bool{} // the events that were returned
	due := broker.Pace(ctx, *interval)

	var sent []*amqp.DeferredConfirmation // the first is that of events[0]
	for len(events) > 0 {
		if err := due(); err != nil {
			return err
		}

		// Mandatory: an event that no queue gets is to be returned. When the
		// call is over, the event is on its way, and no more.
		const mandatory, immediate = true, false
		for len(sent) < min(window(), len(events)) {
			e := events[len(sent)]
			confirmation, err := channel.PublishWithDeferredConfirmWithContext(
				ctx, pubsub.Exchange, e.Key(), mandatory, immediate,
				pubsub.Message(e))
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			sent = append(sent, confirmation)
		}

		// Now its queues keep it, unless it was returned first.
		kept, err := sent[0].WaitContext(ctx)
		if err != nil || !kept {
			return broker.Lost("an event was not confirmed")
		}
		for len(returned) > 0 {
			dropped[(<-returned).MessageId] = true
		}
		report(events[0], dropped)
		events, sent = events[1:], sent[1:]
	}
	return nil
}

// window returns how many events are on their way to the broker at a time.
func window() int {
	if *interval == 0 { // as fast as it goes
		return 100
	}
	return 1
}

// report prints what has become of an event that the broker has confirmed.
func report(e pubsub.Event, dropped map[string]bool) {
	if dropped[e.MessageID()] {
		log.Printf("dropped %v: no queue is bound for %s", e, e.Key())
		return
	}
	log.Printf("published %v", e)
}
