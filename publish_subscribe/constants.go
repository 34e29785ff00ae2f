// Package publishsubscribe is what publisher and subscriber must agree on:
// the exchange, the queues, and what an event looks like. See README.md.
package publishsubscribe

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// Exchange is where publishers send events. It keeps none: it copies
	// each to the queues that are bound to it.
	Exchange = "sensor_data"
	// High is the temperature above which subscribers warn, in degrees.
	High = 30
)

// Declare makes the exchange, unless it is there already. Both ends call it,
// so that either may start first.
func Declare(channel *amqp.Channel) error {
	const kind = "topic" // routes by keys like temp.sensor123
	if err := channel.ExchangeDeclare(Exchange, kind, true, false, false,
		false, nil); err != nil {
		return fmt.Errorf("declare exchange %s: %w", Exchange, err)
	}
	return nil
}

// DeclareQueue makes the exchange and a subscriber's queue, unless they are
// there already, and returns the queue's name. With an id
// the queue lasts: it is kept on disk, and collects events while the
// subscriber is away. Without one it is gone when the subscriber is.
func DeclareQueue(channel *amqp.Channel, id string) (string, error) {
	if err := Declare(channel); err != nil {
		return "", err
	}
	if id == "" {
		const autoDelete, exclusive = true, true
		queue, err := channel.QueueDeclare("", false, autoDelete, exclusive,
			false, nil)
		if err != nil {
			return "", fmt.Errorf("declare a temporary queue: %w", err)
		}
		return queue.Name, nil
	}
	name := "subscriber-" + id
	dead := name + "-dead" // for what the subscriber cannot handle
	for queue, arguments := range map[string]amqp.Table{
		dead: {"x-queue-type": "quorum"},
		name: {
			"x-queue-type": "quorum",
			// An event that comes back this often is set aside.
			"x-delivery-limit":          5,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": dead,
		},
	} {
		if _, err := channel.QueueDeclare(queue, true, false, false, false,
			arguments); err != nil {
			return "", fmt.Errorf("declare queue %s: %w", queue, err)
		}
	}
	return name, nil
}

// An Event is a measured temperature. On the wire it is JSON, as in
// {"seq":0,"id":"sensor123","temp":17}.
type Event struct {
	Seq    int    `json:"seq"`
	Sensor string `json:"id"`
	Temp   int    `json:"temp"` // degrees
}

func (e Event) String() string {
	return fmt.Sprintf("event %d of %s: %d degrees", e.Seq, e.Sensor, e.Temp)
}

// Key is the routing key of the event, by which queues get it or not.
func (e Event) Key() string { return "temp." + e.Sensor }

// Measure makes n events of a sensor, numbered from 0.
func Measure(n int, sensor string) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{Seq: i, Sensor: sensor, Temp: rand.IntN(51)}
	}
	return events
}

// Message returns the event as a message that queues keep on disk.
func Message(e Event) amqp.Publishing {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // numbers and a text can always be written as JSON
	}
	return amqp.Publishing{
		ContentType:  "application/json",
		DeliveryMode: amqp.Persistent,
		MessageId:    strconv.Itoa(e.Seq), // tells which one was returned
		Body:         body,
	}
}

// ParseEvent reads an event from a message's body. It fails where the body
// is not JSON or lacks a field.
func ParseEvent(body []byte) (Event, error) {
	var event struct {
		Seq    *int    `json:"seq"`
		Sensor *string `json:"id"`
		Temp   *int    `json:"temp"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Event{}, err
	}
	if event.Seq == nil || event.Sensor == nil || event.Temp == nil {
		return Event{}, errors.New("seq, id or temp is missing")
	}
	return Event{*event.Seq, *event.Sensor, *event.Temp}, nil
}

// Mark says of a delivery whether the broker may have delivered it before.
func Mark(delivery amqp.Delivery) string {
	if delivery.Redelivered {
		return " (redelivered)"
	}
	return ""
}

// Outcome says what has become of an event that the broker has confirmed:
// it was put into queues or, where none was bound for it, dropped.
func Outcome(e Event, dropped map[string]bool) string {
	if dropped[strconv.Itoa(e.Seq)] {
		return fmt.Sprintf("no subscriber yet: event %d dropped by the broker",
			e.Seq)
	}
	return fmt.Sprintf("published %v", e)
}
