package stage

import (
	"bytes"
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
	live   bool // the marks are made event by event
	source Source

	// Of the run that is shown; a second one is begun by -without.
	begun   bool
	deriver *arrows.Deriver
	changes []record.Event  // that were made to its programs
	known   map[string]bool // the source files that were sent
	muted   map[int]bool
	counts  map[int]int
	labels  map[int]string // of the processes
}

func newFramer(source Source, live bool) *framer {
	f := &framer{live: live, source: source}
	f.again()
	return f
}

// again begins a run.
func (f *framer) again() {
	f.deriver = arrows.New()
	f.changes = nil
	f.known, f.muted = map[string]bool{}, map[int]bool{}
	f.counts, f.labels = map[int]int{}, map[int]string{}
}

// most is how many events a frame has at most, so that a page is never busy
// with one for long.
const most = 500

// add returns what is to be shown of further events.
func (f *framer) add(events []record.Event) (frames []Frame) {
	frame := Frame{}
	end := func() {
		if f.live {
			if lanes, changed := f.deriver.Lanes(); changed {
				frame.Lanes = lanes
			}
		}
		frames = append(frames, frame)
		frame = Frame{}
	}
	for _, e := range events {
		if e.Kind == record.Begin {
			if f.begun { // what the first run has lost is known now
				if f.live {
					frame.Marks = append(frame.Marks, f.deriver.Over()...)
				}
				end()
				f.again()
			}
			f.begun = true
		}
		f.one(e, &frame)
		if len(frame.Events) >= most {
			end()
		}
	}
	end()
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
	if f.live {
		frame.Marks = append(frame.Marks, f.deriver.Add(e)...)
		if e.Kind == record.Over { // only now it is known what was lost
			frame.Marks = append(frame.Marks, f.deriver.Over()...)
		}
	}
	switch {
	case e.Kind == record.Mute:
		f.muted[e.Process] = true
		return
	case e.Kind == record.Change:
		f.changes = append(f.changes, e)
	case e.Kind == record.Print && f.muted[e.Process] && !e.Stderr:
		// It may print 60,000 lines a second: they are counted.
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
	if !f.live {
		f.shorten(&e)
	}
	frame.Events = append(frame.Events, e)
}

// longest is how much of a line is kept for a replay; a page shows less.
const longest = 125

// shorten leaves out what a replay does not need.
func (f *framer) shorten(e *record.Event) {
	if e.Kind != record.Print && e.Kind != record.Start {
		return
	}
	if e.Kind == record.Start {
		e.Text = "" // the command, from which the arrows were found
	}
	if text := []rune(e.Text); len(text) > longest {
		e.Text = string(text[:longest])
	}
	known := f.labels[e.Process]
	f.labels[e.Process] = e.Label
	if e.Kind == record.Print {
		e.Role = ""
		if e.Label == known {
			e.Label = ""
		}
	}
}

// show adds the file that a line of source is in, if it is a program's own
// and new.
func (f *framer) show(source string, frame *Frame) {
	file, _, found := strings.Cut(source, ":")
	if !found || f.known[file] || strings.HasPrefix(file, "/") ||
		strings.HasPrefix(file, "internal/") && !f.changed(file) {
		return
	}
	f.known[file] = true
	text, err := f.source(file)
	if err != nil {
		return // the picture is there all the same
	}
	for _, c := range f.changes {
		if name, _, _ := strings.Cut(c.Source, ":"); name == file {
			text = bytes.Replace(text, []byte(c.Text), []byte(c.Become), 1)
		}
	}
	if frame.Sources == nil {
		frame.Sources = map[string][]string{}
	}
	frame.Sources[file] = Colour(text)
}

// changed says whether a file is not as it was in this run.
func (f *framer) changed(file string) bool {
	return slices.ContainsFunc(f.changes, func(c record.Event) bool {
		name, _, _ := strings.Cut(c.Source, ":")
		return name == file
	})
}
