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
const longest = 2 * time.Second

// A Brief screen sums up: lines of one process that differ in their numbers
// alone become one, as in "published event 0 to 49". Turning points, what is
// done to processes, and the verdict are shown as they are.
type Brief struct {
	full   *Plain
	bursts []*burst // since the last turning point, the oldest first
	ending map[int]bool
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
	case record.Begin, record.Start, record.Mute, record.End, record.At,
		record.Hold:
		s.full.Show(e)
	default:
		s.flush()
		s.full.Show(e)
	}
}

func (s *Brief) print(e record.Event) {
	if len(s.bursts) > 0 && e.Time-s.bursts[0].first.Time > longest {
		s.flush()
	}
	if s.full.muted[e.Process] && !e.Stderr || e.Role == "run" {
		s.full.Show(e)
		return
	}
	if s.ending[e.Process] && strings.HasSuffix(e.Text, ": stopped") {
		return // it was told to
	}
	shape := number.ReplaceAllString(e.Text, "#")
	for _, b := range s.bursts {
		if b.first.Process == e.Process && b.shape == shape {
			b.add(e.Text)
			return
		}
	}
	b := &burst{first: e, shape: shape}
	b.add(e.Text)
	s.bursts = append(s.bursts, b)
}

func (s *Brief) flush() {
	for _, b := range s.bursts {
		b.first.Text = b.text()
		s.full.Show(b.first)
	}
	s.bursts = nil
}

var number = regexp.MustCompile(`[0-9]+`)

// A burst is lines of one process that differ in their numbers alone.
type burst struct {
	first  record.Event
	shape  string
	count  int
	lowest []string // of each number in the line
	most   []string
}

func (b *burst) add(line string) {
	b.count++
	numbers := number.FindAllString(line, -1)
	if b.lowest == nil {
		b.lowest, b.most = numbers, append([]string{}, numbers...)
		return
	}
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
		return b.first.Text
	}
	text, i, ranged := "", 0, false
	rest := b.first.Text
	for _, at := range number.FindAllStringIndex(b.first.Text, -1) {
		done := len(b.first.Text) - len(rest)
		text += rest[:at[0]-done]
		rest = b.first.Text[at[1]:]
		switch {
		case b.lowest[i] == b.most[i]:
			text += b.lowest[i]
		case !ranged:
			text += b.lowest[i] + " to " + b.most[i]
			ranged = true
		default:
			text += "..."
		}
		i++
	}
	return fmt.Sprintf("%s%s (%d lines)", text, rest, b.count)
}
