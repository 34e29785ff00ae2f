package main

import (
	"distsys/internal/lab"
)

// offlineSubscriber stops a subscriber, and starts it again six events later.
func offlineSubscriber(l *lab.Lab) {
	address := l.Address()

	l.Step("a subscriber follows a publisher")
	p := publisher(l, address, "-wait", "1", "-interval", "200ms")
	before := subscriber(l, address, "A")
	p.WaitFor("subscribers: 1")
	before.WaitForNumber(received, 3)

	l.Step("it goes away; the publisher goes on")
	before.Stop()
	p.WaitFor("subscribers: 0")
	left := p.NextNumber(published)
	p.WaitForNumber(published, left+6)

	l.Step("it is back")
	after := subscriber(l, address, "A")
	p.WaitFor("subscribers: 1")
	back := p.NextNumber(published)
	after.WaitForNumber(received, back+3)
	p.Stop()
	after.Stop()

	// The publisher hears that a subscriber is gone before its next event,
	// or, if that is due at that very moment, after it.
	got := lab.Numbers(received, before, after)
	others := missed(got, after.LastNumber(received))
	away := 0
	for seq := left; seq < back; seq++ {
		if got[seq] == 0 {
			away++
			others--
		}
	}
	l.Verdict(away == back-left && others <= 1,
		"%d published while the subscriber was away, %d of them missed; "+
			"of the others %d", back-left, away, others)
}

var offlineSubscriberWithout = []lab.Without{
	{Name: "history", Cure: true, Edit: lab.Edit{
		File: "event_notification/publisher/main.go",
		Line: "	for seq := 0; ; seq++ {\n",
		Become: "	var history []string\n	before := 0\n" +
			"	for seq := 0; ; seq++ {\n"},
		And: []lab.Edit{{File: "event_notification/publisher/main.go",
			Line: "		e := event.Measure(seq)\n",
			Become: "		if audience.subscriptions > before { // again, to everybody\n" +
				"			for _, frame := range history {\n" +
				"				socket.Send(frame, 0)\n			}\n		}\n" +
				"		before = audience.subscriptions\n" +
				"		e := event.Measure(seq)\n" +
				"		history = append(history, e.Frame(*topic))\n"}},
		Watch: "The publisher keeps all events, and publishes them once more " +
			"whenever somebody comes. That is what a broker does, and better."},
}
