// Package publishsubscribe is what publisher and subscriber must agree on:
// the exchange, the queues, and what an event looks like. See README.md.
package publishsubscribe

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
)

// Exchange is where publishers send events. It keeps none: it copies each
// event to the queues that are bound to it with a key that fits.
var Exchange = broker.Named("sensor_data")

// Declare creates the exchange, unless it exists already. Both ends call it,
// so that either may start first.
func Declare(channel *amqp.Channel) error {
	// A topic exchange looks at an event's routing key, word by word: the key
	// temp.sensor123 has two. Other kinds: fanout copies each event to all
	// queues, direct to those that are bound with the very same key.
	const kind = "topic"

	// Durable: the exchange is still there after the broker is restarted.
	const durable, autoDelete, internal, noWait = true, false, false, false

	err := channel.ExchangeDeclare(Exchange, kind, durable, autoDelete,
		internal, noWait, nil)
	if err != nil {
		return fmt.Errorf("declare exchange %s: %w", Exchange, err)
	}
	return nil
}
