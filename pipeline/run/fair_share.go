package main

import "distsys/internal/lab"

// fairShare gives twenty orders to two workers that are equally quick.
func fairShare(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)

	l.Step("two workers that are equally quick; %d orders", orders)
	pusher := p.push(2)
	p.worker("1", quick)
	p.sees(pusher)
	p.worker("2", quick)
	pusher.Wait()
	status := sink.Wait()

	one := lab.Count("worker 1 has delivered", sink)
	two := lab.Count("worker 2 has delivered", sink)
	l.Verdict(status == 0 && one == orders/2 && two == orders/2,
		"%d sent, %d handled by worker 1, %d by worker 2", orders, one, two)
}

var fairShareWithout = []lab.Without{
	{Name: "wait", Edit: noWait,
		Watch: "The worker that connects first gets the orders: the pusher " +
			"does not wait for the other."},
}
