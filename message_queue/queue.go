// Package messagequeue is what producer and consumer must agree on: the
// queue, and what an order looks like. See README.md.
package messagequeue

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	Queue       = "delivery-orders"
	DeadLetters = Queue + "-dead" // orders that nobody could handle
)

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

			// An order may come back to the queue so many times. When it
			// comes back once more it is set aside, and so is an order that
			// a consumer rejects: the broker moves it to the dead letters.
			"x-delivery-limit":          5,
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
