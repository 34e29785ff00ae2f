package publishsubscribe

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

// High is the temperature above which subscribers warn, in degrees.
const High = 30

// An Event is a measured temperature. On the wire it is JSON, as in
// {"seq":0,"id":"sensor123","temp":17}.
type Event struct {
	Seq    int    `json:"seq"`
	Sensor string `json:"id"`
	Temp   int    `json:"temp"` // degrees
}

func (e Event) String() string {
	return fmt.Sprintf("event %d of %s: %d degrees", e.Seq, e.Name(), e.Temp)
}

// A word has nothing that a terminal would take for a command.
var word = regexp.MustCompile(`^[\pL\pN_.-]{1,60}$`)

// Name returns the sensor's name as it can be printed. Whoever publishes an
// event chooses the name, and must not be able to forge lines, or colours, on
// the terminal of a subscriber: what is not a plain word is quoted.
func (e Event) Name() string {
	if word.MatchString(e.Sensor) {
		return e.Sensor
	}
	return fmt.Sprintf("%.60q", e.Sensor)
}

// Measure returns n events of a sensor, numbered from 0.
func Measure(n int, sensor string) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{Seq: i, Sensor: sensor, Temp: rand.IntN(51)}
	}
	return events
}

// Key returns the event's routing key: the exchange goes by it.
func (e Event) Key() string { return "temp." + e.Sensor }

// MessageID returns what tells the event's message from the others of its
// publisher.
func (e Event) MessageID() string { return strconv.Itoa(e.Seq) }

// Message returns the event as a message.
func Message(e Event) amqp.Publishing {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // numbers and a text can always be written as JSON
	}
	return amqp.Publishing{
		ContentType: "application/json",
		MessageId:   e.MessageID(),

		// Whoever subscribes with a classic queue of another program finds
		// the event there after a restart of the broker, too. Our lasting
		// queues are quorum queues, which keep every message.
		DeliveryMode: amqp.Persistent,

		Body: body,
	}
}

// ParseEvent reads an event from the body of a message. It fails if the body
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
