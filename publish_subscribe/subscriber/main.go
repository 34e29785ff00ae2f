// Subscriber gets a copy of every event that it asks for, even of those that
// are published while it is away.
//
//	go run ./publish_subscribe/subscriber 1
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/cli"
	pubsub "distsys/publish_subscribe"
)

var (
	url  = broker.Flag()
	key  = flag.String("key", "temp.*", "which events: * one word, # any words")
	work = flag.Duration("work", 0, "`time` to work on an event")
)

func main() {
	cli.Parse("publish_subscribe/subscriber [id]", "Subscriber gets events.")
	for _, warning := range pubsub.CheckKey(*key) {
		log.Print("warning: ", warning)
	}
	cli.Main(broker.KeepConnected(url, subscribe))
}

// subscribe takes events until Ctrl-C. It is called again after the broker
// was lost.
func subscribe(ctx context.Context, channel *amqp.Channel) error {
	queue, err := pubsub.DeclareQueue(channel, flag.Arg(0))
	if err != nil {
		return err
	}
	if err := report(channel, queue); err != nil {
		return err
	}

	// From here on the exchange copies events to this queue, if their key
	// fits, whether or not the subscriber is there.
	const noWait = false
	err = channel.QueueBind(queue.Name, *key, pubsub.Exchange, noWait, nil)
	if err != nil {
		return fmt.Errorf("bind %s to %s: %w", queue.Name, pubsub.Exchange, err)
	}

	// One event at a time; the others wait in the queue.
	const prefetch, bytes, global = 1, 0, false
	err = channel.Qos(prefetch, bytes, global)
	if err != nil {
		return fmt.Errorf("limit the prefetch: %w", err)
	}

	// With autoAck the broker would forget an event as soon as it is sent.
	const autoAck, exclusive, noLocal = false, false, false
	deliveries, err := channel.ConsumeWithContext(ctx, queue.Name, anyTag,
		autoAck, exclusive, noLocal, noWait, nil)
	if err != nil {
		return fmt.Errorf("consume from %s: %w", queue.Name, err)
	}
	log.Printf("waiting for events %s in %s", *key, queue.Name)

	for delivery := range deliveries {
		if err := handle(ctx, delivery, queue); err != nil {
			return err
		}
	}
	return broker.Lost("no more events come (was the queue deleted?)")
}

// The library finds a name for the consumer by itself.
const anyTag = ""

// handle works on an event, and then acknowledges it.
func handle(ctx context.Context, delivery amqp.Delivery,
	queue pubsub.Queue) error {
	event, err := pubsub.ParseEvent(delivery.Body)
	if err != nil {
		return reject(delivery, queue, err)
	}
	log.Printf("received %v%s", event, pubsub.Mark(delivery))
	if event.Temp > pubsub.High {
		log.Printf("warning: high temperature measured by sensor %s",
			event.Name())
	}

	// The event is still the broker's: if this subscriber crashes while it
	// works, the event comes again when it is back.
	if err := cli.Sleep(ctx, *work); err != nil {
		queue.Unacknowledged.PrintReturned(ctx, event, delivery, nil)
		return err
	}

	// Only now may the broker forget it.
	const multiple = false // this event, and none before it
	err = delivery.Ack(multiple)
	if err != nil {
		return fmt.Errorf("acknowledge %v: %w", event, err)
	}
	log.Printf("handled %v", event)
	return nil
}

// reject sets aside what is not an event. Back in the queue it would come
// again and again.
func reject(delivery amqp.Delivery, queue pubsub.Queue, why error) error {
	const requeue = false // the broker moves it to the dead letters, if any
	err := delivery.Reject(requeue)
	if err != nil {
		return fmt.Errorf("reject: %w", err)
	}
	what := "set aside"
	if queue.Unacknowledged.DeadLetters == "" {
		what = "dropped"
	}
	log.Printf("%s %.60q: %v", what, delivery.Body, why)
	return nil
}

// last is the queue that the subscriber had before the broker was lost.
var last string

// report prints what is to be known of a queue before its events come.
func report(channel *amqp.Channel, queue pubsub.Queue) error {
	if last != "" && last != queue.Name {
		log.Print("its queue is a new one: it may have missed events")
	}
	last = queue.Name
	if queue.Consumers > 0 {
		log.Printf("warning: somebody else takes events from %s, too: each "+
			"event goes to one of you", queue.Name)
	}
	return queue.Unacknowledged.PrintDeadLetters(channel)
}
