package main

import (
	"fmt"

	"distsys/internal/lab"
)

// movedPublisher has a subscriber listen to the address that a publisher has
// left.
func movedPublisher(l *lab.Lab) {
	const events = 10
	before, after := l.Address(), l.Address()

	l.Step("a subscriber follows a publisher")
	old := subscriber(l, before, "A")
	p := publisher(l, before, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, old)
	heard := lab.Count(received, old)

	l.Step("the publisher moves to another address, which subscriber B knows")
	moved := subscriber(l, after, "B")
	p = publisher(l, after, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, moved)
	old.Stop()

	silent := lab.Count(received, old) - heard
	again := lab.Count(received, moved)
	l.Verdict(heard == events && silent == 0 && again == events,
		"%d events before it moved, A received %d; %d events after, "+
			"A received %d, B %d", events, heard, events, silent, again)
}
