package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// offlineSubscriber stops a subscriber, and starts it again when seven events
// have been published.
func offlineSubscriber(l *lab.Lab) {
	url := brokerlab.Vhost(l)
	l.Step("a subscriber follows a publisher")
	before := subscriber(l, url, "A")
	p := publisher(l, url, "-interval", "200ms", "-count", "10000")
	first := before.NextNumber(handled)
	before.WaitFor(handled)

	l.Step("it goes away; the publisher goes on")
	before.Stop()
	left := p.LastNumber(event)
	p.WaitForNumber(event, left+7)

	l.Step("it is back")
	back := p.LastNumber(event)
	after := subscriber(l, url, "A")
	after.WaitForNumber(handled, back+3)
	p.Stop()
	after.Stop()

	got := lab.Numbers(handled, before, after)
	away, missed := 0, 0
	for seq := left + 1; seq <= back; seq++ {
		away++
		if got[seq] == 0 {
			missed++
		}
	}
	others := 0
	for seq := first; seq <= after.LastNumber(handled); seq++ {
		if got[seq] == 0 {
			others++
		}
	}
	others -= missed
	l.Verdict(away > 0 && missed == 0 && others == 0,
		"%d published while the subscriber was away, %d of them missed; "+
			"of the others %d", away, missed, others)
}

var offlineSubscriberWithout = []lab.Without{
	{Name: "lasting", Edit: lab.Edit{File: queueFile, Line: `if id == "" {`,
		Become: "if true {"},
		Watch: "the queue is temporary: it goes when the subscriber goes"},
	{Name: "keeping", Edit: lab.Edit{File: eventFile,
		Line:   "DeliveryMode: amqp.Persistent,",
		Become: `DeliveryMode: amqp.Persistent, Expiration: "300",`},
		Watch: "the broker keeps an event for 0.3 s, no longer"},
}
