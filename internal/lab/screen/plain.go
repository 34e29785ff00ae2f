// Package screen shows what happens in a lab on a terminal: in full, a line
// for each event, or in brief.
package screen

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/lab/record"
)

// A Plain screen shows what happens, one line per event, each with the
// seconds since the story began. On a terminal each role has its colour.
type Plain struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	roles  []string // in the order of their first line, which gives the colour
	labels map[int]string
	muted  map[int]bool
}

// NewPlain returns a screen that writes to out.
func NewPlain(out io.Writer) *Plain {
	return &Plain{out: out, colour: colourful(out), labels: map[int]string{},
		muted: map[int]bool{}}
}

// NewPlainBeside returns a screen that writes to out, and the same to copy.
func NewPlainBeside(out, copy io.Writer) *Plain {
	s := NewPlain(out)
	s.out = io.MultiWriter(out, copy)
	return s
}

// Heading writes a heading, which is bold on a terminal.
func Heading(out io.Writer, text string) {
	fmt.Fprintln(out, NewPlain(out).Paint(Bold, text))
}

// Terminal says whether a file is a terminal.
func Terminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// colourful says whether out is a terminal that wants colours
// (see no-color.org).
func colourful(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && Terminal(file) &&
		os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Colours that can be read on light and on dark ground: the middle of the
// 256 colours, not the eight that each terminal paints as it likes.
var palette = []string{"38;5;33", "38;5;166", "38;5;35", "38;5;134",
	"38;5;37", "38;5;136"}

// What else is painted.
const (
	Bold  = "1"
	Red   = "1;38;5;160"
	Green = "1;38;5;35"
)

// Inset is as wide as the seconds in front of a line.
const Inset = "         "

const seconds = "%7.2fs "

// What a verdict's line looks like. The tests and the other commands read it.
const (
	VerdictMark = "verdict: "
	HoldsMark   = ": claim holds"
	FailsMark   = ": claim does NOT hold"
)

// Paint colours a text, if the screen has colours.
func (s *Plain) Paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Show shows an event.
func (s *Plain) Show(e record.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case record.Begin:
		title := e.Pattern
		if e.Name != "" {
			title += " " + e.Name
		}
		if e.Without != "" {
			title += " without " + e.Without
		}
		s.line(s.Paint(Bold, "== "+title+": "+e.Claim))
	case record.Say, record.Step:
		s.line(Inset + s.Paint(Bold, "» "+e.Text))
	case record.Ask:
		fmt.Fprint(s.out, e.Text)
	case record.Fail, record.Intervene:
		s.timed(e.Time, s.Paint(Red, e.Text))
	case record.Verdict:
		s.verdict(e)
	case record.Change:
		s.line(s.Paint(Bold, e.Source))
		s.lines(Red, "- ", e.Text)
		s.lines(Green, "+ ", e.Become)
	case record.Outcome:
		s.verdict(e)
	case record.Start:
		s.labels[e.Process] = e.Label
	case record.Mute:
		s.muted[e.Process] = true
	case record.Print:
		s.printed(e)
	case record.Kill:
		s.timed(e.Time, s.Paint(Red, s.labels[e.Process]+" is killed"))
	case record.Freeze:
		s.timed(e.Time, s.Paint(Red, s.labels[e.Process]+" is frozen"))
	case record.GoOn:
		s.timed(e.Time, s.Paint(Red, s.labels[e.Process]+" goes on"))
	}
}

func (s *Plain) line(text string) { fmt.Fprintln(s.out, text) }

func (s *Plain) timed(t time.Duration, text string) {
	s.line(fmt.Sprintf(seconds, t.Seconds()) + text)
}

func (s *Plain) verdict(e record.Event) {
	if e.Beside != "" {
		s.line(s.Paint(Bold, e.Beside))
	}
	colour, end := Green, HoldsMark
	if !e.Holds {
		colour, end = Red, FailsMark
	}
	if e.Kind == record.Outcome {
		end += " (" + e.Name + ")"
	}
	s.line(s.Paint(colour, VerdictMark+e.Text+end))
}

// lines shows the lines of a text, each with a mark in front.
func (s *Plain) lines(colour, mark, text string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.line(Inset + s.Paint(colour, mark+line))
		}
	}
}

// printed shows a line of a program.
func (s *Plain) printed(e record.Event) {
	s.labels[e.Process] = e.Label
	if s.muted[e.Process] && !e.Stderr {
		return
	}
	if e.Role == "run" && !e.Stderr { // it has a screen of its own
		s.line(e.Text)
		return
	}
	s.timed(e.Time, s.Role(e.Role, Labelled(e)))
}

// Labelled returns a line that was printed, with its process in front. Most
// lines have that anyway: only a client's bare reply has not, nor a refusal.
func Labelled(e record.Event) string {
	if len(e.Text) > len(e.Label) && e.Text[:len(e.Label)] == e.Label &&
		e.Text[len(e.Label)] == ':' {
		return e.Text
	}
	return e.Label + ": " + e.Text
}

// Role paints a line in the colour of a role.
func (s *Plain) Role(role, text string) string {
	which := slices.Index(s.roles, role)
	if which < 0 {
		which = len(s.roles)
		s.roles = append(s.roles, role)
	}
	return s.Paint(palette[which%len(palette)], text)
}
