package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// An Order is something to deliver. On the wire it is JSON, as in
// {"src":"12347","order_id":0,"total_value":17}. A worker adds its name, as
// in "worker":"1", before it reports the order to the sink.
type Order struct {
	Source string `json:"src"` // the pusher's port
	ID     int    `json:"order_id"`
	Value  int    `json:"total_value"`
	Worker string `json:"worker,omitempty"`
}

func (o *Order) String() string {
	return fmt.Sprintf("order %d of %s worth %d", o.ID, o.Source, o.Value)
}

// NewOrder returns an order of random value from the pusher that listens at
// an address.
func NewOrder(address string, id int) *Order {
	port := address[strings.LastIndex(address, ":")+1:]
	return &Order{Source: port, ID: id, Value: rand.IntN(50)}
}

// Encode returns the order as it travels.
func (o *Order) Encode() []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // numbers and texts can always be written as JSON
	}
	return text
}

// Parse reads an order. It fails if the message is not JSON or lacks a field.
func Parse(message []byte) (*Order, error) {
	order := &Order{ID: -1, Value: -1}
	if err := json.Unmarshal(message, order); err != nil {
		return nil, err
	}
	if order.Source == "" || order.ID < 0 || order.Value < 0 {
		return nil, errors.New("src, order_id or total_value is missing")
	}
	return order, nil
}
