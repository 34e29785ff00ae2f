package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab/record"
	"distsys/internal/lab/screen"
	"distsys/internal/lab/stage"
	"distsys/internal/local"
)

// How a story is shown on the stage: the flags of a run program.
type stageView struct {
	stage, free, open *bool
	port              *int
}

func stageFlags() stageView {
	v := stageView{
		stage: flag.Bool("stage", false,
			"show it on a page in the browser, with buttons"),
		open: flag.Bool("open", false,
			"open the page of -stage in the browser"),
		port: flag.Int("stage-port", 0,
			"the `port` of that page (default any that is free)"),
		free: new(bool),
	}
	if scene.play != nil {
		v.free = flag.Bool("free", false, "free play on that page: the "+
			"programs run, and all buttons are for use")
	}
	return v
}

// wanted says whether the stage is to be opened.
func (v stageView) wanted() bool { return *v.stage || *v.free || *v.open }

// A Button of a scene does what is no process: it stops the broker, say.
type Button struct {
	Name string
	Do   func() error
}

// scene is free play: what a pattern has registered.
var scene struct {
	play func(l *Lab)
}

// FreePlay registers a pattern's scene: a function that starts its programs,
// waits for nothing, and returns. The stage then leaves everything to the
// lecturer. It is called before Main.
func FreePlay(play func(l *Lab)) { scene.play = play }

// experiment returns the scene as what is to be played.
func (v stageView) scene() Experiment {
	return Experiment{Claim: "Free play: kill, freeze and start what you " +
		"like.", Run: scene.play}
}

// Buttons has the stage offer buttons, in place of those that it offers. The
// scene of a pattern uses it for what is no process, such as its broker.
func (l *Lab) Buttons(buttons ...Button) {
	l.mu.Lock()
	l.buttons = buttons
	var names []string
	for _, b := range buttons {
		names = append(names, b.Name)
	}
	l.mu.Unlock()
	if l.stage != nil {
		l.stage.Offer(names)
	}
}

// Press presses a button that is offered. Its work is done one click after
// the other; what goes wrong is shown.
func (l *Lab) Press(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closing:
		return errors.New("it is over: nothing runs any more")
	case l.button(name) == nil:
		return fmt.Errorf("there is no button %q", name)
	}
	l.pressed.Add(1)
	go func() {
		defer l.pressed.Done()
		l.pressing.Lock()
		defer l.pressing.Unlock()
		l.mu.Lock()
		do := l.button(name) // or the click before has taken it away
		l.mu.Unlock()
		if do == nil {
			return
		}
		if err := do(); err != nil {
			l.Say("%s: %v", name, err)
		}
	}()
	return nil
}

// button returns what the button of that name does, or nil.
func (l *Lab) button(name string) func() error {
	for _, b := range l.buttons {
		if b.Name == name {
			return b.Do
		}
	}
	return nil
}

// Repeat starts a program, and again each time that it has ended and a while
// has passed, until free play is over.
func (l *Lab) Repeat(pause time.Duration, program string, args ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pressed.Add(1)
	go func() {
		defer l.pressed.Done()
		for {
			p, err := l.launch(nil, program, args)
			if err != nil {
				return // it is over
			}
			l.mu.Lock()
			for !p.ended && !l.closing {
				l.changed.Wait()
			}
			over := l.closing
			l.mu.Unlock()
			if over || cli.Sleep(l.ctx, pause) != nil {
				return
			}
		}
	}()
}

// openStage opens the stage. The function that it returns waits until the
// lecturer has seen enough, and closes it.
func (l *Lab) openStage(v stageView) (finish func(failed error) error,
	err error) {
	s, err := stage.Open(*v.port, SourceText)
	if err != nil {
		return nil, err
	}
	l.Show(s)
	l.sources = true
	l.onStage(s)
	fmt.Println("the stage is at", s.URL())
	if *v.open {
		if err := browse(s.URL()); err != nil {
			fmt.Printf("no browser was opened (%v): open that address "+
				"yourself\n", err)
		}
	}
	return func(failed error) error {
		defer s.Close()
		if failed != nil && l.whole.Err() == nil {
			l.happened(record.Event{Kind: record.Fail, Text: failed.Error()})
		} else if l.isTakenOver() || l.free {
			// The programs are the lecturer's now.
			fmt.Println("the programs run until End on the page, or Ctrl-C")
			s.WaitForEnd(l.whole)
		}
		l.over()
		if l.whole.Err() == nil && !s.Ended() {
			fmt.Println("the page stays until End on it, or Ctrl-C")
			s.WaitForEnd(l.whole)
		}
		return nil
	}, nil
}

// onStage has the stage's buttons belong to this lab from here on.
func (l *Lab) onStage(s *stage.Stage) {
	if s == nil {
		return
	}
	l.stage = s
	s.Give(l)
	l.step = func() {
		s.Wait(l.ctx, func(waits bool) {
			e := record.Event{Kind: record.Ask}
			if waits {
				e.Text = screen.Inset + "(Next, on the page, goes on)\n"
			}
			l.happened(e)
		})
	}
}

// over ends the story: what still runs is stopped. It says so once.
func (l *Lab) over() {
	l.mu.Lock()
	said := l.saidOver
	l.saidOver, l.closing = true, true
	l.changed.Broadcast()
	l.mu.Unlock()
	l.endStory(nil)
	l.stopAll()
	if !said {
		l.happened(record.Event{Kind: record.Over})
	}
}

// SourceText returns the text of a source file of the module.
func SourceText(file string) ([]byte, error) {
	dir, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return stage.ReadIn(root, file)
}

// browse opens a page in the browser of this machine.
func browse(url string) error {
	command := "xdg-open"
	if runtime.GOOS == "darwin" {
		command = "open"
	}
	path, err := exec.LookPath(command)
	if err != nil {
		return err
	}
	browser := exec.Command(path, url)
	browser.SysProcAttr = local.OwnGroup()
	if err := browser.Start(); err != nil {
		return err
	}
	go browser.Wait()
	return nil
}

// The lab's part of the stage.
type stageState struct {
	whole   context.Context // until Ctrl-C in the terminal
	stage   *stage.Stage
	buttons []Button
	pressed sync.WaitGroup // clicks that are worked on

	pressing sync.Mutex // one of them at a time
	saidOver bool
}
