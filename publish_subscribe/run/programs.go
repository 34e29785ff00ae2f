package main

import "distsys/internal/lab"

// How the lines begin that the programs print of an event's life.
const (
	published = "published event "
	dropped   = "dropped event "
	event     = "event " // published or dropped
	received  = "received event "
	handled   = "handled event "
)

// publisher starts a publisher.
func publisher(l *lab.Lab, url string, args ...string) *lab.Process {
	return l.Start("publish_subscribe/publisher",
		append([]string{"-broker", url}, args...)...)
}

// subscriber starts a subscriber, and waits until its queue collects events.
func subscriber(l *lab.Lab, url, id string, args ...string) *lab.Process {
	args = append([]string{"-broker", url}, args...)
	s := l.Start("publish_subscribe/subscriber", append(args, id)...)
	s.WaitFor("waiting")
	return s
}
