package lab

import (
	"context"
	"fmt"
	"io"
	"regexp"
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
// typed, with further flags if there are any, and reads how it ended.
func (l *Lab) Try(pattern, name string, flags ...string) Outcome {
	begun := time.Now()
	run := l.Start(pattern+"/run", append(flags, name)...)
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
// order, and for each what it claims and what can be left out (-without).
type Experiments struct {
	What    string // its story, in a sentence
	Names   []string
	Claims  map[string]string
	Without map[string][]string

	help string
}

// Has says whether the run program has a flag, such as "-stage".
func (e Experiments) Has(flag string) bool {
	return strings.Contains(e.help, "\n  "+flag)
}

// List asks a pattern's run program for its experiments.
func (l *Lab) List(pattern string) Experiments {
	help := l.Start(pattern+"/run", "-h")
	list := l.Start(pattern+"/run", "-list")
	for _, p := range []*Process{help, list} {
		if status := p.Wait(); status != 0 {
			l.Fail(fmt.Sprintf("%s/run -h or -list ended with status %d",
				pattern, status))
		}
	}
	all := Experiments{Claims: map[string]string{},
		Without: map[string][]string{}, help: help.Text()}
	all.What, _, _ = strings.Cut(all.help, "\n")
	for _, line := range list.Lines() {
		words := strings.Fields(line)
		name := words[0]
		all.Names = append(all.Names, name)
		all.Without[name] = words[1:]
		for _, line := range help.Lines() {
			if claim, ok := strings.CutPrefix(line, "  "+name+" "); ok {
				all.Claims[name] = strings.TrimSpace(claim)
			}
		}
	}
	return all
}

// A Line is what can be left out of an experiment, as a run program's
// -without lists it.
type Line struct {
	Experiment, Name string
	Cure             bool
	File, Text       string // of more than one line, the first
}

// Lines asks a pattern's run program what can be left out.
func (l *Lab) Lines(pattern string) (all []Line) {
	list := l.Start(pattern+"/run", "-without")
	if status := list.Wait(); status != 0 {
		l.Fail(fmt.Sprintf("%s/run -without ended with status %d", pattern,
			status))
	}
	experiment := ""
	for _, line := range list.Lines() {
		if parts := listed.FindStringSubmatch(line); parts != nil {
			text, _ := strings.CutSuffix(parts[4], " ...")
			all = append(all, Line{experiment, parts[1], parts[2] == "a cure",
				parts[3], text})
		} else if !strings.HasPrefix(line, " ") {
			experiment, _, _ = strings.Cut(line, ":")
		}
	}
	return all
}

var listed = regexp.MustCompile(`^  (\S+) +\((without|a cure)\) (\S+): (.*)$`)

// TryWithout runs an experiment as it is and without a line, as if it had
// been typed, with further flags if there are any. The outcome holds if the
// claim breaks without the line; what was counted are both verdicts.
func (l *Lab) TryWithout(pattern, name, without string,
	flags ...string) Outcome {
	begun := time.Now()
	run := l.Start(pattern+"/run", append(flags, "-without", without,
		name)...)
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
