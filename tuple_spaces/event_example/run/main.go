// Run has a publisher write events into a tuple space, and subscribers read
// them, or makes an experiment with them.
//
//	go run ./tuple_spaces/event_example/run
//	go run ./tuple_spaces/event_example/run fall-behind
package main

import (
	"distsys/internal/lab"
)

const received = "received event "

func main() {
	lab.Main("tuple_spaces/event_example",
		"A publisher writes events that expire; subscribers read them.",
		story,
		lab.Experiment{Name: "fall-behind", Run: fallBehind,
			Claim: "A subscriber that falls behind says which events it has" +
				" missed, and goes on; another misses none."},
	)
}

func begin(l *lab.Lab, interval string) (start func(program string,
	args ...string) *lab.Process) {
	address := l.Address()
	server := l.Start("tuple_spaces/server", "-bind", address)
	server.WaitFor("listening")
	server.Mute() // its side of it is not what this is about
	return func(program string, args ...string) *lab.Process {
		args = append([]string{"-connect", address}, args...)
		if program == "publisher" {
			args = append([]string{"-interval", interval}, args...)
		}
		return l.Start("tuple_spaces/event_example/"+program, args...)
	}
}

func story(l *lab.Lab) {
	start := begin(l, "500ms")
	l.Step("subscribers A and B wait for events, which a publisher writes")
	a, b := start("subscriber", "A"), start("subscriber", "B")
	a.WaitFor("waiting")
	b.WaitFor("waiting")
	start("publisher", "-count", "6").Wait()
	a.WaitFor("received event 5 ")
	b.WaitFor("received event 5 ")
}

func fallBehind(l *lab.Lab) {
	start := begin(l, "500ms")
	l.Step("subscribers A and B read what a publisher writes")
	a, b := start("subscriber", "A"), start("subscriber", "B")
	a.WaitFor("waiting")
	b.WaitFor("waiting")
	start("publisher")
	a.WaitFor("received event 1 ")
	b.WaitFor("received event 1 ")

	l.Step("B is frozen until ten more events have come")
	b.Freeze()
	a.WaitForNumber(received, b.LastNumber("received event ")+10)

	l.Step("B wakes")
	b.Thaw()
	b.WaitFor("missed events")
	b.WaitForNumber(received, a.LastNumber("received event ")+2)
	b.Stop()
	a.WaitForNumber(received, b.LastNumber("received event "))
	a.Stop()

	// What B has read and what it says it has missed make up the whole.
	got, all := lab.Numbers(received, b), lab.Numbers(received, a)
	said := 0
	for _, line := range b.Lines() {
		first, ok := lab.Number("missed events ", line)
		last, ok2 := lab.Number(" to ", line)
		if ok && ok2 {
			said += last - first + 1
		}
	}
	last := b.LastNumber(received)
	missed := lab.Missing(all, got)
	l.Verdict(missed > 0 && len(got)+said == last+1 && len(all) > last &&
		lab.Count("missed", a) == 0,
		"%d events: A read all of them; B read %d, and said that it missed "+
			"%d", last+1, len(got), said)
}
