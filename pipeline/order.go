package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"distsys/internal/cli"
)

// An Order is something to deliver. On the wire it is one frame of JSON, as
// in {"src":"12347","order_id":0,"total_value":17,"run":"4711-9f3c"}. A
// worker adds its name, as in "worker":"1", before it reports the order to
// the sink.
type Order struct {
	Source string `json:"src"` // the pusher's port
	ID     int    `json:"order_id"`
	Value  int    `json:"total_value"`
	// Run is a text that no other pusher has, nor the same one when it is
	// started again: each run begins with order 0. It may be left out.
	Run    string `json:"run,omitempty"`
	Worker string `json:"worker,omitempty"`
}

func (o *Order) String() string {
	return fmt.Sprintf("order %d of %s worth %d", o.ID, cli.Quote(o.Source),
		o.Value)
}

// run is the process id, which people see in the pusher's lines, and a random
// number, since another machine may have a process with the same id.
var run = fmt.Sprintf("%d-%04x", os.Getpid(), rand.IntN(1<<16))

// NewOrder returns an order of random value from the pusher that listens at
// an address.
func NewOrder(address string, id int) *Order {
	port := address[strings.LastIndex(address, ":")+1:]
	return &Order{Source: port, ID: id, Value: rand.IntN(50), Run: run}
}

// Encode returns the order as it travels.
func (o *Order) Encode() []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // numbers and texts can always be written as JSON
	}
	return text
}

// maxName is how long the names in an order may be, in bytes: the sink keeps
// them.
const maxName = 100

// Parse returns the order in a message. It fails if there is more than one
// frame, or if that is not JSON, lacks a field, or has a name that is too
// long.
func Parse(frames []string) (*Order, error) {
	if len(frames) != 1 {
		return nil, fmt.Errorf("%d frames, one is expected", len(frames))
	}
	order := &Order{ID: -1, Value: -1}
	if err := json.Unmarshal([]byte(frames[0]), order); err != nil {
		return nil, err
	}
	if order.Source == "" || order.ID < 0 || order.Value < 0 {
		return nil, errors.New("src, order_id or total_value is missing")
	}
	if max(len(order.Source), len(order.Run), len(order.Worker)) > maxName {
		return nil, fmt.Errorf("src, run or worker is longer than %d bytes",
			maxName)
	}
	return order, nil
}

// ParseReport returns the order in a worker's report. It fails as Parse does,
// and if there is no worker's name.
func ParseReport(frames []string) (*Order, error) {
	order, err := Parse(frames)
	if err != nil {
		return nil, err
	}
	if order.Worker == "" {
		return nil, errors.New("worker is missing")
	}
	return order, nil
}
