package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"distsys/internal/lab"
	"distsys/internal/lab/record"
	"distsys/internal/lab/screen"
	"distsys/internal/lab/stage"
)

// A showing is a run that a page shows: its picture and its replay.
type showing struct {
	path string // of its files, from the top, without the end of their names

	name     string         // as it is, without ack, with the cure name
	title    string         // what its picture shows, in words
	counted  string         // its verdict
	holds    bool           // the claim, by that verdict
	watch    string         // what to look for
	changes  []record.Event // that were made to the programs
	programs []string       // that took part
	fault    string         // why there is nothing to show, if so
}

// A job is something to run, in a lab of its own.
type job struct {
	what string
	do   func(l *lab.Lab) (fault string, err error)
}

// atOnce is how many run at a time. They mostly wait, but an experiment that
// is short of time may count otherwise than the claim says.
const atOnce = 2

// run runs the stories and the experiments. It returns how many did not end
// as they should, which it prints; an error is why there can be no hand-out.
func (s *site) run(ctx context.Context) (faults int, err error) {
	jobs := s.jobs()
	progress := screen.NewProgress(os.Stderr, len(jobs))
	defer progress.End()
	var lock sync.Mutex
	var running sync.WaitGroup
	free := make(chan bool, atOnce)
	for _, j := range jobs {
		free <- true
		running.Add(1)
		go func() {
			defer func() { <-free; running.Done() }()
			if ctx.Err() != nil {
				return
			}
			defer progress.Begin(j.what)()
			fault, failed := "", error(nil)
			broken := lab.Do(ctx, io.Discard, func(l *lab.Lab) {
				fault, failed = j.do(l)
			})
			lock.Lock()
			defer lock.Unlock()
			err = errors.Join(err, failed, broken)
			if fault != "" && ctx.Err() == nil {
				faults++
				progress.Println(os.Stderr, fault)
			}
		}()
	}
	running.Wait()
	return faults, err
}

// jobs returns what is to be run.
func (s *site) jobs() (jobs []job) {
	for _, p := range s.patterns {
		for _, one := range p.parts {
			if p.left() {
				one.leaveOut()
				continue
			}
			jobs = append(jobs, job{one.folder + "/run",
				func(l *lab.Lab) (string, error) { return s.tell(l, one) }})
			for _, c := range one.claims {
				jobs = append(jobs, job{c.command(),
					func(l *lab.Lab) (string, error) { return s.try(l, c) }})
			}
		}
	}
	return jobs
}

// command is what is typed to run the experiment, as it is and changed.
func (c *claim) command() string {
	if c.without == "" {
		return c.folder + "/run " + c.name
	}
	return c.folder + "/run -without " + c.without + " " + c.name
}

// leaveOut says on the pages why nothing was run.
func (p *part) leaveOut() {
	const why = "It was not run: RabbitMQ was left out (SKIP_RABBITMQ)."
	p.story.fault = why
	for _, c := range p.claims {
		c.fault = why
	}
}

// tell plays a story.
func (s *site) tell(l *lab.Lab, p *part) (fault string, err error) {
	file, remove, err := s.out.scratch()
	if err != nil {
		return "", err
	}
	defer remove()
	args := []string{"-record", file}
	if p.hasTime {
		args = append(args, "-for", "8s")
	}
	run := l.Start(p.folder+"/run", args...)
	if status := run.Wait(); status != 0 {
		p.story.fault = "The story could not be played to its end."
		fault = fmt.Sprintf("the story of %s ended with status %d: %s",
			p.folder, status, lastLine(run.Text()))
	}
	runs, err := readRuns(file)
	if err != nil || len(runs) == 0 {
		p.story.fault = "The story could not be played."
		return p.folder + "/run has kept no record", nil
	}
	return fault, s.keep(p.story, runs[0])
}

