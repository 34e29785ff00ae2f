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
