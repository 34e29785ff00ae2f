// Consumer takes orders from the queue, one at a time, works on each, and
// only then acknowledges it.
//
//	go run ./message_queue/consumer 1
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
	messagequeue "distsys/message_queue"
)

var (
	url      = broker.Flag()
	work     = flag.Duration("work", time.Second, "`time` to work on an order")
	prefetch = flag.Int("prefetch", 1,
		"how many orders to hold unacknowledged, at most; 0: no limit")
)

func main() {
	cli.Parse("message_queue/consumer [id]",
		"Consumer takes orders from the queue and works on them.")
	cli.Main(broker.KeepConnected(url, consume))
}

// consume takes orders until Ctrl-C. It is called again after the broker was
// lost.
func consume(ctx context.Context, channel *amqp.Channel) error {
	if err := messagequeue.Declare(channel); err != nil {
		return err
	}
	err := messagequeue.Unacknowledged.PrintDeadLetters(channel)
	if err != nil {
		return err
	}

	// Without this limit the first consumer is sent all that the queue holds,
	// and a second one finds nothing to do.
	const bytes, global = 0, false // count orders, for this consumer alone
	err = channel.Qos(*prefetch, bytes, global)
	if err != nil {
		return fmt.Errorf("limit the prefetch: %w", err)
	}

	// With autoAck the broker would forget an order as soon as it is sent.
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	deliveries, err := channel.ConsumeWithContext(ctx, messagequeue.Queue,
		anyTag, autoAck, exclusive, noLocal, noWait, nil)
	if err != nil {
		return fmt.Errorf("consume from %s: %w", messagequeue.Queue, err)
	}
	log.Print("waiting for orders")

	for delivery := range deliveries {
		if err := handle(ctx, delivery, deliveries); err != nil {
			return err
		}
	}
	return broker.Lost("no more orders come (was the queue deleted?)")
}

// The library finds a name for the consumer by itself.
const anyTag = ""

// handle works on an order, and then acknowledges it.
func handle(ctx context.Context, delivery amqp.Delivery,
	others <-chan amqp.Delivery) error {
	order, err := messagequeue.ParseOrder(delivery.Body)
	if err != nil {
		return reject(delivery, err)
	}
	log.Printf("received %v%s", order, messagequeue.Mark(delivery))

	// The order is still the broker's: if this consumer crashes while it
	// works, another one gets the order.
	if err := cli.Sleep(ctx, *work); err != nil {
		messagequeue.Unacknowledged.PrintReturned(ctx, order, delivery, others)
		return err
	}

	// Only now may the broker forget it.
	const multiple = false // this order, and none before it
	err = delivery.Ack(multiple)
	if err != nil {
		return fmt.Errorf("acknowledge %v: %w", order, err)
	}
	log.Printf("handled %v", order)
	return nil
}

// reject sets aside what is not an order. Back in the queue it would come
// again and again.
func reject(delivery amqp.Delivery, why error) error {
	const requeue = false // the broker moves it to the dead letters
	err := delivery.Reject(requeue)
	if err != nil {
		return fmt.Errorf("reject: %w", err)
	}
	log.Printf("set aside %.60q: %v", delivery.Body, why)
	return nil
}
