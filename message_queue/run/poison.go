package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// poison kills every consumer that receives a certain order.
func poison(l *lab.Lab) {
	const count, bad = 5, "received order 2 "
	const most = 12 // crashes, if nothing else ends them
	url := brokerlab.Vhost(l)
	l.Step("%d orders; whoever receives order 2 crashes", count)
	p := producer(l, url, "-count", fmt.Sprint(count), "-interval", "0")
	p.Wait()

	var consumers []*lab.Process
	crashes := 0
	for crashes < most {
		// It works for long enough to be killed before it is done.
		c := consumer(l, url, fmt.Sprint(len(consumers)+1), "-work", "1s")
		consumers = append(consumers, c)
		l.WaitUntil("an order", func() bool {
			return c.Printed(bad) || c.Printed(handled+"4 ")
		})
		if lab.Count(bad, c) == 0 {
			break
		}
		crashes++
		c.Kill()
	}
	done := tally(l, url, p, consumers...)
	l.Verdict(done.sent == count && done.handled == count-1 &&
		done.aside == 1 && crashes == 6,
		"%d sent, %d handled, %d crashes by order 2, %d dead letter",
		done.sent, done.handled, crashes, done.aside)
}

var poisonWithout = []lab.Without{
	{Name: "limit", Edit: noDeliveryLimit,
		Watch: "the order comes back for ever (here, twelve times)"},
	{Name: "letters", Edit: lab.Edit{File: queueFile,
		Line: `			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": DeadLetters,
`, Become: ""},
		Watch: "the order is gone, and nobody can look at it"},
	{Name: "ack", Edit: noAck,
		Watch: "each consumer gets one order, and waits for the next"},
}
