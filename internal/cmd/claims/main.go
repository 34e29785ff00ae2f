// Claims runs every experiment of the suite, or those of one pattern, and
// says of each claim whether it holds, or whether it breaks without the line
// that makes it true.
//
//	make claims
//	make claims WITHOUT=1
//	go run ./internal/cmd/claims pipeline
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/screen"
)

// The patterns that need RabbitMQ. Their experiments share a node where that
// is safe, and see to it themselves where it is not.
var rabbitmq = []string{"publish_subscribe", "message_queue"}

var without = flag.Bool("without", false,
	"run each experiment without each of the lines that make it true")

func main() {
	cli.Parse("internal/cmd/claims [pattern [experiment]]",
		"Claims runs every experiment, and says whether its claim holds.")
	cli.Grace = time.Minute // the broker is to end first
	cli.Main(claims)
}

func claims(ctx context.Context) (err error) {
	folder := path.Clean(flag.Arg(0)) // "." where there is none
	if dir, err := lab.Source(folder); err != nil {
		return err
	} else if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("no pattern %q; a pattern is a folder here, such "+
			"as pipeline; README.md lists them", folder)
	}
	removeNode, err := startNode(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeNode()) }()
	programs, remove, err := lab.Build(folder)
	if err != nil {
		return err
	}
	defer remove()
	// A whole experiment may take longer than each of its steps.
	lab.Patience = 10 * time.Minute
	all, known, err := list(ctx, programs)
	if err != nil {
		return err
	}
	if len(all) == 0 && flag.NArg() > 1 {
		return fmt.Errorf("no experiment %q; there are: %s", flag.Arg(1),
			strings.Join(known, ", "))
	}
	if len(all) == 0 {
		return fmt.Errorf("no experiment of %s was run", folder)
	}
	return tryAll(ctx, all)
}

// startNode starts the RabbitMQ node that the experiments of a folder share,
// where one is needed.
func startNode(ctx context.Context, folder string) (func() error, error) {
	if skip() || folder != "." && !slices.Contains(rabbitmq, folder) {
		return func() error { return nil }, nil
	}
	fmt.Println("Building the programs; RabbitMQ starts ...")
	return brokerlab.Share(ctx)
}

func skip() bool { return os.Getenv("SKIP_RABBITMQ") != "" }

// A trial is what is run to test a claim.
type trial struct{ pattern, experiment, without string }

func (t trial) String() string {
	if t.without == "" {
		return t.pattern + "/run " + t.experiment
	}
	return t.pattern + "/run -without " + t.without + " " + t.experiment
}

// list returns what is to be run, and the names of all experiments.
func list(ctx context.Context, programs []string) (all []trial,
	known []string, err error) {
	for _, program := range programs {
		pattern, isRun := strings.CutSuffix(program, "/run")
		if !isRun || skip() && slices.Contains(rabbitmq, pattern) {
			continue
		}
		var there lab.Experiments
		err := lab.Do(ctx, io.Discard, func(l *lab.Lab) {
			there = l.List(pattern)
		})
		if err != nil {
			return nil, nil, err
		}
		known = append(known, there.Names...)
		for _, name := range there.Names {
			if flag.NArg() > 1 && name != flag.Arg(1) {
				continue
			}
			if !*without {
				all = append(all, trial{pattern, name, ""})
				continue
			}
			for _, w := range there.Without[name] {
				all = append(all, trial{pattern, name, w})
			}
		}
	}
	return all, known, nil
}

// tryAll runs them. They mostly wait for others, so several can go on at a
// time.
func tryAll(ctx context.Context, all []trial) (err error) {
	t := &trials{progress: screen.NewProgress(os.Stderr, len(all))}
	defer t.progress.End()
	var running sync.WaitGroup
	free := make(chan bool, 2*runtime.GOMAXPROCS(0))
	for _, one := range all {
		free <- true
		if ctx.Err() != nil {
			break
		}
		running.Add(1)
		go func() {
			defer running.Done()
			t.run(ctx, one)
			<-free
		}()
	}
	running.Wait()
	t.progress.End()
	return t.sum()
}

// trials counts those that were run.
type trials struct {
	progress *screen.Progress

	mu         sync.Mutex
	count, bad int
	failed     error // what could not be run
}

// run runs one, and prints how it ended.
func (t *trials) run(ctx context.Context, one trial) {
	defer t.progress.Begin(one.String())()
	err := lab.Do(ctx, io.Discard, func(l *lab.Lab) {
		o, end := lab.Outcome{}, "holds"
		if one.without == "" {
			o = l.Try(one.pattern, one.experiment)
		} else {
			o = l.TryWithout(one.pattern, one.experiment, one.without)
			end = "breaks"
		}
		if ctx.Err() != nil {
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.count++
		if !o.Holds {
			t.bad++
			end = "DOES NOT " + strings.ToUpper(strings.TrimSuffix(end, "s"))
			t.progress.Println(os.Stderr, o.Text)
		}
		t.progress.Println(os.Stdout, fmt.Sprintf("%s, %.1f s, %s: %s %s", end,
			o.Took.Seconds(), one, o.Claim, o.Counted))
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = errors.Join(t.failed, err)
}

// sum prints how many claims hold, or break, and returns an error if that is
// not all of them.
func (t *trials) sum() error {
	what, fault := "%d claims, %d hold\n", "%d claims do not hold"
	if *without {
		what, fault = "%d lines left out, %d claims break\n",
			"%d claims hold all the same"
	}
	fmt.Printf(what, t.count, t.count-t.bad)
	if t.bad > 0 {
		return errors.Join(t.failed, fmt.Errorf(fault, t.bad))
	}
	return t.failed
}
