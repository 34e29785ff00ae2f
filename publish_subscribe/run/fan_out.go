package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// fanOut counts what five subscribers get of two publishers.
func fanOut(l *lab.Lab) {
	const count, n = 20, 5
	url := brokerlab.Vhost(l)
	l.Step("%d subscribers and two publishers with %d events each", n, count)
	var subscribers, publishers []*lab.Process
	for i := range n {
		subscribers = append(subscribers,
			subscriber(l, url, fmt.Sprint(i+1)).Mute())
	}
	for _, sensor := range []string{"sensorA", "sensorB"} {
		publishers = append(publishers, publisher(l, url, "-sensor", sensor,
			"-count", fmt.Sprint(count), "-interval", "50ms"))
	}
	l.WaitForCount(published, 2*count, publishers...)
	all := 0
	for _, s := range subscribers {
		l.WaitForCount(handled, 2*count, s)
		if lab.Count(handled, s) == 2*count {
			all++
		}
	}
	sent := lab.Count(published, publishers...)
	l.Verdict(sent == 2*count && all == n,
		"%d published, %d of %d subscribers handled all of them", sent, all, n)
}

var fanOutWithout = []lab.Without{
	{Name: "queues", Edit: lab.Edit{File: queueFile,
		Line:   `return broker.Named("subscriber-" + id),`,
		Become: `return broker.Named("subscriber"),`},
		And: []lab.Edit{{File: queueFile,
			Line:   `broker.Named("subscriber-" + id + "-dead")`,
			Become: `broker.Named("subscriber-dead")`}},
		Watch: "all subscribers take from one queue, and share the events"},
}
