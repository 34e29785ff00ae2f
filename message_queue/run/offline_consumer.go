package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// offlineConsumer has nobody consume before all orders are submitted.
func offlineConsumer(l *lab.Lab) {
	url := brokerlab.Vhost(l)
	l.Step("a producer submits %d orders and leaves; nobody consumes", orders)
	p := producer(l, url, "-count", fmt.Sprint(orders), "-interval", "50ms")
	status := p.Wait()

	l.Step("only now a consumer starts")
	c := consumer(l, url, "1", "-work", "50ms")
	l.WaitForCount(handled, orders, c)
	done := tally(p, c)
	l.Verdict(status == 0 && done.sent == orders && done.lost == 0, "%v", done)
}
