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
	status := p.Wait()
	l.WaitForNumbers(handled, count, c)
	sent := lab.Numbers(submitted, p)
	lost := lab.Missing(sent, lab.Numbers(handled, c))
	l.Verdict(status == 0 && len(sent) == count && lost == 0,
		"%d of %d sent, %d lost", len(sent), count, lost)
}

var nodeLossWithout = []lab.Without{
	{Name: "replicas", Edit: lab.Edit{File: queueFile,
		Line: `"x-delivery-limit":          Unacknowledged.Limit,`,
		Become: `"x-delivery-limit":          Unacknowledged.Limit,
			"x-quorum-initial-group-size": 1,`},
		Watch: "one broker alone has the queue; when it is gone, so are the" +
			" orders"},
}
