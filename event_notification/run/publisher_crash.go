package main

import (
	"distsys/internal/lab"
)

// publisherCrash kills a publisher that two subscribers follow, and starts it
// again.
func publisherCrash(l *lab.Lab) {
	address := l.Address()

	l.Step("two subscribers follow a publisher, which crashes")
	subscribers := []*lab.Process{subscriber(l, address, "1"),
		subscriber(l, address, "2")}
	first := publisher(l, address, "-wait", "2", "-interval", "50ms")
	for _, s := range subscribers {
		s.WaitForNumber(received, 3)
	}
	first.Kill()

	// On a busy machine a subscriber may just be back in time for the first
	// event. Frozen for a moment, it is certain to come late.
	for _, s := range subscribers {
		s.Freeze()
	}

	l.Step("it is started again, does not wait, and calls its events TEMP2")
	second := publisher(l, address, "-interval", "50ms", "-topic", "TEMP2")
	second.WaitFor(published)
	for _, s := range subscribers {
		s.Thaw()
	}
	second.WaitFor("subscribers: 2 ")
	second.WaitFor(published)

	here := second.LastNumber(published)
	back, gone := 0, 0
	for _, s := range subscribers {
		s.WaitForNumber("received TEMP2 event ", here)
		got := lab.Numbers("received TEMP2 event ", s)
		if got[here] > 0 {
			back++
		}
		gone += missed(got, here)
	}

	l.Verdict(back == len(subscribers) && gone >= len(subscribers),
		"%d of %d subscribers came back by themselves; together they "+
			"missed %d of the first events", back, len(subscribers), gone)
}

var publisherCrashWithout = []lab.Without{
	{Name: "reconnect", Edit: lab.Edit{
		File: "event_notification/subscriber/main.go",
		Line: "	err = socket.SetSubscribe(*wanted)\n",
		Become: "	socket.SetReconnectIvl(-1) // do not connect again\n" +
			"	err = socket.SetSubscribe(*wanted)\n"},
		Watch: "ZeroMQ connects again by itself, unless it is told not to: " +
			"then nobody comes back."},
}