// try runs an experiment as it is, and without a line.
func (s *site) try(l *lab.Lab, c *claim) (fault string, err error) {
	file, remove, err := s.out.scratch()
	if err != nil {
		return "", err
	}
	defer remove()
	var o lab.Outcome
	if c.without == "" {
		o = l.Try(c.folder, c.name, "-record", file)
	} else {
		o = l.TryWithout(c.folder, c.name, c.without, "-record", file)
	}
	runs, err := readRuns(file)
	if err != nil {
		runs = nil
	}
	if len(runs) > 0 {
		c.asItIs = &showing{path: c.path(""), name: "as it is"}
		if err := s.keep(c.asItIs, runs[0]); err != nil {
			return "", err
		}
	}
	if len(runs) > 1 {
		c.changed = &showing{path: c.path("-changed"),
			name: "without " + c.without}
		if err := s.keep(c.changed, runs[1]); err != nil {
			return "", err
		}
	}
	c.fault = c.judge(o.Holds)
	if c.fault == "" {
		return "", nil
	}
	c.printed = o.Text
	return fmt.Sprintf("%s/run %s: %s (%s)", c.folder, c.name, c.fault,
		lastLine(o.Text)), nil
}

// judge returns what is wrong with the outcome of an experiment.
func (c *claim) judge(breaks bool) string {
	switch {
	case c.asItIs == nil || c.asItIs.counted == "":
		return "The experiment could not be run to its end."
	case !c.asItIs.holds:
		return "The claim did not hold."
	case c.without == "":
		return ""
	case c.changed == nil || c.changed.counted == "":
		return "The claim holds; but the second run, without " + c.without +
			", did not come to its end."
	case c.changed.holds || !breaks:
		return "The claim held in the second run, too."
	}
	return ""
}

func readRuns(file string) ([][]record.Event, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	events, _, err := stage.ReadReplay(in)
	return stage.Runs(events), err
}

// keep reads what a page says of a run, and writes its replay and pictures.
func (s *site) keep(show *showing, events []record.Event) error {
	for _, e := range events {
		switch e.Kind {
		case record.Begin:
			show.title = strings.TrimSpace(e.Pattern+" "+e.Name) +
				": " + e.Claim
		case record.Verdict:
			show.counted, show.holds = e.Text, e.Holds
		case record.Outcome:
			show.name = e.Name // of both, the second run's comes last
		case record.Change:
			show.changes = append(show.changes, e)
		case record.Say:
			if show.watch == "" && len(show.changes) > 0 {
				show.watch = e.Text
			}
		case record.Start:
			show.programs = appendNew(show.programs, e.Program)
		}
	}
	if show.counted != "" {
		show.title += " " + show.name + ": " + show.counted
	}
	return s.draw(show, stage.Frames(events, lab.SourceText))
}

// draw writes the pictures and the replay of a run.
func (s *site) draw(show *showing, run []stage.Frame) error {
	for end, dark := range map[string]bool{".svg": false, "-dark.svg": true} {
		look := stage.Usual
		look.Dark = dark
		svg, err := stage.Picture(run, look, show.title)
		if err != nil {
			return fmt.Errorf("%s: %w", show.path, err)
		}
		if err := s.out.add(show.path+end, []byte(svg)); err != nil {
			return err
		}
	}
	s.share(show, run)
	var script strings.Builder
	if err := stage.WriteRecord(&script, run); err != nil {
		return err
	}
	return s.out.add(show.path+".record.js", []byte(script.String()))
}

// share keeps the sources of a run with those of its pattern's others.
func (s *site) share(show *showing, run []stage.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file := sharedBy(show.path)
	if s.shared == nil {
		s.shared = map[string]map[string][]string{}
	}
	if s.shared[file] == nil {
		s.shared[file] = map[string][]string{}
	}
	stage.ShareSources(run, s.shared[file])
}

func appendNew(list []string, item string) []string {
	for _, other := range list {
		if other == item {
			return list
		}
	}
	return append(list, item)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
