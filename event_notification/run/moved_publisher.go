package main

import (
	"fmt"

	"distsys/internal/lab"
)

// movedPublisher has a subscriber listen to the address that a publisher has
// left.
func movedPublisher(l *lab.Lab) {
	const events = 10
	before, after := l.Address(), l.Address()

	l.Step("a subscriber follows a publisher")
	old := subscriber(l, before, "A")
	p := publisher(l, before, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, old)
	heard := lab.Count(received, old)

	l.Step("the publisher moves to another address, which subscriber B knows")
	moved := subscriber(l, after, "B")
	p = publisher(l, after, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, moved)
	old.Stop()

	silent := lab.Count(received, old) - heard
	again := lab.Count(received, moved)
	l.Verdict(heard == events && silent == 0 && again == events,
		"%d events before it moved, A received %d; %d events after, "+
			"A received %d, B %d", events, heard, events, silent, again)
}

// A name that is looked up takes the place of an address that is known: here
// it is a file, elsewhere a name service.
var movedPublisherWithout = []lab.Without{
	{Name: "name", Cure: true, Edit: lab.Edit{
		File: "event_notification/publisher/main.go",
		Line: "	log.Printf(\"listening on %s\", ",
		Become: "	os.WriteFile(os.Getenv(\"DISTSYS_BIN\")+\"/name\", " +
			"[]byte(*bind), 0o600)\n	log.Printf(\"listening on %s\", "},
		And: []lab.Edit{
			{File: "event_notification/publisher/main.go",
				Line: "	\"strings\"\n", Become: "	\"os\"\n	\"strings\"\n"},
			{File: "event_notification/subscriber/main.go",
				Line: "	\"log\"\n", Become: "	\"log\"\n	\"os\"\n" +
					"	\"time\"\n"},
			{File: "event_notification/subscriber/main.go",
				Line: "	err = socket.SetSubscribe(*wanted)\n",
				Become: "	socket.SetRcvtimeo(50 * time.Millisecond)\n" +
					"	last := connect.String()\n" +
					"	err = socket.SetSubscribe(*wanted)\n"},
			{File: "event_notification/subscriber/main.go",
				Line: "		// From whichever publisher:",
				Become: "		name, _ := os.ReadFile(os.Getenv(" +
					"\"DISTSYS_BIN\") + \"/name\")\n" +
					"		if len(name) > 0 && string(name) != last {\n" +
					"			last = string(name)\n" +
					"			socket.Connect(last)\n		}\n" +
					"		// From whichever publisher:"},
			{File: "event_notification/subscriber/main.go",
				Line: "		if err != nil {\n" +
					"			return fmt.Errorf(\"receive an event: %w\", err)\n",
				Become: "		if err != nil && ctx.Err() == nil {\n" +
					"			continue // nothing yet: look up the name again\n" +
					"		}\n		if err != nil {\n" +
					"			return fmt.Errorf(\"receive an event: %w\", err)\n"}},
		Watch: "The publisher leaves its address in a file, and subscribers " +
			"look it up again and again: A hears it at the new one, too."},
}
