// Run has a publisher write events into a tuple space and subscribers read
// them, or runs an experiment with them.
//
//	go run ./tuple_spaces/event_example/run
//	go run ./tuple_spaces/event_example/run fall-behind
package main

import "distsys/internal/lab"

func main() {
	lab.Main("tuple_spaces/event_example",
		"A publisher writes events into a space and takes out the old ones; "+
			"subscribers read them.",
		story,
		lab.Experiment{Name: "fall-behind", Run: fallBehind,
			Without: fallBehindWithout,
			Claim: "A subscriber that falls behind says which events it has" +
				" missed, and goes on; the other one misses none."},
	)
}

func story(l *lab.Lab) {
	s := newSpace(l)
	l.Step("subscribers A and B wait for events, which a publisher writes")
	a, b := s.subscriber("A"), s.subscriber("B")
	s.publisher("-count", "6").Wait()
	a.WaitFor("received event 5 ")
	b.WaitFor("received event 5 ")
}
