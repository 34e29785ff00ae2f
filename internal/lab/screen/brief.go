package screen

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"distsys/internal/lab/record"
)

// longest is how long lines are held back to be summed up.
const longest = 4 * time.Second

// A Brief screen sums up: lines of one process that differ in their numbers
// alone become one, as in "published event 0 to 49", and so do the same lines
// of several processes of a role. Turning points, what is done to processes,
// and the verdict are shown as they are.
type Brief struct {
	full   *Plain
	bursts []*burst     // since the last turning point, the oldest first
	ending map[int]bool // told to stop
}

// NewBrief returns a screen that writes to out.
func NewBrief(out io.Writer) *Brief {
	return &Brief{full: NewPlain(out), ending: map[int]bool{}}
}

// Show shows an event, or holds it back.
func (s *Brief) Show(e record.Event) {
	switch e.Kind {
	case record.Print:
		s.print(e)
	case record.Stop:
		s.ending[e.Process] = true
	case record.Say:
		if !usual.MatchString(e.Text) {
			s.flush()
			s.full.Show(e)
		}
	case record.Begin, record.Start, record.Mute, record.End, record.At,
		record.Hold:
		s.full.Show(e)
	default:
		s.flush()
		s.full.Show(e)
	}
}

// What programs print when they begin and end is left out: it is the same
// each time.
var usual = regexp.MustCompile(`^(listening on|connected to|connecting to|` +
	`subscribing to|waiting for (orders|events|\w+ tasks)|accepted a|` +
	`waiting until the workers|tuples dropped|management page|` +
	`warning: high temperature|stopped$)`)

func (s *Brief) print(e record.Event) {
	if len(s.bursts) > 0 && e.Time-s.bursts[0].first.Time > longest {
		s.flush()
	}
	if s.full.muted[e.Process] && !e.Stderr || e.Role == "run" {
		s.full.Show(e)
		return
	}
	text := strings.TrimPrefix(Labelled(e), e.Label+": ")
	if usual.MatchString(text) {
		return
	}
	shape := number.ReplaceAllString(text, "#")
	for _, b := range s.bursts {
		if b.first.Process == e.Process && b.shape == shape {
			b.add(text)
			return
		}
	}
	b := &burst{first: e, shape: shape}
	b.add(text)
	s.bursts = append(s.bursts, b)
}

// flush shows what was held back: for several processes of a role as one
// line, if they have printed the same, or if they are too many.
func (s *Brief) flush() {
	const many = 4
	for i, b := range s.bursts {
		if b.shown {
			continue
		}
		var same, alike []*burst
		for _, other := range s.bursts[i:] {
			if other.first.Role != b.first.Role || other.shape != b.shape {
				continue
			}
			alike = append(alike, other)
			if other.text() == b.text() {
				same = append(same, other)
			}
		}
		if len(alike) >= many {
			same = alike
		}
		labels := []string{b.first.Label}
		for _, other := range same[1:] {
			other.shown = true
			labels = append(labels, other.first.Label)
			b.join(other)
		}
		b.first.Label = strings.Join(labels, ", ")
		if len(labels) >= many {
			b.first.Label = fmt.Sprintf("%d %ss", len(labels), b.first.Role)
		}
		b.first.Text = b.text()
		s.full.Show(b.first)
	}
	s.bursts = nil
}

var number = regexp.MustCompile(`[0-9]+`)

// A burst is lines that differ in their numbers alone.
type burst struct {
	first  record.Event
	line   string // the first, without its label
	shape  string // with # for each number
	count  int
	lowest []string // of each number in the lines
	most   []string
	shown  bool
}

func (b *burst) add(line string) {
	numbers := number.FindAllString(line, -1)
	if b.count++; b.count == 1 {
		b.line = line
		b.lowest, b.most = numbers, append([]string{}, numbers...)
		return
	}
	b.widen(numbers)
}

// join adds the lines of another process.
func (b *burst) join(other *burst) {
	if other.text() != b.text() {
		b.count += other.count
	}
	b.widen(other.lowest)
	b.widen(other.most)
}

func (b *burst) widen(numbers []string) {
	for i, n := range numbers {
		if less(n, b.lowest[i]) {
			b.lowest[i] = n
		}
		if less(b.most[i], n) {
			b.most[i] = n
		}
	}
}

func less(a, b string) bool {
	x, err := strconv.Atoi(a)
	y, failed := strconv.Atoi(b)
	if err != nil || failed != nil {
		return a < b
	}
	return x < y
}

// text is the line in which the first number that changes has its range, and
// those behind it are left out.
func (b *burst) text() string {
	if b.count == 1 {
		return b.line
	}
	text, rest, ranged := "", 0, false
	for i, at := range number.FindAllStringIndex(b.line, -1) {
		text += b.line[rest:at[0]]
		rest = at[1]
		switch {
		case b.lowest[i] == b.most[i]:
			text += b.lowest[i]
		case !ranged:
			text += b.lowest[i] + " to " + b.most[i]
			ranged = true
		default:
			text += "..."
		}
	}
	return fmt.Sprintf("%s%s (%d lines)", text, b.line[rest:], b.count)
}
