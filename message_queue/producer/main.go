// Producer submits orders to the queue. An order is submitted when the broker
// has confirmed that it keeps it.
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
	if *confirm {
		cli.Main(broker.KeepConnected(url, produce))
	} else {
		cli.Main(broker.KeepConnected(url, produceUnconfirmed))
	}
}

// produce publishes orders, and counts on those that the broker has confirmed.
// It is called again after the broker was lost, and then repeats what was on
// its way: some orders may be in the queue twice.
func produce(ctx context.Context, channel *amqp.Channel) error {
	if err := messagequeue.Declare(channel); err != nil {
		return err
	}

	// From here on the broker confirms each order, once the queue keeps it.
	const noWait = false
	err := channel.Confirm(noWait)
	if err != nil {
		return fmt.Errorf("ask for confirms: %w", err)
	}
	returned := channel.NotifyReturn(make(chan amqp.Return, window()))
	due := broker.Pace(ctx, *interval)

	var sent []*amqp.DeferredConfirmation // the first is that of orders[0]
	for len(orders) > 0 {
		if err := due(); err != nil {
			return err
		}

		// Mandatory: an order that no queue takes is to be returned. When the
		// call is over, the order is on its way, and no more.
		const mandatory, immediate = true, false
		for len(sent) < min(window(), len(orders)) {
			confirmation, err := channel.PublishWithDeferredConfirmWithContext(
				ctx, defaultExchange, messagequeue.Queue, mandatory, immediate,
				messagequeue.Message(orders[len(sent)]))
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			sent = append(sent, confirmation)
		}

		// Now the queue keeps it, unless it was returned first.
		kept, err := sent[0].WaitContext(ctx)
		if err != nil || !kept || len(returned) > 0 {
			return broker.Lost("an order was not taken (queue deleted?)")
		}
		log.Printf("submitted %v", orders[0])
		orders, sent = orders[1:], sent[1:]
	}
	return nil
}

// The default exchange passes a message on to the queue that its key names.
const defaultExchange = ""

// window returns how many orders are on their way to the broker at a time.
func window() int {
	if *interval == 0 { // as fast as it goes
		return 100
	}
	return 1
}

// produceUnconfirmed publishes orders, and believes that they arrive.
func produceUnconfirmed(ctx context.Context, channel *amqp.Channel) error {
	if err := messagequeue.Declare(channel); err != nil {
		return err
	}
	due := broker.Pace(ctx, *interval)

	for len(orders) > 0 {
		if err := due(); err != nil {
			return err
		}
		const mandatory, immediate = false, false // it hears of no return
		err := channel.PublishWithContext(ctx, defaultExchange,
			messagequeue.Queue, mandatory, immediate,
			messagequeue.Message(orders[0]))
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("sent %v", orders[0])
		orders = orders[1:]
	}
	return nil
}
