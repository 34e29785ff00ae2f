package messagequeue

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	amqp "github.com/rabbitmq/amqp091-go"
)

// An Order is one message: something to deliver. On the wire it is JSON, as
// in {"order_id":0,"total_value":17}.
type Order struct {
	ID    int `json:"order_id"`
	Value int `json:"total_value"`
}

func (o Order) String() string {
	return fmt.Sprintf("order %d worth %d", o.ID, o.Value)
}

// RandomOrders returns n orders, numbered from 0, of random value.
func RandomOrders(n int) []Order {
	orders := make([]Order, n)
	for i := range orders {
		orders[i] = Order{ID: i, Value: rand.IntN(50)}
	}
	return orders
}

// Message returns the order as a message.
func Message(o Order) amqp.Publishing {
	return amqp.Publishing{
		ContentType: "application/json",

		// A classic queue keeps persistent messages on disk, and loses all
		// others when the broker is restarted. Our queue is a quorum queue,
		// which keeps every message: there, this word changes nothing.
		DeliveryMode: amqp.Persistent,

		Body: fmt.Appendf(nil, `{"order_id":%d,"total_value":%d}`,
			o.ID, o.Value),
	}
}

// ParseOrder reads an order from the body of a message. It fails if the body
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
