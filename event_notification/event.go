package eventnotification

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"distsys/internal/cli"
)

// Topic is how an event begins, and what subscribers ask for.
const Topic = "TEMP"

// An Event is a measured temperature. On the wire it is one frame: the topic,
// a space, and JSON, as in TEMP {"seq":0,"id":"sensor123","temp":17}.
type Event struct {
	Seq    int    `json:"seq"`
	Sensor string `json:"id"`
	Temp   int    `json:"temp"` // degrees
}

func (e Event) String() string {
	return fmt.Sprintf("event %d of %s: %d degrees", e.Seq,
		cli.Quote(e.Sensor), e.Temp)
}

// Measure returns the event with that number, as a sensor would.
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

// Parse returns the topic and the event in a message. It fails if there is
// more than one frame, or if that is not as it should be.
func Parse(frames []string) (topic string, event Event, err error) {
	if len(frames) != 1 {
		return "", Event{}, fmt.Errorf("%d frames, one is expected",
			len(frames))
	}
	return ParseFrame(frames[0])
}

// ParseFrame returns the topic and the event in a frame. It fails if the
// frame has no topic, or if what follows is not JSON or lacks a field.
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
