package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// lateBinding has a publisher begin before there is any queue.
func lateBinding(l *lab.Lab) {
	const count = 10
	url := brokerlab.Vhost(l)
	l.Step("a publisher; no subscriber has ever been there")
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval", "200ms")
	p.WaitFor("no subscriber yet: event 2 dropped")
	l.Say("a subscriber makes its queue") // no Step: the publisher goes on
	s := subscriber(l, url, "A")
	status := p.Wait()
	sent := lab.Numbers(published, p)
	dropped := lab.Numbers("no subscriber yet: event ", p)
	l.WaitForNumbers(handled, len(sent), s)
	got := lab.Numbers(handled, s)
	l.Verdict(status == 0 && len(dropped) >= 3 && len(sent) > 0 &&
		len(sent)+len(dropped) == count && lab.Missing(sent, got) == 0 &&
		lab.Missing(dropped, got) == len(dropped),
		"%d sent, %d reported as dropped, %d handled", count,
		len(dropped), len(got))
}
