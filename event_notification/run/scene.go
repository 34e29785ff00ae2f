package main

import (
	"distsys/internal/lab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a publisher with an event every second, and two
// subscribers. What is published while one is frozen it still gets; what is
// published while it is gone it does not.
func scene(l *lab.Lab) {
	address := l.Address()
	l.Start("event_notification/subscriber", "-connect", address, "1")
	l.Start("event_notification/subscriber", "-connect", address, "2")
	l.Start("event_notification/publisher", "-bind", address, "-wait", "2")
}
