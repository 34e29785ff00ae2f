package publishsubscribe

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
)

// A Queue is what a subscriber takes its events from.
type Queue struct {
	amqp.Queue                           // its name, and who consumes from it
	Unacknowledged broker.Unacknowledged // what becomes of those events
}

// QueueNames returns the names of the queue of the subscriber with an id, and
// of the queue for its dead letters: what it could not handle.
func QueueNames(id string) (name, dead string) {
	return broker.Named("subscriber-" + id),
		broker.Named("subscriber-" + id + "-dead")
}

// DeclareQueue creates the exchange and a subscriber's queue, unless they exist
// already. With an id the queue lasts, and collects events while the
// subscriber is away. Without one it is temporary: it goes when the subscriber
// goes.
func DeclareQueue(channel *amqp.Channel, id string) (Queue, error) {
	if err := Declare(channel); err != nil {
		return Queue{}, err
	}
	if id == "" {
		return declareTemporary(channel)
	}
	return declareLasting(channel, id)
}

func declareLasting(channel *amqp.Channel, id string) (Queue, error) {
	name, dead := QueueNames(id)
	unacknowledged := broker.Unacknowledged{Noun: "events", Limit: 5,
		DeadLetters: dead}

	// Durable: the queue is still there after the broker is restarted. A
	// quorum queue keeps all of its messages on disk.
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	const kind = "quorum"

	_, err := channel.QueueDeclare(dead, durable, autoDelete, exclusive,
		noWait, amqp.Table{"x-queue-type": kind})
	if err != nil {
		return Queue{}, fmt.Errorf("declare queue %s: %w", dead, err)
	}

	queue, err := channel.QueueDeclare(name, durable, autoDelete, exclusive,
		noWait, amqp.Table{
			"x-queue-type": kind,

			// An event that comes back once too often is set aside, and so
			// is one that the subscriber rejects: the broker moves it to the
			// dead letters.
			"x-delivery-limit":          unacknowledged.Limit,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": dead,
		})
	if err != nil {
		return Queue{}, fmt.Errorf("declare queue %s: %w", name, err)
	}
	return Queue{queue, unacknowledged}, nil
}

func declareTemporary(channel *amqp.Channel) (Queue, error) {
	// Exclusive: the queue is this connection's, and ends with it.
	const durable, autoDelete, exclusive, noWait = false, true, true, false
	const anyName = "" // the broker chooses one
	queue, err := channel.QueueDeclare(anyName, durable, autoDelete,
		exclusive, noWait, nil)
	if err != nil {
		return Queue{}, fmt.Errorf("declare a temporary queue: %w", err)
	}
	return Queue{Queue: queue}, nil
}

// Mark returns what to print of a delivery that the broker may have delivered
// before.
func Mark(delivery amqp.Delivery) string {
	if delivery.Redelivered {
		return " (redelivered)"
	}
	return ""
}
