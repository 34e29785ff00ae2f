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
	l.WaitForNumbers(handled, orders, c)
	done := tally(l, url, p, c)
	l.Verdict(status == 0 && done.sent == orders && done.lost == 0, "%v", done)
}

var offlineConsumerWithout = []lab.Without{
	{Name: "durable", Edit: classic, And: []lab.Edit{noDeliveryLimit,
		{File: queueFile,
			Line:   "autoDelete, exclusive, noWait = true, false, false, false",
			Become: "autoDelete, exclusive, noWait = false, false, true, false"}},
		Watch: "the queue is the producer's alone, and ends when the" +
			" producer does"},
}
