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
	done := tally(l, url, p, fast, late)
	l.Verdict(done.sent == orders && done.lost == 0 && done.aside == 0 &&
		done.redelivered == 1, "%v", done)
}

var workerCrashWithout = []lab.Without{
	{Name: "ack", Edit: noAck, Watch: "each worker gets one order and no" +
		" other: the broker waits for the acknowledgement"},
	{Name: "after", Edit: lab.Edit{File: consumerFile, Line: receivedLine,
		Become: "\terr = delivery.Ack(false)\n" + receivedLine},
		And: []lab.Edit{noAck},
		Watch: "it acknowledges before the work, not after it: the broker" +
			" has forgotten the order when the worker crashes"},
	{Name: "manual", Edit: autoAck, And: []lab.Edit{noAck},
		Watch: "with autoAck an order counts as handled when it is sent:" +
			" all that the crashed worker was sent is lost"},
	{Name: "accept", Edit: lab.Edit{File: consumerFile, Line: ackLine,
		Become: "\terr = delivery.Reject(false)\n"},
		Watch: "all are handled, and all end as dead letters"},
}
