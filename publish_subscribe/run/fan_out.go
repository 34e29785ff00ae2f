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
	var subscribers []*lab.Process
	for i := range n {
		subscribers = append(subscribers,
			subscriber(l, url, fmt.Sprint(i+1)).Mute())
	}
	sent := 0
	for _, sensor := range []string{"sensorA", "sensorB"} {
		p := publisher(l, url, "-count", fmt.Sprint(count), "-interval",
			"10ms", "-sensor", sensor)
		defer p.Wait()
		p.WaitFor("connected")
		l.WaitForNumbers(published, count, p)
		sent += len(lab.Numbers(published, p))
	}
	all := 0
	for _, s := range subscribers {
		l.WaitForCount(handled, 2*count, s)
		if lab.Count(handled, s) == 2*count {
			all++
		}
	}
	l.Verdict(sent == 2*count && all == n,
		"%d published, %d of %d subscribers handled all of them", sent, all, n)
}
