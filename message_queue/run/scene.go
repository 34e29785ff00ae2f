package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a producer with an order every second, two consumers
// that share the work, and the broker, which can be stopped. Kill a consumer
// in the middle of its work: its order goes to the other one.
func scene(l *lab.Lab) {
	url := brokerlab.Stage(l).URL("/")
	for _, id := range []string{"1", "2"} {
		l.Start("message_queue/consumer", "-broker", url, "-work", "1500ms", id)
	}
	l.Start("message_queue/producer", "-broker", url, "-count", "100000")
}
