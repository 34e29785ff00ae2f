package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// workerCrash kills a worker that has received an order and not acknowledged
// it yet.
func workerCrash(l *lab.Lab) {
	besidePipeline(l, "worker-crash")
	url := brokerlab.Vhost(l)
	fast := consumer(l, url, "fast", "-work", quick)
	late := consumer(l, url, "slow", "-work", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	p := push(l, url)
	late.WaitFor(handled)
	late.WaitFor(received)
	late.Hold() // or it would be done while the lecturer talks
	l.Step("the slow worker crashes in the middle of its work")
	late.Kill()
	l.WaitForNumbers(handled, orders, fast, late)
	done := tally(p, fast, late)
	l.Verdict(done.sent == orders && done.lost == 0 && done.redelivered == 1,
		"%v", done)
}
