package stage

import (
	"slices"
	"strings"

	"distsys/internal/lab/arrows"
	"distsys/internal/lab/record"
)

// A Frame is what a page is sent: something new of each kind.
type Frame struct {
	Events []record.Event `json:"events,omitempty"`
	Marks  []arrows.Mark  `json:"marks,omitempty"`
	Lanes  []arrows.Lane  `json:"lanes,omitempty"` // all of them, anew

	// How many lines a muted process has printed by now, by its number.
	Counts map[int]int `json:"counts,omitempty"`

	// The lines of source files, coloured, by their names.
	Sources map[string][]string `json:"sources,omitempty"`

	Buttons *[]string `json:"buttons,omitempty"` // of the scene, anew
	Live    bool      `json:"live,omitempty"`    // more is to come
	Closed  bool      `json:"closed,omitempty"`  // nothing more will come
}

// A framer makes frames of events.
type framer struct {
	deriver *arrows.Deriver // nil: the marks are not its business
	source  Source
	known   map[string]bool // the source files that were sent
	muted   map[int]bool
	counts  map[int]int
}

func newFramer(source Source) *framer {
	return &framer{deriver: arrows.New(), source: source,
		known: map[string]bool{}, muted: map[int]bool{},
		counts: map[int]int{}}
}

// most is how many events a frame has at most, so that a page is never busy
// with one for long.
const most = 500

// add returns what is to be shown of further events.
func (f *framer) add(events []record.Event) (frames []Frame) {
	for part := range slices.Chunk(events, most) {
		frame := Frame{}
		for _, e := range part {
			f.one(e, &frame)
		}
		if f.deriver != nil {
			if lanes, changed := f.deriver.Lanes(); changed {
				frame.Lanes = lanes
			}
		}
		frames = append(frames, frame)
	}
	return frames
}

// pause returns what add has kept back, if there is anything.
func (f *framer) pause() (frames []Frame) {
	if marks := f.deriver.Flush(); len(marks) > 0 {
		frames = append(frames, Frame{Marks: marks})
	}
	return frames
}

func (f *framer) one(e record.Event, frame *Frame) {
	if f.deriver != nil {
		frame.Marks = append(frame.Marks, f.deriver.Add(e)...)
		if e.Kind == record.Over { // only now it is known what was lost
			frame.Marks = append(frame.Marks, f.deriver.Over()...)
		}
	}
	if e.Kind == record.Mute {
		f.muted[e.Process] = true
	}
	// A muted process may print 60,000 lines a second: they are counted.
	if e.Kind == record.Print && f.muted[e.Process] && !e.Stderr {
		if frame.Counts == nil {
			frame.Counts = map[int]int{}
		}
		f.counts[e.Process]++
		frame.Counts[e.Process] = f.counts[e.Process]
		return
	}
	f.show(e.Source, frame)
	if e.Kind == record.Start {
		f.show(e.Program+"/main.go:1", frame)
	}
	frame.Events = append(frame.Events, e)
}

// show adds the file that a line of source is in, if it is a program's own
// and new.
func (f *framer) show(source string, frame *Frame) {
	file, _, found := strings.Cut(source, ":")
	if !found || f.known[file] || strings.HasPrefix(file, "internal/") ||
		strings.HasPrefix(file, "/") {
		return
	}
	f.known[file] = true
	text, err := f.source(file)
	if err != nil {
		return // the picture is there all the same
	}
	if frame.Sources == nil {
		frame.Sources = map[string][]string{}
	}
	frame.Sources[file] = colour(text)
}
