// Package arrows finds out who sent what to whom: from the lines that the
// programs print, and from nothing else. What it finds are marks: arrows
// between lanes, bars of work, the depth of a queue. A page only draws them.
//
// A lane stands for a process, or for a queue that a broker keeps. What the
// lines of a pattern mean is data: see tables.go.
//
//	d := arrows.New()
//	for e := range events { // live, in about the order of what happened
//		draw(d.Add(e), d.Lanes())
//	}
//	draw(d.Over(), d.Lanes()) // only now it is known what was lost
//
// For a whole record there are Derive and Lanes.
package arrows

import (
	"encoding/json"
	"time"
)

// A Kind says what a mark shows. Which fields of a Mark it uses, beside ID,
// stands behind it.
type Kind string

const (
	// Arrows: from Lane at Begin to To at End.
	Message Kind = "message" // Label: the number, or the text
	Again   Kind = "again"   // it was delivered before: "11 again"
	Back    Kind = "back"    // to the queue that it came from: "11 goes back"
	Ack     Kind = "ack"     // an acknowledgement

	// Lost is an arrow that does not arrive: sent at Begin from Lane, on its
	// way to To ("" if nobody knows), and never received. Or, if Held is set,
	// it was received by Lane, which ended at Begin before it was done. Lost
	// marks come with Over.
	Lost Kind = "lost"

	// Spans: on Lane from Begin to End.
	Bar  Kind = "bar"  // work on what was received: Label, Open, Cut
	Wait Kind = "wait" // waits for another: Label, Open, Cut
	Down Kind = "down" // a broker's lane: its clients have lost it; Open

	// Points: on Lane at Begin.
	Timeout Kind = "timeout" // a wait was given up: Label
	Dropped Kind = "dropped" // thrown away by a broker, which says so: Label
	Depth   Kind = "depth"   // from here on a queue holds Count messages
)

// A Mark is one thing to draw. A later mark with the same ID takes the place
// of an earlier one: an open bar gets its end, an arrow the time at which it
// was really sent.
//
// Arrows from or to a muted process, and lost messages of one, come in
// bursts: one mark for all that were sent in a tenth of a second, with their
// Count. A burst of one has its Label; one of more has none.
type Mark struct {
	ID    int           `json:"id"` // from 1
	Kind  Kind          `json:"kind"`
	Lane  string        `json:"lane"`         // where it is, or comes from
	To    string        `json:"to,omitempty"` // where an arrow goes
	Begin time.Duration `json:"t"`            // in microseconds in JSON
	End   time.Duration `json:"end,omitempty"`
	Label string        `json:"label,omitempty"`

	Open bool `json:"open,omitempty"` // it goes on; End is not known yet
	Cut  bool `json:"cut,omitempty"`  // it ended because its process did
	Held bool `json:"held,omitempty"` // see Lost

	// Count is that of a Depth, or that of a burst, if more than one: then
	// Begin and End are the times of the first, these of the last.
	Count     int           `json:"count,omitempty"`
	LastBegin time.Duration `json:"t2,omitempty"`
	LastEnd   time.Duration `json:"end2,omitempty"`

	// Unsure is set for the Depth of a queue to which messages were sent that
	// nobody has confirmed: it may hold fewer.
	Unsure bool `json:"unsure,omitempty"`
}

// MarshalJSON writes the times in microseconds, as those of a record.
func (m Mark) MarshalJSON() ([]byte, error) {
	type plain Mark
	for _, t := range m.times() {
		*t /= time.Microsecond
	}
	return json.Marshal(plain(m))
}

// UnmarshalJSON reads what MarshalJSON has written.
func (m *Mark) UnmarshalJSON(text []byte) error {
	type plain Mark
	if err := json.Unmarshal(text, (*plain)(m)); err != nil {
		return err
	}
	for _, t := range m.times() {
		*t *= time.Microsecond
	}
	return nil
}

func (m *Mark) times() []*time.Duration {
	return []*time.Duration{&m.Begin, &m.End, &m.LastBegin, &m.LastEnd}
}

// A Lane is a row of the picture. A process takes over the lane of one of its
// role that has ended, and many that do the same share one: so a lane may
// stand for several processes.
type Lane struct {
	// Members are the lanes that marks name, in the order in which they came:
	// numbers of processes as in "3", parts of one as in "3/client", or a
	// queue as in "queue delivery-orders". Such a name is a key: what it says
	// to a reader is in Label.
	Members []string `json:"members"`
	Label   string   `json:"label"` // "consumer fast", "client x49"
	Role    string   `json:"role"`  // "consumer"; of a queue, "queue"

	// Crowd is how many are there at once, if they are many.
	Crowd int `json:"crowd,omitempty"`
}
