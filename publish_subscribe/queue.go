package publishsubscribe

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// DeclareQueue creates the exchange and a subscriber's queue, unless they exist
// already, and returns the queue's name. With an id the queue lasts, and
// collects events while the subscriber is away. Without one it is temporary:
// it goes when the subscriber goes.
func DeclareQueue(channel *amqp.Channel, id string) (string, error) {
	if err := Declare(channel); err != nil {
		return "", err
	}
	if id == "" {
		return declareTemporary(channel)
	}
	return declareLasting(channel, id)
}

func declareLasting(channel *amqp.Channel, id string) (string, error) {
	name := "subscriber-" + id
	dead := name + "-dead" // events that the subscriber could not handle

	// Durable: the queue is still there after the broker is restarted. A
	// quorum queue keeps all of its messages on disk.
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	const kind = "quorum"

	_, err := channel.QueueDeclare(dead, durable, autoDelete, exclusive,
		noWait, amqp.Table{"x-queue-type": kind})
	if err != nil {
		return "", fmt.Errorf("declare queue %s: %w", dead, err)
	}

	_, err = channel.QueueDeclare(name, durable, autoDelete, exclusive,
		noWait, amqp.Table{
			"x-queue-type": kind,

			// An event may come back to the queue so many times. When it
			// comes back once more it is set aside, and so is a message that
			// the subscriber rejects.
			"x-delivery-limit":          5,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": dead,
		})
	if err != nil {
		return "", fmt.Errorf("declare queue %s: %w", name, err)
	}
	return name, nil
}

func declareTemporary(channel *amqp.Channel) (string, error) {
	// Exclusive: the queue is this connection's, and ends with it.
	const durable, autoDelete, exclusive, noWait = false, true, true, false
	const anyName = "" // the broker chooses one
	queue, err := channel.QueueDeclare(anyName, durable, autoDelete,
		exclusive, noWait, nil)
	if err != nil {
		return "", fmt.Errorf("declare a temporary queue: %w", err)
	}
	return queue.Name, nil
}

// Mark returns what to print of a delivery that the broker may have delivered
// before.
func Mark(delivery amqp.Delivery) string {
	if delivery.Redelivered {
		return " (redelivered)"
	}
	return ""
}
