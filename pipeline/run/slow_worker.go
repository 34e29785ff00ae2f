package main

import (
	"time"

	"distsys/internal/lab"
)

// slowWorker gives twenty orders to two workers, one ten times slower.
func slowWorker(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)

	l.Step("two workers, one ten times slower; %d orders", orders)
	pusher := p.push(2)
	p.worker("fast", quick)
	p.sees(pusher)
	p.worker("slow", slow)
	pusher.Wait()
	begun := time.Now()
	l.WaitForCount("worker fast has delivered", orders/2, sink)
	idle := time.Since(begun)
	if lab.Count("worker fast has delivered", sink) == orders/2 {
		l.Say("the fast worker is done, and idle; the slow one is not")
	}
	status := sink.Wait()
	took := time.Since(begun)

	fast := lab.Count("worker fast has delivered", sink)
	late := lab.Count("worker slow has delivered", sink)
	l.Verdict(status == 0 && fast == orders/2 && late == orders/2 &&
		idle < took/2,
		"%d sent, %d handled by the fast worker, %d by the slow one, in %.1f s",
		orders, fast, late, took.Seconds())
}

var slowWorkerWithout = []lab.Without{
	{Name: "wait", Edit: noWait,
		Watch: "The worker that connects first gets the orders: there is " +
			"nobody to share them with."},
}
