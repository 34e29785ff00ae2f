package main

import "distsys/internal/lab"

const received = "received event "

func fallBehind(l *lab.Lab) {
	s := newSpace(l)
	l.Step("subscribers A and B read what a publisher writes")
	a, b := s.subscriber("A"), s.subscriber("B")
	s.publisher()
	a.WaitForNumber(received, 1)
	b.WaitForNumber(received, 1)

	l.Step("B is frozen until ten more events have come")
	b.Freeze()
	a.WaitForNumber(received, b.LastNumber(received)+10)

	l.Step("B wakes")
	b.Thaw()
	b.WaitForNumber(received, a.LastNumber(received)+2)
	b.Stop()
	a.WaitForNumber(received, b.LastNumber(received))
	a.Stop()

	// What B has read, and what it says it has missed, make up the whole.
	last := b.LastNumber(received)
	read := len(lab.Numbers(received, b))
	said := saidMissed(b)
	readByA := 0
	for event := range lab.Numbers(received, a) {
		if event <= last {
			readByA++
		}
	}
	l.Verdict(said > 0 && read+said == last+1 && readByA == last+1 &&
		saidMissed(a) == 0,
		"%d events: A read %d of them; B read %d, and said that it missed %d",
		last+1, readByA, read, said)
}

// saidMissed returns how many events a subscriber says it has missed.
func saidMissed(subscriber *lab.Process) (events int) {
	for _, line := range subscriber.Lines() {
		first, ok := lab.Number("missed events ", line)
		last, also := lab.Number(" to ", line)
		if ok && also {
			events += last - first + 1
		}
	}
	return events
}

var fallBehindWithout = []lab.Without{
	{Name: "look", Edit: lab.Edit{File: subscriberFile,
		Line: "if found && seq > next {", Become: "if false {"},
		Watch: "B does not look at which events there are: it waits for one " +
			"that is gone, for ever."},
	{Name: "read", Edit: lab.Edit{File: subscriberFile,
		Line:   "space.Read(limited, \"temp\", next, sensor, &temp)",
		Become: "space.Take(limited, \"temp\", next, sensor, &temp)"},
		Watch: "A subscriber that takes an event out leaves it for nobody " +
			"else."},
	{Name: "keep-all", Cure: true, Edit: lab.Edit{
		File: "tuple_spaces/event_example/publisher/main.go",
		Line: "if seq >= kept {", Become: "if false {"},
		Watch: "No event is taken out, and B misses none. But the space " +
			"grows for as long as the publisher runs."},
}

const subscriberFile = "tuple_spaces/event_example/subscriber/main.go"
