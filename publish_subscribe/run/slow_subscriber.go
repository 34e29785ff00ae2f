package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// slowSubscriber has a publisher be faster than one of two subscribers.
func slowSubscriber(l *lab.Lab) {
	const count = 100
	url := brokerlab.Vhost(l)
	l.Step("two subscribers, one of which takes 10 ms for each event")
	quick := subscriber(l, url, "quick").Mute()
	slow := subscriber(l, url, "slow", "-work", "10ms").Mute()
	l.Step("a publisher publishes %d events as fast as it can", count)
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval",
		"0").Mute()
	status := p.Wait()
	l.WaitForNumbers(handled, count, quick)
	behind := count - len(lab.Numbers(handled, slow))
	l.Say("the quick subscriber has all; %d wait for the slow one, in its "+
		"queue", behind)
	l.WaitForNumbers(handled, count, slow)

	sent := lab.Numbers(published, p)
	missedQuick := lab.Missing(sent, lab.Numbers(handled, quick))
	missedSlow := lab.Missing(sent, lab.Numbers(handled, slow))
	l.Verdict(status == 0 && len(sent) == count && behind > 0 &&
		missedQuick == 0 && missedSlow == 0,
		"%d published; the quick subscriber missed %d, the slow one %d "+
			"(it was %d behind)", len(sent), missedQuick, missedSlow, behind)
}
