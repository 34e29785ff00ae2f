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
	l.Step("two subscribers, one of which takes 30 ms for each event")
	quick := subscriber(l, url, "quick").Mute()
	slow := subscriber(l, url, "slow", "-work", "30ms").Mute()
	l.Step("a publisher publishes %d events, one every millisecond", count)
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval",
		"1ms").Mute()
	status := p.Wait()
	l.WaitForNumbers(handled, count, quick)
	behind := count - len(lab.Numbers(handled, slow))
	l.Say("the quick subscriber has all; %d wait for the slow one, in its "+
		"queue", behind)
	l.WaitForNumbers(handled, count, slow)

	sent := lab.Numbers(published, p)
	missedQuick := lab.Missing(sent, lab.Numbers(handled, quick))
	missedSlow := lab.Missing(sent, lab.Numbers(handled, slow))
	refused := lab.Count("not confirmed", p)
	l.Verdict(status == 0 && len(sent) == count && behind > 0 &&
		missedQuick == 0 && missedSlow == 0 && refused == 0,
		"%d published, %d refused; the quick subscriber missed %d, the slow "+
			"one %d (it was %d behind)", len(sent), refused, missedQuick,
		missedSlow, behind)
}

var slowSubscriberWithout = []lab.Without{
	{Name: "room", Edit: shortQueue("drop-head"),
		Watch: "a queue of ten events drops the oldest (to the dead letters)"},
	{Name: "refusal", Edit: shortQueue("reject-publish"),
		Watch: "a queue of ten events refuses more: the publisher is held up," +
			" and with it everybody"},
}

// shortQueue lets a queue hold ten events, and says what it does when it is
// full.
func shortQueue(overflow string) lab.Edit {
	const line = "\t\t\t\"x-dead-letter-routing-key\": dead,\n"
	return lab.Edit{File: queueFile, Line: line, Become: line +
		"\t\t\t\"x-max-length\": 10, \"x-overflow\": \"" + overflow + "\",\n"}
}
