package lab

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"distsys/internal/cli"
)

// An Experiment shows one claim with the real programs and ends with a
// verdict, counted from what they printed.
type Experiment struct {
	Name  string
	Claim string // what it shows, in one sentence
	Run   func(l *Lab)
}

// Main is the main function of a pattern's run program: without a word it
// tells the pattern's story, with the name of an experiment it makes that.
func Main(pattern, what string, story func(l *Lab), all ...Experiment) {
	list := flag.Bool("list", false, "name the experiments")
	step := flag.Bool("step", false,
		"wait for Return at each turning point")
	panes := flag.Bool("tmux", false,
		"show each program in a tmux pane of its own, until Return")
	var names []string
	help := what
	for i, e := range all {
		if i == 0 {
			help += "\n\nexperiments:"
		}
		names = append(names, e.Name)
		help += fmt.Sprintf("\n  %-18s %s", e.Name, e.Claim)
	}
	words := ""
	if len(all) > 0 {
		words = " [experiment]"
	}
	cli.Parse(pattern+"/run"+words, help)
	cli.Grace = time.Minute // the programs, and a broker, are to end first
	cli.Main(func(ctx context.Context) error {
		// Where nobody reads on (run | head): end in good order, too.
		ctx, release := signal.NotifyContext(ctx, syscall.SIGPIPE)
		defer release()
		if *list {
			for _, name := range names {
				fmt.Println(name)
			}
			return nil
		}
		chosen := Experiment{Claim: what, Run: story}
		if flag.NArg() > 0 {
			i := slices.Index(names, flag.Arg(0))
			if i < 0 {
				return fmt.Errorf("no experiment %q; there are: %s",
					flag.Arg(0), strings.Join(names, ", "))
			}
			chosen = all[i]
		}
		if *panes {
			return tellInTmux(ctx, *step, pattern, chosen)
		}
		err := tell(ctx, *step, false, pattern, chosen)
		if ctx.Err() != nil {
			return nil // it was stopped
		}
		return err
	})
}

// errStory is why a story could not go on.
type errStory string

func (e errStory) Error() string { return string(e) }

// giveUp ends a story from within; caught, deferred, makes an error of it.
func giveUp(reason string) { panic(errStory(reason)) }

func caught(err *error) {
	if reason := recover(); reason != nil {
		failed, ok := reason.(errStory)
		if !ok {
			panic(reason)
		}
		*err = failed
	}
}

// tell runs a story or an experiment from beginning to end.
func tell(ctx context.Context, step, panes bool, pattern string,
	e Experiment) (err error) {
	l, err := New(ctx, os.Stdout, giveUp)
	if err != nil {
		return err
	}
	ask := func(string) {}
	if step || panes {
		ask = waitForReturn(ctx, l.screen.ask)
	}
	if step {
		l.step = func() { ask("(Return goes on) ") }
	}
	if err := l.bin.prepare(pattern); err != nil {
		l.Close()
		return err
	}
	title := pattern
	if e.Name != "" {
		title += " " + e.Name
	}
	if panes {
		if err := l.openPanes(); err != nil {
			l.panes.end(func() {})
			l.Close()
			return err
		}
	}
	l.screen.begun = time.Now()
	l.screen.heading("== " + title + ": " + e.Claim)
	defer l.Close()
	defer func() {
		if panes {
			l.panes.end(func() {
				if err != nil && ctx.Err() == nil {
					l.screen.event(err.Error())
				}
				ask("(Return closes the panes) ")
			})
		}
	}()
	defer caught(&err)
	e.Run(l)
	if e.Name == "" {
		return nil
	}
	if l.verdict == nil {
		return errors.New("the experiment ended without a verdict")
	}
	if !*l.verdict {
		return errors.New("the claim of " + e.Name + " does not hold")
	}
	return nil
}

// waitForReturn reads a line from the keyboard, unless the story is stopped.
func waitForReturn(ctx context.Context,
	ask func(string)) func(prompt string) {
	lines := make(chan bool, 1)
	var asked atomic.Bool
	go func() {
		keyboard := bufio.NewScanner(os.Stdin)
		for keyboard.Scan() {
			if asked.Swap(false) { // else it came too early: no answer
				lines <- true
			}
		}
		close(lines)
	}()
	return func(prompt string) {
		if ctx.Err() != nil {
			return
		}
		asked.Store(true)
		ask(inset + prompt)
		defer ask("")
		select {
		case <-lines:
		case <-ctx.Done():
		}
	}
}
