// Subscriber gets a copy of every event that it asks for, even while away.
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
	last string // the queue before the broker was lost
)

func main() {
	cli.Parse("publish_subscribe/subscriber [id]", "Subscriber gets events.")
	cli.Main(broker.KeepConnected(url, subscribe))
}

// subscribe runs again after the broker was lost.
func subscribe(ctx context.Context, channel *amqp.Channel) error {
	queue, err := pubsub.DeclareQueue(channel, flag.Arg(0))
	if err != nil {
		return err
	}
	if last != "" && last != queue {
		log.Print("its queue is a new one: it may have missed events")
	}
	last = queue
	// From here on the exchange copies events to this queue.
	err = channel.QueueBind(queue, *key, pubsub.Exchange, false, nil)
	if err != nil {
		return fmt.Errorf("bind %s to %s: %w", queue, pubsub.Exchange, err)
	}
	if err := channel.Qos(1, 0, false); err != nil {
		return fmt.Errorf("limit the prefetch: %w", err)
	}
	const autoAck = false // an event is handled when we say so, below
	deliveries, err := channel.ConsumeWithContext(ctx, queue, "", autoAck,
		false, false, false, nil)
	if err != nil {
		return fmt.Errorf("consume from %s: %w", queue, err)
	}
	log.Printf("waiting for events %s in %s", *key, queue)

	for delivery := range deliveries {
		e, err := pubsub.ParseEvent(delivery.Body)
		if err != nil {
			log.Printf("set aside %.60q: %v", delivery.Body, err)
			if err := delivery.Reject(false); err != nil { // a dead letter
				return fmt.Errorf("reject: %w", err)
			}
			continue
		}
		log.Printf("received %v%s", e, pubsub.Mark(delivery))
		if e.Temp > pubsub.High {
			log.Print("warning: high temperature measured by sensor ", e.Sensor)
		}
		if err := cli.Sleep(ctx, *work); err != nil {
			log.Printf("%v goes back to the queue", e)
			return err
		}
		log.Printf("handled %v", e)
		if err := delivery.Ack(false); err != nil {
			return fmt.Errorf("acknowledge %v: %w", e, err)
		}
	}
	return broker.Lost("no more events come (was the queue deleted?)")
}
