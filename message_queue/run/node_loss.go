package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	messagequeue "distsys/message_queue"
)

// nodeLoss kills the broker that leads the queue, of three that keep it.
func nodeLoss(l *lab.Lab) {
	const count = 300
	nodes, urls := brokerlab.Cluster(l)
	c := consumer(l, urls, "1", "-work", "1ms", "-prefetch", "5").Mute()
	p := producer(l, urls, "-count", fmt.Sprint(count), "-interval",
		"20ms").Mute()
	p.WaitFor(submitted + "50 ")
	name, err := nodes[0].Leader(l.Context(), "/", messagequeue.Queue)
	l.Check(err)
	for _, node := range nodes {
		if node.Name == name {
			l.Step("%s leads the queue; it crashes", name)
			l.Check(node.Kill())
		}
	}
	if p.Wait() != 0 {
		l.Fail("the producer gave up")
	}
	l.WaitForNumbers(handled, count, c)
	done := tally(p, c)
	l.Verdict(done.sent == count && done.lost == 0, "%v", done)
}
