package main

import "distsys/internal/lab"

// noWorker starts a pusher, and a worker only when the pusher waits for one.
func noWorker(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)

	l.Step("a pusher with %d orders; no worker is there", orders)
	pusher := p.push(0)
	pusher.WaitFor("waiting for a worker")
	early := lab.Count("pushed order", pusher)

	l.Step("now a worker comes")
	p.worker("1", quick)
	status := sink.Wait()

	handled := lab.Numbers("delivered order ", sink)
	l.Verdict(status == 0 && early == 0 && pusher.Wait() == 0 &&
		len(handled) == orders,
		"%d sent before a worker was there, then %d sent, %d handled, %d lost",
		early, orders, len(handled), orders-len(handled))
}

var noWorkerWithout = []lab.Without{
	{Name: "block", Edit: lab.Edit{File: "pipeline/pusher/main.go",
		Line:   "		_, err = socket.SendBytes(order.Encode(), 0)\n",
		Become: "		err = nil // go on without a worker\n"},
		Watch: "Send does not wait: every order that no worker can take is " +
			"dropped, though the pusher prints that it was pushed."},
}
