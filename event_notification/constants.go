// Package eventnotification is what publisher and subscriber must agree on.
// See README.md.
package eventnotification

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	// Address is where the publisher listens and subscribers connect.
	Address = "tcp://127.0.0.1:12346"
	// Topic is how an event begins, and what subscribers ask for.
	Topic = "TEMP"
	// High is the temperature above which subscribers warn, in degrees.
	High = 30
)

// An Event is a measured temperature. On the wire it is one frame: the topic,
// a space, and JSON, as in TEMP {"seq":0,"id":"sensor123","temp":17}.
type Event struct {
	Seq    int    `json:"seq"`
	Sensor string `json:"id"`
	Temp   int    `json:"temp"` // degrees
}

func (e Event) String() string {
	return fmt.Sprintf("event %d of %s: %d degrees", e.Seq, e.Sensor, e.Temp)
}

// Measure returns the event of that number, as a sensor would.
func Measure(seq int) Event {
	return Event{Seq: seq, Sensor: "sensor123", Temp: rand.IntN(51)}
}

// Frame returns the event as it travels.
func (e Event) Frame(topic string) string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // numbers and a text can always be written as JSON
	}
	return topic + " " + string(text)
}

// Change reads what an XPUB socket hears, and returns 1 when a subscriber has
// come and -1 when one has gone.
func Change(heard string) int {
	switch {
	case strings.HasPrefix(heard, "\x01"):
		return 1
	case strings.HasPrefix(heard, "\x00"):
		return -1
	}
	return 0
}

// ParseFrame reads an event and its topic. It fails where the frame has no
// topic, or what follows is not JSON or lacks a field.
func ParseFrame(frame string) (topic string, event Event, err error) {
	topic, text, found := strings.Cut(frame, " {")
	if !found {
		return "", Event{}, errors.New("no topic and JSON object")
	}
	var fields struct {
		Seq    *int    `json:"seq"`
		Sensor *string `json:"id"`
		Temp   *int    `json:"temp"`
	}
	if err := json.Unmarshal([]byte("{"+text), &fields); err != nil {
		return "", Event{}, err
	}
	if fields.Seq == nil || fields.Sensor == nil || fields.Temp == nil {
		return "", Event{}, errors.New("seq, id or temp is missing")
	}
	return topic, Event{*fields.Seq, *fields.Sensor, *fields.Temp}, nil
}
