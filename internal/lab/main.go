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
	"distsys/internal/lab/record"
	"distsys/internal/lab/screen"
	"distsys/internal/lab/tmux"
)

// An Experiment shows one claim with the real programs and ends with a
// verdict, counted from what they printed.
type Experiment struct {
	Name  string
	Claim string // what it shows, in one sentence
	Run   func(l *Lab)

	Without   []Without // the lines that make it true
	NoWithout string    // why there is none, if there is none
}

// withouts returns the names of the lines that can be left out.
func (e Experiment) withouts() (names []string) {
	for _, w := range e.Without {
		names = append(names, w.Name)
	}
	return names
}

// How a story is shown: the flags of a run program.
type view struct {
	step, tmux, brief *bool
	record            *string
	stage             stageView
}

func viewFlags() view {
	return view{
		step: flag.Bool("step", false,
			"wait for Return at each turning point"),
		tmux: flag.Bool("tmux", false,
			"show each program in a tmux pane of its own, until Return"),
		brief: flag.Bool("brief", false,
			"sum up lines that differ in their numbers alone"),
		record: flag.String("record", "",
			"keep what happens in a `file`, as lines of JSON"),
		stage: stageFlags(),
	}
}

// Main is the main function of a pattern's run program: without a word it
// plays the pattern's story, with the name of an experiment it runs that.
func Main(pattern, what string, story func(l *Lab), all ...Experiment) {
	list := flag.Bool("list", false, "list the names of the experiments")
	without := flag.String("without", "",
		"run the experiment as it is, then without the line of that `name`;\n"+
			"-without alone lists the names")
	if n := len(os.Args); n > 1 && strings.Trim(os.Args[n-1], "-") == "without" {
		os.Args = append(os.Args, "list")
	}
	view := viewFlags()
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
		// If nobody reads on (run | head): end in good order, too.
		ctx, release := signal.NotifyContext(ctx, syscall.SIGPIPE)
		defer release()
		switch {
		case *list:
			for _, e := range all {
				fmt.Println(strings.Join(append([]string{e.Name},
					e.withouts()...), " "))
			}
			return nil
		case *without == "list":
			listWithout(all)
			return nil
		case *without == "check":
			return checkWithout(all)
		case *without != "" && flag.NArg() == 0:
			return unfit("-without %s needs an experiment, as in: -without "+
				"%s %s", *without, *without, strings.Join(names, "|"))
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
		if err := view.refuse(); err != nil {
			return err
		}
		if *view.tmux {
			if err := tmux.Check(); err != nil {
				return err
			}
			if !tmux.Inside() {
				status, err := tmux.Session(ctx)
				if err == nil && status != 0 {
					os.Exit(status)
				}
				return err
			}
		}
		var err error
		if *without != "" {
			err = tellWithout(ctx, view, pattern, chosen, *without)
		} else {
			err = tell(ctx, view, pattern, chosen)
		}
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

// tell tells a story or an experiment from beginning to end.
func tell(ctx context.Context, view view, pattern string,
	e Experiment) (err error) {
	bin, remove, err := openBin()
	if err != nil {
		return err
	}
	l := newLab(ctx, bin, giveUp)
	l.Cleanup(remove)
	defer l.Close()
	if *view.stage.free {
		l.free, e = true, view.stage.scene()
	}
	if err := l.bin.prepare(pattern); err != nil {
		return err
	}
	closeScreens, err := l.open(view)
	defer func() { err = errors.Join(err, closeScreens(err)) }()
	if err != nil {
		return err
	}
	l.begin(pattern, e, "")
	return l.play(e)
}

// begin begins a story, or an experiment without one of its lines.
func (l *Lab) begin(pattern string, e Experiment, without string) {
	if l.free {
		e.Name = "free play"
	}
	l.begun = time.Now()
	l.happened(record.Event{Kind: record.Begin, Version: record.Version,
		Pattern: pattern, Name: e.Name, Claim: e.Claim, Without: without,
		Text: l.begun.UTC().Format(time.RFC3339Nano)})
}

// play tells it, once all is set up.
func (l *Lab) play(e Experiment) (err error) {
	defer func() {
		if l.isTakenOver() { // there is no verdict
			err = nil
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

// open opens the screens of a view. The function that it returns closes them
// when the story is over, whether or not that has failed.
func (l *Lab) open(view view) (closeAll func(failed error) error, err error) {
	var closers []func(failed error) error
	closeAll = func(failed error) (err error) {
		for _, close := range slices.Backward(closers) {
			err = errors.Join(err, close(failed))
		}
		return err
	}
	if *view.record != "" {
		file, err := os.Create(*view.record)
		if err != nil {
			return closeAll, fmt.Errorf("keep a record: %w", err)
		}
		writer := record.NewWriter(file)
		l.Show(writer)
		l.sources = true
		closers = append(closers, func(error) error {
			l.over()
			return errors.Join(writer.Flush(), file.Close())
		})
	}
	ask := func(string) {}
	if *view.step || *view.tmux {
		ask = l.waitForReturn()
	}
	if *view.step {
		l.step = func() { ask("(Return goes on) ") }
	}
	switch {
	case *view.tmux:
		panes, err := tmux.Open(os.Stdout)
		closers = append(closers, func(failed error) error {
			l.stopAll()
			if failed != nil && l.ctx.Err() == nil {
				l.happened(record.Event{Kind: record.Fail,
					Text: failed.Error()})
			}
			ask("(Return closes the panes) ")
			panes.Close()
			return nil
		})
		if err != nil {
			return closeAll, err
		}
		l.Show(panes)
	case *view.brief:
		l.Show(screen.NewBrief(os.Stdout))
		closers = append(closers, func(error) error {
			l.over()
			return nil
		})
	default:
		l.Show(screen.NewPlain(os.Stdout))
	}
	if view.stage.wanted() {
		finish, err := l.openStage(view.stage)
		if err != nil {
			return closeAll, err
		}
		closers = append(closers, finish)
	}
	return closeAll, nil
}

// refuse returns why these flags do not go together, if they do not.
func (v view) refuse() error {
	switch {
	case v.stage.wanted() && *v.tmux:
		return errors.New("-tmux and -stage: choose one of them")
	case *v.stage.free && flag.NArg() > 0:
		return errors.New("-free is no experiment: leave out " + flag.Arg(0))
	}
	return nil
}

// waitForReturn returns what shows a prompt and reads a line from the
// keyboard, unless the story is stopped.
func (l *Lab) waitForReturn() func(prompt string) {
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
		if l.ctx.Err() != nil {
			return
		}
		asked.Store(true)
		l.happened(record.Event{Kind: record.Ask,
			Text: screen.Inset + prompt})
		defer l.happened(record.Event{Kind: record.Ask})
		select {
		case <-lines:
		case <-l.ctx.Done():
		}
	}
}
