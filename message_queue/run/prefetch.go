package main

import (
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// prefetch has two consumers share what is in the queue already, without a
// limit on how many orders each may hold, and with a limit of one.
func prefetch(l *lab.Lab) {
	share := func(limit string) (one, two int) {
		url := brokerlab.Vhost(l)
		p := push(l, url)
		p.Wait()
		first := consumer(l, url, "first", "-work", quick, "-prefetch", limit)
		first.WaitFor(received)
		first.Freeze() // or it is done before the other one is there
		second := consumer(l, url, "second", "-work", quick, "-prefetch", limit)
		first.Thaw()
		l.WaitForNumbers(handled, orders, first, second)
		first.Stop()
		second.Stop()
		return lab.Count(handled, first), lab.Count(handled, second)
	}
	l.Step("%d orders in the queue, two consumers without a limit", orders)
	a, b := share("0")
	l.Step("the same with -prefetch 1")
	c, d := share("1")
	l.Verdict(a == orders && b == 0 && c > 0 && d >= orders/4,
		"%d sent; without a limit the first handled %d, the second %d; with "+
			"prefetch 1, %d and %d", orders, a, b, c, d)
}

var prefetchWithout = []lab.Without{
	{Name: "limit", Edit: noLimit,
		Watch: "-prefetch 1 makes no difference any more"},
	{Name: "manual", Edit: autoAck, And: []lab.Edit{noAck},
		Watch: "the limit is on orders that are not acknowledged; with" +
			" autoAck there are none"},
}
