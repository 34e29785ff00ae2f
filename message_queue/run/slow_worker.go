package main

import (
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// slowWorker counts how two workers share the orders, one of them ten times
// slower than the other.
func slowWorker(l *lab.Lab) {
	besidePipeline(l, "slow-worker")
	url := brokerlab.Vhost(l)
	fast := consumer(l, url, "fast", "-work", quick)
	late := consumer(l, url, "slow", "-work", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	begun := time.Now()
	p := push(l, url)
	l.WaitForNumbers(handled, orders, fast, late)
	took := time.Since(begun)
	done := tally(l, url, p, fast, late)
	f := len(lab.Numbers(handled, fast))
	l.Verdict(done.sent == orders && done.lost == 0 && f > orders*3/4,
		"%d sent, %d handled by the fast worker, %d by the slow one, in "+
			"%.1f s", done.sent, f, len(lab.Numbers(handled, late)),
		took.Seconds())
}

var slowWorkerWithout = []lab.Without{
	{Name: "limit", Edit: noLimit, Watch: "each worker is sent ten orders at" +
		" once, and the slow one keeps its ten"},
	{Name: "manual", Edit: autoAck, And: []lab.Edit{noAck},
		Watch: "the limit is on orders that are not acknowledged; with" +
			" autoAck there are none"},
}
