package lab

import (
	"context"
	"fmt"
	"time"
)

// WaitUntil waits until done returns true; done is called each time that a
// process prints a line or ends, under the lab's lock. If that takes too
// long the story ends; what says what it was waiting for.
func (l *Lab) WaitUntil(what string, done func() bool) {
	l.mustGoOn()
	l.stillTold()
	begun := time.Now()
	late := false
	wake := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	}
	timer := time.AfterFunc(l.patience(), func() {
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
	l.longest = max(l.longest, time.Since(begun))
	l.mu.Unlock()
	l.stillTold()
	if !ok {
		l.vain("waited in vain for " + what + l.failure())
	}
}

// failure says which program was the last that ended with an error: that may be
// why another one waits.
func (l *Lab) failure() (text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.processes {
		if p.ended && p.status > 0 {
			text = fmt.Sprintf("; %s had ended (status %d)", p.label, p.status)
		}
	}
	return text
}

// patience is how long to wait. Having waited in vain once, a run without its
// line need not wait for long again.
func (l *Lab) patience() time.Duration {
	switch {
	case !l.goesOn:
		return Patience
	case l.inVain > 0:
		return time.Second
	}
	return l.limit
}

// vain ends the story, or, in a run that is expected to break, says why it
// has broken.
func (l *Lab) vain(reason string) {
	if !l.goesOn || l.ctx.Err() != nil {
		l.fail(reason)
	}
	l.inVain++
	l.Say("%s", reason)
}

// mustGoOn ends a run that is expected to break if it goes on for ever.
func (l *Lab) mustGoOn() {
	if l.goesOn && time.Since(l.begun) > l.deadline {
		l.fail(fmt.Sprintf("it was not over after %.0f s",
			l.deadline.Seconds()))
	}
}

// WaitForCount waits until the processes have printed n lines, counted over
// all of them, that hold text.
func (l *Lab) WaitForCount(text string, n int, processes ...*Process) {
	l.WaitUntil(fmt.Sprintf("%d lines with %q", n, text), func() bool {
		return count(text, processes) >= n
	})
}

// WaitForNumbers waits until the processes have printed n different numbers
// that follow text.
func (l *Lab) WaitForNumbers(text string, n int, processes ...*Process) {
	l.WaitUntil(fmt.Sprintf("%d different %q", n, text), func() bool {
		return len(numbers(text, processes)) >= n
	})
}
