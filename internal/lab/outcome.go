package lab

import (
	"context"
	"fmt"
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

// An Experiments is what a pattern's run program has: the names, in its own
// order, and for each what can be left out (-without).
type Experiments struct {
	Names   []string
	Without map[string][]string
}

// List asks a pattern's run program for its experiments.
func (l *Lab) List(pattern string) Experiments {
	list := l.Start(pattern+"/run", "-list")
	if status := list.Wait(); status != 0 {
		l.Fail(fmt.Sprintf("%s/run -list ended with status %d", pattern,
			status))
	}
	all := Experiments{Without: map[string][]string{}}
	for _, line := range list.Lines() {
		words := strings.Fields(line)
		all.Names = append(all.Names, words[0])
		all.Without[words[0]] = words[1:]
	}
	return all
}

// TryWithout runs an experiment as it is and without a line, as if it had
// been typed. The outcome holds if the claim breaks without the line; what
// was counted are both verdicts.
func (l *Lab) TryWithout(pattern, name, without string) Outcome {
	begun := time.Now()
	run := l.Start(pattern+"/run", "-without", without, name)
	status := run.Wait()
	o := Outcome{Pattern: pattern, Name: name, Took: time.Since(begun),
		Text: run.Text(), Holds: status == 0}
	var verdicts []string
	for _, line := range run.Lines() {
		text, ok := strings.CutPrefix(line, screen.VerdictMark)
		if ok && strings.HasSuffix(text, ")") {
			verdicts = append(verdicts, text)
		}
	}
	o.Counted = strings.Join(verdicts, "; ")
	if len(verdicts) != 2 {
		o.Counted, o.Holds = "it could not be run", false
	}
	return o
}
