// Package record is what happens in a lab, as one stream of events: a process
// starts, prints a line, is killed; the story takes a step; the verdict. The
// lab writes the stream. The screens show it, a file keeps it.
package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Version is that of the file format. A reader refuses others.
const Version = 1

// A Kind says what has happened. Which fields of an Event it uses, beside
// Time, stands behind it.
type Kind string

const (
	// Of the story as a whole.
	Begin   Kind = "begin"   // Version, Pattern, Name, Claim, Without, Text (when, on the clock)
	Say     Kind = "say"     // Text
	Step    Kind = "step"    // Text: a turning point
	Ask     Kind = "ask"     // Text: what the lecturer is asked, "" when answered
	Verdict Kind = "verdict" // Text (what was counted), Holds, Beside
	Fail    Kind = "fail"    // Text: why the story could not go on
	Change  Kind = "change"  // Text becomes Become at Source, for what follows
	Outcome Kind = "outcome" // a verdict once more, beside another: Text, Holds, Name
	Over    Kind = "over"    // the story has ended, and all its processes

	// Text: the lecturer has taken over, so that there is no verdict.
	Intervene Kind = "intervene"

	// Of one process.
	Start  Kind = "start"  // Program, Role, Label, PID, Text (the command, as typed)
	Print  Kind = "print"  // Text, Label, Source, Stderr
	At     Kind = "at"     // Source: the line of its own code that it is at
	Mute   Kind = "mute"   // its lines are not to be shown from here on
	Kill   Kind = "kill"   // SIGKILL
	Stop   Kind = "stop"   // as by Ctrl-C; Text, if it is no part of the story
	Freeze Kind = "freeze" // SIGSTOP
	Hold   Kind = "hold"   // SIGSTOP while the lecturer talks; not a part of the story
	GoOn   Kind = "go on"  // SIGCONT
	End    Kind = "end"    // Status
)

// An Event is one thing that has happened.
type Event struct {
	Time    time.Duration `json:"t"` // since the story began, in microseconds in JSON
	Kind    Kind          `json:"kind"`
	Process int           `json:"p,omitempty"` // its number, from 1; 0: the story
	Text    string        `json:"text,omitempty"`

	Program string `json:"program,omitempty"` // as in "message_queue/consumer"
	Role    string `json:"role,omitempty"`    // as in "consumer"
	Label   string `json:"label,omitempty"`   // as in "consumer 1"
	PID     int    `json:"pid,omitempty"`
	Source  string `json:"source,omitempty"` // as in "message_queue/consumer/main.go:70"
	Stderr  bool   `json:"stderr,omitempty"`
	Status  int    `json:"status,omitempty"` // exit status; -1: ended by a signal

	Version int    `json:"version,omitempty"`
	Pattern string `json:"pattern,omitempty"`
	Name    string `json:"name,omitempty"` // of the experiment; "": the story
	Claim   string `json:"claim,omitempty"`
	Holds   bool   `json:"holds,omitempty"`
	Beside  string `json:"beside,omitempty"`  // a line to compare the verdict with
	Without string `json:"without,omitempty"` // the line that this run leaves out
	Become  string `json:"become,omitempty"`
}

// MarshalJSON writes the time in microseconds.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	e.Time /= time.Microsecond
	return json.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON has written.
func (e *Event) UnmarshalJSON(text []byte) error {
	type plain Event
	if err := json.Unmarshal(text, (*plain)(e)); err != nil {
		return err
	}
	e.Time *= time.Microsecond
	return nil
}

// A Screen shows events. Its lab calls Show for one event after the other,
// in the order of what happened, and waits until it returns.
type Screen interface {
	Show(e Event)
}

// A Writer is a Screen that keeps every event, as a line of JSON.
type Writer struct {
	lines *bufio.Writer
	err   error
}

// NewWriter returns a Writer to a file or a connection.
func NewWriter(file io.Writer) *Writer {
	return &Writer{lines: bufio.NewWriter(file)}
}

// Show writes an event.
func (w *Writer) Show(e Event) {
	text, err := json.Marshal(e)
	if err == nil {
		_, err = w.lines.Write(append(text, '\n'))
	}
	w.err = errors.Join(w.err, err)
}

// Flush writes what is still to be written, and returns what went wrong so
// far.
func (w *Writer) Flush() error {
	return errors.Join(w.err, w.lines.Flush())
}

// Read reads all the events of a record. One that was cut off in the middle
// of a line is read up to there; Read then returns the events and
// io.ErrUnexpectedEOF. It fails for what is not a record, and for a record of
// another version.
func Read(file io.Reader) (events []Event, err error) {
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && len(line) > 0 {
			return events, io.ErrUnexpectedEOF
		}
		if errors.Is(err, io.EOF) {
			if len(events) == 0 {
				return nil, errors.New("not a record: it is empty")
			}
			return events, nil
		}
		if err != nil {
			return events, err
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return events, fmt.Errorf("not a record: %w", err)
		}
		if len(events) == 0 && (e.Kind != Begin || e.Version != Version) {
			return nil, fmt.Errorf("not a record of version %d; make it anew "+
				"with run -record", Version)
		}
		events = append(events, e)
	}
}
