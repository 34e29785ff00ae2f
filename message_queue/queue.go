// Package messagequeue is what producer and consumer must agree on: the
// queue, and what an order looks like. See README.md.
package messagequeue

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
)

var (
	Queue       = broker.Named("delivery-orders")
	DeadLetters = broker.Named("delivery-orders-dead") // nobody handled these
)

// Unacknowledged is what becomes of orders that nobody acknowledges, since
// whoever received them crashed, or was stopped, before it was done.
var Unacknowledged = broker.Unacknowledged{Noun: "orders", Limit: 5,
	DeadLetters: DeadLetters}

// Declare creates both queues, unless they exist already. Both ends call it,
// so that either may start first. It fails if a queue of that name exists with
// other arguments.
func Declare(channel *amqp.Channel) error {
	// Durable: the queue is still there after the broker has been restarted.
	const durable, autoDelete, exclusive, noWait = true, false, false, false

	// A quorum queue keeps all of its messages on disk, and in a cluster of
	// brokers on several of them.
	const kind = "quorum"

	_, err := channel.QueueDeclare(DeadLetters, durable, autoDelete, exclusive,
		noWait, amqp.Table{"x-queue-type": kind})
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", DeadLetters, err)
	}

	_, err = channel.QueueDeclare(Queue, durable, autoDelete, exclusive,
		noWait, amqp.Table{
			"x-queue-type": kind,

			// An order that comes back once too often is set aside, and so
			// is one that a consumer rejects: the broker moves it to the
			// dead letters.
			"x-delivery-limit":          Unacknowledged.Limit,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": DeadLetters,
		})
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", Queue, err)
	}
	return nil
}

// Mark returns what to print of a delivery that the broker may have delivered
// before.
func Mark(delivery amqp.Delivery) string {
	if delivery.Redelivered {
		return " (redelivered)"
	}
	return ""
}
