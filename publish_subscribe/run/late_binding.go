package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// lateBinding has a publisher begin before there is any queue.
func lateBinding(l *lab.Lab) {
	const enough = 7
	url := brokerlab.Vhost(l)
	l.Step("a publisher; no subscriber has ever been there")
	p := publisher(l, url, "-count", "1000", "-interval", "200ms")
	p.WaitFor(dropped + "2 ")
	l.Say("a subscriber makes its queue") // no Step: the publisher goes on
	s := subscriber(l, url, "A")
	l.WaitForNumbers(handled, enough, s)
	p.Stop()
	status := p.Wait()
	count := p.LastNumber(published) + 1
	sent := lab.Numbers(published, p)
	gone := lab.Numbers(dropped, p)
	l.WaitForNumbers(handled, len(sent), s)
	got := lab.Numbers(handled, s)
	l.Verdict(status == 0 && len(gone) >= 3 && len(sent) > 0 &&
		len(sent)+len(gone) == count && lab.Missing(sent, got) == 0 &&
		lab.Missing(gone, got) == len(gone),
		"%d sent, %d reported as dropped, %d handled", count,
		len(gone), len(got))
}

var lateBindingWithout = []lab.Without{
	{Name: "mandatory", Edit: lab.Edit{File: publisherFile,
		Line:   "const mandatory, immediate = true, false",
		Become: "const mandatory, immediate = false, false"},
		Watch: "the first events are gone, and nobody says so"},
}
