// Package messagequeue is what producer and consumer must agree on: the
// queue, and what an order looks like. See README.md.
package messagequeue

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	Queue       = "delivery-orders"
	DeadLetters = Queue + "-dead" // orders that nobody could handle
)

// Declare makes both queues, unless they are there already. Both ends call
// it, so that either may start first. Declaring a queue that is there with
// other arguments fails.
func Declare(channel *amqp.Channel) error {
	// A quorum queue is kept on disk, and in a cluster of brokers on several
	// of them: it survives a restart.
	quorum := amqp.Table{"x-queue-type": "quorum"}
	_, err := channel.QueueDeclare(DeadLetters, true, false, false, false,
		quorum)
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", DeadLetters, err)
	}
	_, err = channel.QueueDeclare(Queue, true, false, false, false,
		amqp.Table{
			"x-queue-type": "quorum",
			// An order that comes back this often is set aside, and so
			// is one that a consumer rejects.
			"x-delivery-limit":          5,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": DeadLetters,
		})
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", Queue, err)
	}
	return nil
}

// An Order is one message: something to deliver. On the wire it is JSON, as
// in {"order_id":0,"total_value":17}.
type Order struct {
	ID    int `json:"order_id"`
	Value int `json:"total_value"`
}

func (o Order) String() string {
	return fmt.Sprintf("order %d worth %d", o.ID, o.Value)
}

// Message returns the order as a message that the broker keeps on its disk.
func Message(o Order) amqp.Publishing {
	return amqp.Publishing{
		ContentType:  "application/json",
		DeliveryMode: amqp.Persistent,
		Body: fmt.Appendf(nil, `{"order_id":%d,"total_value":%d}`,
			o.ID, o.Value),
	}
}

// ParseOrder reads an order from a message's body. It fails where the body
// is not JSON or lacks a field.
func ParseOrder(body []byte) (Order, error) {
	var order struct {
		ID    *int `json:"order_id"`
		Value *int `json:"total_value"`
	}
	if err := json.Unmarshal(body, &order); err != nil {
		return Order{}, err
	}
	if order.ID == nil || order.Value == nil {
		return Order{}, errors.New("order_id or total_value is missing")
	}
	return Order{*order.ID, *order.Value}, nil
}

// RandomOrders makes n orders, numbered from 0, of random value.
func RandomOrders(n int) []Order {
	orders := make([]Order, n)
	for i := range orders {
		orders[i] = Order{ID: i, Value: rand.IntN(50)}
	}
	return orders
}

// Mark says of a delivery whether the broker may have delivered it before.
func Mark(delivery amqp.Delivery) string {
	if delivery.Redelivered {
		return " (redelivered)"
	}
	return ""
}
