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

// consume runs again after the broker was lost.
func consume(ctx context.Context, channel *amqp.Channel) error {
	if err := messagequeue.Declare(channel); err != nil {
		return err
	}
	// Without a limit, the first consumer is sent all that the queue holds.
	if err := channel.Qos(*prefetch, 0, false); err != nil {
		return fmt.Errorf("limit the prefetch: %w", err)
	}
	const autoAck = false // an order is handled when we say so, below
	deliveries, err := channel.ConsumeWithContext(ctx, messagequeue.Queue, "",
		autoAck, false, false, false, nil)
	if err != nil {
		return fmt.Errorf("consume from %s: %w", messagequeue.Queue, err)
	}
	log.Print("waiting for orders")

	for delivery := range deliveries {
		order, err := messagequeue.ParseOrder(delivery.Body)
		if err != nil {
			log.Printf("set aside %.60q: %v", delivery.Body, err)
			if err := delivery.Reject(false); err != nil { // a dead letter
				return fmt.Errorf("reject: %w", err)
			}
			continue
		}
		log.Printf("received %v%s", order, messagequeue.Mark(delivery))

		if err := cli.Sleep(ctx, *work); err != nil {
			log.Printf("%v goes back to the queue", order)
			return err
		}
		log.Printf("handled %v", order)

		// Until now the order was the broker's: had we crashed, another
		// consumer would have been given it.
		if err := delivery.Ack(false); err != nil {
			return fmt.Errorf("acknowledge %v: %w", order, err)
		}
	}
	return broker.Lost("no more orders come (was the queue deleted?)")
}
