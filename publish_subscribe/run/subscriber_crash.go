package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// subscriberCrash kills a subscriber that has received an event and not
// acknowledged it yet.
func subscriberCrash(l *lab.Lab) {
	const count = 10
	url := brokerlab.Vhost(l)
	l.Step("a subscriber takes long for each event")
	first := subscriber(l, url, "A", "-work", "1h")
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval", "50ms")
	first.WaitFor(received)
	l.Step("it crashes while it handles one")
	first.Kill()
	status := p.Wait()

	l.Step("it is started again")
	second := subscriber(l, url, "A")
	l.WaitForNumbers(handled, count, second)
	sent := lab.Numbers(published, p)
	lost := lab.Missing(sent, lab.Numbers(handled, first, second))
	again := lab.Count("(redelivered)", second)
	l.Verdict(status == 0 && len(sent) == count && lost == 0 && again == 1,
		"%d sent, %d handled, %d redelivered, %d lost", len(sent),
		len(lab.Numbers(handled, first, second)), again, lost)
}
