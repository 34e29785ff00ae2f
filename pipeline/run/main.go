// Run plays the story of the pipeline with real processes, or runs one of its
// experiments.
//
//	go run ./pipeline/run
//	go run ./pipeline/run slow-worker
package main

import (
	"flag"
	"fmt"
	"time"

	"distsys/internal/lab"
)

var length = flag.Duration("for", 30*time.Second, "`time` the story goes on")

func main() {
	lab.Main("pipeline",
		"A pusher gives orders to ten workers, which report to a sink.", story,
		lab.Experiment{Name: "fair-share", Run: fairShare,
			Without: fairShareWithout,
			Claim:   "Workers that are connected get equal numbers of orders."},
		lab.Experiment{Name: "slow-worker", Run: slowWorker,
			Without: slowWorkerWithout,
			Claim: "Orders are shared by count, not by load: a slow worker" +
				" gets half of them, and the fast one is idle in the end."},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Without: workerCrashWithout,
			Claim:   "If a worker crashes, the orders in its queue are lost."},
		lab.Experiment{Name: "two-sources", Run: twoSources,
			Without: twoSourcesWithout,
			Claim:   "A worker pulls fairly from two pushers."},
		lab.Experiment{Name: "moved-pusher", Run: movedPusher,
			Without: movedPusherWithout,
			Claim: "A worker must know where the pusher is: if the pusher" +
				" moves, the worker gets nothing."},
		lab.Experiment{Name: "no-worker", Run: noWorker,
			Without: noWorkerWithout,
			Claim: "Without a worker the pusher waits; the first worker that" +
				" comes gets every order."},
	)
}

func story(l *lab.Lab) {
	const interval = 200 * time.Millisecond
	count := max(1, int(*length/interval))
	p := newLine(l)
	sink := p.collector(count)
	for i := range 10 {
		p.worker(fmt.Sprint(i), "")
	}
	l.Step("the pusher gives out an order every %v, for %v", interval, *length)
	p.pusher("-wait", "10", "-interval", interval.String(), "-count",
		fmt.Sprint(count)).Wait()
	sink.Wait()
}
