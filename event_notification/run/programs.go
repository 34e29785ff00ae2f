package main

import (
	"distsys/internal/lab"
)

// The experiments count lines with these texts.
const (
	published = "published event "
	received  = "received TEMP event "
)

// publisher starts a publisher at an address.
func publisher(l *lab.Lab, address string, args ...string) *lab.Process {
	return l.Start("event_notification/publisher",
		append([]string{"-bind", address}, args...)...)
}

// subscriber starts a subscriber that follows the publisher at an address.
func subscriber(l *lab.Lab, address, id string,
	args ...string) *lab.Process {
	args = append([]string{"-connect", address}, args...)
	s := l.Start("event_notification/subscriber", append(args, id)...)
	s.WaitFor("subscribing")
	return s
}

// missed returns how many of the events from 0 to last were not received.
func missed(received map[int]int, last int) (n int) {
	for seq := range last + 1 {
		if received[seq] == 0 {
			n++
		}
	}
	return n
}
