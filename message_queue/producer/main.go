// Producer submits orders to the queue: an order is submitted when the
// broker has confirmed that it keeps it.
//
//	go run ./message_queue/producer
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
	interval = flag.Duration("interval", time.Second, "`time` between orders")
	count    = flag.Int("count", 100, "how many orders to submit")
	confirm  = flag.Bool("confirm", true, "have the broker confirm each order")
	_        = cli.QuietFlag()
	orders   []messagequeue.Order // not submitted yet
)

func main() {
	cli.Parse("message_queue/producer", "Producer submits orders to the queue.")
	orders = messagequeue.RandomOrders(*count)
	cli.OnStop(func() { log.Printf("%d orders not submitted", len(orders)) })
	cli.Main(broker.KeepConnected(url, produce))
}

// produce runs again after the broker was lost: it then repeats the orders
// that were on their way, and some may be in the queue twice.
func produce(ctx context.Context, channel *amqp.Channel) error {
	if err := messagequeue.Declare(channel); err != nil {
		return err
	}
	const window = 100 // orders on their way to the broker, at most
	returned := channel.NotifyReturn(make(chan amqp.Return, window))
	confirmed := channel.NotifyPublish(make(chan amqp.Confirmation, window))
	if *confirm {
		if err := channel.Confirm(false); err != nil {
			return fmt.Errorf("ask for confirms: %w", err)
		}
	}
	sent := 0 // that many orders are on their way, the oldest is orders[0]
	for due := time.After(0); len(orders) > 0; {
		next := due
		if sent == min(window, len(orders)) {
			next = nil // wait for a confirm first
		}
		select {
		case <-next:
			err := channel.PublishWithContext(ctx, "", messagequeue.Queue,
				true, false, messagequeue.Message(orders[sent]))
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			due = time.After(*interval)
			if sent++; !*confirm {
				log.Printf("sent %v", orders[0])
				orders, sent = orders[1:], 0
			}
		case confirm := <-confirmed: // in the order of publishing
			if !confirm.Ack || len(returned) > 0 {
				return broker.Lost(fmt.Sprintf("%v was not taken", orders[0]))
			}
			log.Printf("submitted %v", orders[0])
			orders, sent = orders[1:], sent-1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
