package main

import "distsys/internal/lab"

// movedPusher has a pusher move to an address that the worker does not know.
func movedPusher(l *lab.Lab) {
	before := newLine(l)
	after := newLine(l)
	before.collector(0)
	worker := before.worker("1", quick)

	l.Step("a worker pulls %d orders from a pusher", orders)
	before.push(1).Wait()
	l.WaitForCount("delivered order", orders, worker)

	l.Step("the pusher moves to another address, which worker 1 does not know")
	moved := after.push(0)
	moved.WaitFor("waiting for a worker")

	// Worker 1 has the time that these orders take to find the new address.
	l.Step("another pusher starts at the old address; worker 1 still goes there")
	before.push(1).Wait()
	l.WaitForCount("delivered order", 2*orders, worker)

	found := lab.Count(" of "+before.port(), worker) / 2
	missed := lab.Count(" of "+after.port(), worker)
	l.Verdict(found == 2*orders && missed == 0,
		"%d orders at the old address, worker 1 got %d; %d at the new one, "+
			"it got %d", 2*orders, found, orders, missed)
}
