package main

import (
	"distsys/internal/lab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a pusher, two workers of which one is slower, and a
// sink. A worker that is killed takes the orders in its queue with it.
func scene(l *lab.Lab) {
	p := newLine(l)
	l.Start("pipeline/sink", "-bind", p.sink)
	for _, w := range [][2]string{{"1s", "fast"}, {"3s", "slow"}} {
		l.Start("pipeline/worker", "-connect", p.source, "-sink", p.sink,
			"-work", w[0], w[1])
	}
	l.Start("pipeline/pusher", "-bind", p.source, "-wait", "2", "-count", "0")
}
