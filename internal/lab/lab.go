// Package lab runs the suite's programs as real processes: it builds and
// starts them, shows what they print, waits for a line, stops or kills one.
// The run programs tell their stories and make their experiments with it,
// and the tests use the same.
package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

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

// A Lab is one story or experiment: the processes it starts, and the screen
// that shows them.
type Lab struct {
	ctx    context.Context
	screen *screen
	step   func()              // waits for Return, where that was asked for
	fail   func(reason string) // ends the story; does not return
	bin    *bin

	mu        sync.Mutex
	changed   *sync.Cond // a line was printed, or a process ended
	processes []*Process
	panes     *panes // nil: all is shown on the screen
	cleanups  []func()
	verdict   *bool
	beside    string
}

// New returns a lab that writes what happens to out. A story that cannot go
// on ends by a call of fail, which must not return. Whoever calls New calls
// Close in the end.
func New(ctx context.Context, out io.Writer,
	fail func(reason string)) (*Lab, error) {
	b, remove, err := openBin()
	if err != nil {
		return nil, err
	}
	l := &Lab{ctx: ctx, screen: newScreen(out), bin: b, fail: fail,
		step: func() {}}
	l.changed = sync.NewCond(&l.mu)
	l.Cleanup(remove)
	return l, nil
}

// Context ends when the lab is told to stop.
func (l *Lab) Context() context.Context { return l.ctx }

// Address returns a ZeroMQ address of this machine that nobody uses.
func (l *Lab) Address() string {
	return fmt.Sprintf("tcp://127.0.0.1:%d", local.FreePort())
}

// Say tells the audience something.
func (l *Lab) Say(format string, args ...any) {
	l.screen.note(fmt.Sprintf(format, args...))
}

// Line shows a line as if a program had printed it.
func (l *Lab) Line(role, text string) { l.screen.line(role, text) }

// Step tells what comes next, at a turning point of the story; where the
// lecturer asked for steps it then waits for Return.
func (l *Lab) Step(format string, args ...any) {
	l.Say(format, args...)
	l.step()
}

// Verdict ends an experiment: it stops what still runs, then says what was
// counted, and whether the claim holds.
func (l *Lab) Verdict(holds bool, format string, args ...any) {
	l.stopAll()
	l.verdict = &holds
	if l.beside != "" {
		l.screen.heading(l.beside)
	}
	l.screen.verdict(holds, fmt.Sprintf(format, args...))
}

// Fail ends the story, which cannot go on.
func (l *Lab) Fail(reason string) { l.fail(reason) }

// Beside has a line shown just above the verdict, to compare it with.
func (l *Lab) Beside(line string) { l.beside = line }

// Check ends the story where err is not nil.
func (l *Lab) Check(err error) {
	if err != nil {
		l.fail(err.Error())
	}
}

// Cleanup has f called when the story is over, however it ends.
func (l *Lab) Cleanup(f func()) {
	l.cleanups = append(l.cleanups, f)
}

// WaitUntil waits until done, which is looked at each time that a process
// prints a line or ends. The story ends where that takes too long; what says
// what it was waiting for.
func (l *Lab) WaitUntil(what string, done func() bool) {
	late := false
	wake := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	}
	timer := time.AfterFunc(Patience, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		late = true
		l.changed.Broadcast()
	})
	defer timer.Stop()
	defer context.AfterFunc(l.ctx, wake)()
	l.mu.Lock()
	for !done() && !late && l.ctx.Err() == nil {
		l.changed.Wait()
	}
	ok := done()
	l.mu.Unlock()
	if !ok {
		l.fail(fmt.Sprintf("waited in vain for %s", what))
	}
}

// Count says how many lines the processes have printed that hold text.
func Count(text string, processes ...*Process) int {
	if len(processes) == 0 {
		return 0
	}
	l := processes[0].lab
	l.mu.Lock()
	defer l.mu.Unlock()
	return count(text, processes)
}

func count(text string, processes []*Process) (n int) {
	for _, p := range processes {
		for _, line := range p.lines {
			if strings.Contains(line, text) {
				n++
			}
		}
	}
	return n
}

// Numbers says how often the processes have printed each number that follows
// text, such as those of "handled order 7 worth 17" after "handled order ".
func Numbers(text string, processes ...*Process) map[int]int {
	if len(processes) == 0 {
		return nil
	}
	l := processes[0].lab
	l.mu.Lock()
	defer l.mu.Unlock()
	return numbers(text, processes)
}

func numbers(text string, processes []*Process) map[int]int {
	times := map[int]int{}
	for _, p := range processes {
		for _, line := range p.lines {
			if number, ok := Number(text, line); ok {
				times[number]++
			}
		}
	}
	return times
}

// Number returns the number that follows text in a line.
func Number(text, line string) (number int, ok bool) {
	_, rest, found := strings.Cut(line, text)
	if !found {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool {
		return r < '0' || r > '9'
	})
	if end < 0 {
		end = len(rest)
	}
	number, err := strconv.Atoi(rest[:end])
	return number, err == nil
}

// WaitForNumbers waits until the processes have printed n different numbers
// that follow text.
func (l *Lab) WaitForNumbers(text string, n int, processes ...*Process) {
	l.WaitUntil(fmt.Sprintf("%d different %q", n, text), func() bool {
		return len(numbers(text, processes)) >= n
	})
}

// Missing counts the numbers that are in all but not in some.
func Missing(all, some map[int]int) (missing int) {
	for number := range all {
		if some[number] == 0 {
			missing++
		}
	}
	return missing
}

// WaitForCount waits until the processes have printed n lines, counted over
// all of them, that hold text.
func (l *Lab) WaitForCount(text string, n int, processes ...*Process) {
	l.WaitUntil(fmt.Sprintf("%d lines with %q", n, text), func() bool {
		return count(text, processes) >= n
	})
}

// Close stops what still runs and undoes what was set up.
func (l *Lab) Close() {
	l.stopAll()
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

func (l *Lab) stopAll() {
	l.mu.Lock()
	processes := l.processes
	l.mu.Unlock()
	for _, p := range processes {
		p.interrupt()
	}
	for _, p := range processes {
		p.end()
	}
}
