package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a publisher with an event every second, two
// subscribers, each with a queue of its own, and the broker, which can be
// stopped. A subscriber that comes back gets the events of that time.
func scene(l *lab.Lab) {
	url := brokerlab.Stage(l).URL("/")
	for _, id := range []string{"1", "2"} {
		l.Start("publish_subscribe/subscriber", "-broker", url, "-work",
			"300ms", id)
	}
	l.Start("publish_subscribe/publisher", "-broker", url, "-count", "100000")
}
