package lab

import (
	"context"
	"io"
	"strings"
	"time"

	"distsys/internal/lab/screen"
)

// An Outcome is how an experiment ended.
type Outcome struct {
	Pattern, Name string
	Claim         string
	Counted       string // what its verdict says
	Holds         bool
	Took          time.Duration
	Text          string // all that it printed
}

// Try runs an experiment with the pattern's run program, as if it had been
// typed, and reads how it ended.
func (l *Lab) Try(pattern, name string) Outcome {
	begun := time.Now()
	run := l.Start(pattern+"/run", name)
	status := run.Wait()
	o := Outcome{Pattern: pattern, Name: name, Took: time.Since(begun),
		Text: run.Text()}
	for _, line := range run.Lines() {
		heading := "== " + pattern + " " + name + ": "
		if claim, ok := strings.CutPrefix(line, heading); ok {
			o.Claim = claim
		}
		if text, ok := strings.CutPrefix(line, screen.VerdictMark); ok {
			text, o.Holds = strings.CutSuffix(text, screen.HoldsMark)
			o.Counted = strings.TrimSuffix(text, screen.FailsMark)
		}
	}
	if o.Counted == "" {
		o.Counted = "it ended without a verdict"
	}
	o.Holds = o.Holds && status == 0
	return o
}

// Do calls f with a lab that shows what happens on out. It returns why the
// story could not go on, if it could not.
func Do(ctx context.Context, out io.Writer, f func(l *Lab)) (err error) {
	l, err := New(ctx, out, giveUp)
	if err != nil {
		return err
	}
	defer l.Close()
	defer caught(&err)
	f(l)
	return nil
}
