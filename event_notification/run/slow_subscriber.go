package main

import (
	"strings"

	"distsys/internal/lab"
)

// slowSubscriber freezes one of two subscribers until the publisher drops
// events that are meant for it.
func slowSubscriber(l *lab.Lab) {
	address := l.Address()

	l.Step("two subscribers, and a thousand large events a second")
	quick := subscriber(l, address, "quick").Mute()
	slow := subscriber(l, address, "slow").Mute()

	// A long topic makes the events large (8 KB), so that the queues and the
	// system's buffers are full within seconds.
	topic := "TEMP" + strings.Repeat(".", 8000)
	p := publisher(l, address, "-wait", "2", "-interval", "1ms", "-topic",
		topic).Mute()
	slow.WaitFor("event 100 ")

	l.Step("one of them stops taking events, but stays connected")
	slow.Freeze()
	p.WaitFor("event 4000 ")

	l.Step("it goes on, and takes what has been kept for it")
	slow.Thaw()
	thawed := p.LastNumber(published)
	slow.WaitForNumber(" event ", thawed+1)
	quick.WaitForNumber(" event ", thawed+1)
	p.Stop()

	missedQuick := missed(lab.Numbers(" event ", quick), thawed)
	missedSlow := missed(lab.Numbers(" event ", slow), thawed)
	l.Verdict(missedQuick == 0 && missedSlow > 0,
		"%d published; the quick subscriber missed %d, the slow one %d",
		thawed+1, missedQuick, missedSlow)
}

var slowSubscriberWithout = []lab.Without{
	{Name: "no-limit", Cure: true, Edit: lab.Edit{
		File: "event_notification/publisher/main.go",
		Line: "	if err := socket.SetXpubVerboser(1); err != nil {\n",
		Become: "	if err := socket.SetSndhwm(0); err != nil { // no limit\n" +
			"		return err\n	}\n" +
			"	if err := socket.SetXpubVerboser(1); err != nil {\n"},
		Watch: "Without the high-water mark of 1000 events the publisher keeps " +
			"them all, in its memory, however many that are."},
}
