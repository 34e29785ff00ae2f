package main

import (
	"distsys/internal/lab"
)

// slowJoiner has a publisher begin with and without waiting for a subscriber
// that was there before it.
func slowJoiner(l *lab.Lab) {
	const count = 50

	// follow returns how many events a subscriber misses that was there before
	// the publisher and followed it to the end.
	follow := func(wait string) int {
		address := l.Address()
		s := subscriber(l, address, "wait-"+wait)
		p := publisher(l, address, "-wait", wait, "-interval", "20ms",
			"-count", "50")
		p.Wait()
		s.WaitForNumber(received, count-1)
		s.Stop()
		return missed(lab.Numbers(received, s), count-1)
	}

	l.Step("a subscriber, then a publisher that does not wait for it")
	hasty := follow("0")
	// On a busy machine the subscriber may just be quick enough: once more.
	for range 4 {
		if hasty == 0 {
			hasty = follow("0")
		}
	}

	l.Step("a subscriber, then a publisher with -wait 1")
	patient := follow("1")

	l.Verdict(hasty > 0 && patient == 0,
		"of %d events the subscriber missed %d without -wait, %d with -wait 1",
		count, hasty, patient)
}

var slowJoinerWithout = []lab.Without{
	{Name: "wait", Edit: lab.Edit{File: "event_notification/publisher/main.go",
		Line:   "audience.await(*wait)",
		Become: "audience.await(0)"},
		Watch: "Without the wait, -wait 1 changes nothing: the first events " +
			"reach nobody."},
}
