package main

import "distsys/internal/lab"

// workerCrash kills a worker while orders wait in its queue.
func workerCrash(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(0)
	p.worker("fast", quick)
	late := p.worker("slow", slow)

	l.Step("two workers, one ten times slower; %d orders", orders)
	pusher := p.push(2)
	pusher.Wait()
	l.WaitForCount("worker slow has delivered", 2, sink)
	l.WaitForCount("received order", 3, late)

	late.Hold() // or it would be done while the lecturer talks
	l.Step("the slow worker crashes in the middle of its work")
	late.Kill()
	l.WaitForCount("worker fast has delivered", orders/2, sink)
	sink.Stop()

	sent := lab.Numbers("pushed order ", pusher)
	handled := lab.Numbers("delivered order ", sink)
	lost := lab.Missing(sent, handled)
	done := lab.Count("worker slow has delivered", sink)
	l.Verdict(len(sent) == orders && lost > 0 && lost == orders/2-done,
		"%d sent, %d handled, 0 redelivered, %d lost",
		len(sent), len(handled), lost)
}

// A cure does not exist within this pattern: an order that was pushed is out
// of the pusher's hands. It takes a queue that keeps it until it is
// acknowledged, see message_queue.
var workerCrashWithout = []lab.Without{
	{Name: "work", Edit: lab.Edit{File: "pipeline/worker/main.go",
		Line:   "cli.Sleep(ctx, work())",
		Become: "cli.Sleep(ctx, 0)"},
		Watch: "Work takes no time, so no order waits in a worker's queue, " +
			"and none is lost with the worker."},
}
