// Package lab runs the suite's programs as real processes: it builds and
// starts them, waits for a line that they print, stops or kills one, and
// counts. The run programs tell their stories and run their experiments with
// it, and the tests use the same. What happens is shown by screens.
package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"distsys/internal/lab/record"
	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

// Patience is how long a lab waits for anything before it gives up: far
// longer than anything takes, on a slow machine that is busy.
var Patience = 2 * time.Minute

func init() {
	if d, err := time.ParseDuration(os.Getenv("DISTSYS_PATIENCE")); err == nil {
		Patience = d
	}
}

// A Lab is one story or experiment: the processes it starts, and the screens
// that show them.
type Lab struct {
	ctx  context.Context
	fail func(reason string) // ends the story; does not return
	bin  *bin
	step func() // waits for Return, if that was asked for

	showing sync.Mutex
	screens []record.Screen
	begun   time.Time
	sources bool // the screens want to know which line of source is executed

	mu        sync.Mutex
	changed   *sync.Cond // a line was printed, or a process ended
	processes []*Process
	cleanups  []func()
	verdict   *bool
	outcome   record.Event // the verdict once more
	beside    string

	processes0 int           // of an earlier run on the same screens
	longest    time.Duration // that it has waited for something

	// A run without the line that makes the claim true waits in vain, as a
	// rule. It then goes on, and counts what is there.
	goesOn   bool
	limit    time.Duration // of a wait
	deadline time.Duration // of the whole
	inVain   int           // waits

	closing   bool                    // nothing is started any more
	takenOver bool                    // by the lecturer: the story is over
	free      bool                    // it is no story, but free play
	endStory  context.CancelCauseFunc // ends the story's waiting

	stageState
}

// New returns a lab that shows what happens on out. A story that cannot go
// on ends by a call of fail, which must not return. Whoever calls New calls
// Close in the end.
func New(ctx context.Context, out io.Writer,
	fail func(reason string)) (*Lab, error) {
	b, remove, err := openBin()
	if err != nil {
		return nil, err
	}
	l := newLab(ctx, b, fail)
	l.Show(screen.NewPlain(out))
	l.Cleanup(remove)
	return l, nil
}

func newLab(ctx context.Context, b *bin, fail func(reason string)) *Lab {
	l := &Lab{bin: b, fail: fail, step: func() {}, begun: time.Now()}
	l.whole = ctx
	l.ctx, l.endStory = context.WithCancelCause(ctx)
	l.changed = sync.NewCond(&l.mu)
	return l
}

// Show adds a screen, which is shown all that happens from here on.
func (l *Lab) Show(s record.Screen) {
	l.showing.Lock()
	defer l.showing.Unlock()
	l.screens = append(l.screens, s)
}

// happened shows an event on all screens. It takes place now, unless it
// knows its time already.
func (l *Lab) happened(e record.Event) {
	l.showing.Lock()
	defer l.showing.Unlock()
	if e.Time == 0 {
		e.Time = time.Since(l.begun)
	}
	for _, s := range l.screens {
		s.Show(e)
	}
}

// Context ends when the lab is told to stop.
func (l *Lab) Context() context.Context { return l.ctx }

// Address returns a ZeroMQ address of this machine that nobody uses.
func (l *Lab) Address() string {
	return fmt.Sprintf("tcp://127.0.0.1:%d", local.FreePort())
}

// TempDir returns a new folder, which is there for as long as the lab.
func (l *Lab) TempDir() string {
	dir, remove, err := local.Folder("distsys-lab-")
	l.Check(err)
	l.Cleanup(remove)
	return dir
}

// Say tells the audience something.
func (l *Lab) Say(format string, args ...any) {
	l.happened(record.Event{Kind: record.Say, Text: fmt.Sprintf(format,
		args...)})
}

// Line shows a line as if a program with that role had printed it.
func (l *Lab) Line(role, text string) {
	l.happened(record.Event{Kind: record.Print, Role: role, Label: role,
		Text: text})
}

// Step tells the audience what comes next, at a turning point of the story.
// With -step it then waits for Return, with -stage for a click.
func (l *Lab) Step(format string, args ...any) {
	l.stillTold()
	l.happened(record.Event{Kind: record.Step, Text: fmt.Sprintf(format,
		args...)})
	l.step()
	l.stillTold()
}

// Verdict ends an experiment: it stops what still runs, then says what was
// counted, and whether the claim holds.
func (l *Lab) Verdict(holds bool, format string, args ...any) {
	l.mu.Lock()
	l.verdict = &holds // from here on nobody can take over
	l.mu.Unlock()
	l.stillTold()
	l.stopAll()
	holds = holds && l.inVain == 0
	l.mu.Lock()
	l.verdict = &holds
	l.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	l.outcome = record.Event{Kind: record.Outcome, Holds: holds, Text: text}
	l.happened(record.Event{Kind: record.Verdict, Holds: holds,
		Beside: l.beside, Text: text})
}

// Beside has a line shown just above the verdict, to compare the two.
func (l *Lab) Beside(line string) { l.beside = line }

// Fail ends the story, which cannot go on, for the reason given.
func (l *Lab) Fail(reason string) { l.fail(reason) }

// Check ends the story if err is not nil.
func (l *Lab) Check(err error) {
	if err != nil {
		l.fail(err.Error())
	}
}

// Cleanup has f called when the story is over, however it ends; what was
// added last is called first.
func (l *Lab) Cleanup(f func()) {
	l.cleanups = append(l.cleanups, f)
}

// Close stops what still runs and undoes what was set up. A second Close does
// nothing.
func (l *Lab) Close() {
	l.mu.Lock()
	l.closing = true
	l.changed.Broadcast()
	l.mu.Unlock()
	l.endStory(nil) // what is waited for will not come any more
	l.pressed.Wait()
	l.stopAll()
	for _, undo := range slices.Backward(l.cleanups) {
		undo()
	}
	l.cleanups = nil
}

func (l *Lab) stopAll() {
	l.mu.Lock()
	processes := l.processes
	l.mu.Unlock()
	for _, p := range processes {
		p.interrupt("at the end")
	}
	for _, p := range processes {
		p.end()
	}
}
