// Run tells the story of the pipeline with real processes, or makes one of
// its experiments.
//
//	go run ./pipeline/run
//	go run ./pipeline/run slow-worker
package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"distsys/internal/lab"
)

var length = flag.Duration("for", 30*time.Second, "`time` the story goes on")

func main() {
	lab.Main("pipeline",
		"A pusher gives orders to ten workers, which report to a sink.", story,
		lab.Experiment{Name: "fair-share", Run: fairShare,
			Claim: "Workers that are there get equal numbers of orders."},
		lab.Experiment{Name: "slow-worker", Run: slowWorker,
			Claim: "Orders are shared by count, not by load: a slow worker" +
				" gets half of them, and the whole takes its time."},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Claim: "A worker that crashes takes the orders in its queue" +
				" with it."},
		lab.Experiment{Name: "two-sources", Run: twoSources,
			Claim: "A worker pulls fairly from two pushers."},
		lab.Experiment{Name: "moved-pusher", Run: movedPusher,
			Claim: "A worker must know where the pusher is: when that moves," +
				" the worker gets nothing."},
		lab.Experiment{Name: "no-worker", Run: noWorker,
			Claim: "Without a worker the pusher waits; when one comes it" +
				" gets every order."},
	)
}

// A line is a pipeline: where its pushers, workers and sink meet.
type line struct {
	l            *lab.Lab
	source, sink string
}

func newLine(l *lab.Lab) line { return line{l, l.Address(), l.Address()} }

func (p line) pusher(args ...string) *lab.Process {
	return p.l.Start("pipeline/pusher", append([]string{"-bind", p.source},
		args...)...)
}

// worker starts one; no work stands for a random time per order.
func (p line) worker(id, work string, args ...string) *lab.Process {
	args = append([]string{"-connect", p.source, "-sink", p.sink}, args...)
	if work != "" {
		args = append(args, "-work", work)
	}
	w := p.l.Start("pipeline/worker", append(args, id)...)
	w.WaitFor("waiting")
	return w
}

func (p line) collector(count int) *lab.Process {
	s := p.l.Start("pipeline/sink", "-bind", p.sink, "-count",
		fmt.Sprint(count))
	s.WaitFor("listening")
	return s
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

// The scenario of slow-worker and worker-crash, here and in message_queue:
// twenty orders, and two workers of which one is ten times slower.
const (
	orders = 20
	quick  = "50ms"
	slow   = "500ms"
)

// push pushes all the orders at once to two workers that are there.
func (p line) push() *lab.Process {
	return p.pusher("-wait", "2", "-interval", "0", "-count",
		fmt.Sprint(orders))
}

func fairShare(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)
	p.worker("1", quick)
	p.worker("2", quick)
	l.Step("two workers that are equally quick; %d orders", orders)
	p.push().Wait()
	status := sink.Wait()
	one := lab.Count("worker 1 has delivered", sink)
	two := lab.Count("worker 2 has delivered", sink)
	l.Verdict(status == 0 && one == orders/2 && two == orders/2,
		"%d sent, %d handled by worker 1, %d by worker 2", orders, one, two)
}

func slowWorker(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)
	p.worker("fast", quick)
	p.worker("slow", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	pusher := p.push()
	pusher.Wait()
	begun := time.Now()
	l.WaitForCount("worker fast has delivered", orders/2, sink)
	l.Say("the fast worker is done, and idle; the slow one is not")
	idle := time.Since(begun)
	status := sink.Wait()
	took := time.Since(begun)
	fast := lab.Count("worker fast has delivered", sink)
	late := lab.Count("worker slow has delivered", sink)
	l.Verdict(status == 0 && fast == orders/2 && late == orders/2 &&
		idle < took/2,
		"%d sent, %d handled by the fast worker, %d by the slow one, in %.1f s",
		orders, fast, late, took.Seconds())
}

func workerCrash(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(0)
	p.worker("fast", quick)
	late := p.worker("slow", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	pusher := p.push()
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
	l.Verdict(len(sent) == orders && lost == orders/2-2,
		"%d sent, %d handled, 0 redelivered, %d lost",
		len(sent), len(handled), lost)
}

func twoSources(l *lab.Lab) {
	// ZeroMQ looks for messages of another source when it has received a
	// hundred, or has none left: so the first hundred do not count.
	const each, skip, window = 400, 100, 400
	p, second := newLine(l), newLine(l)
	second.sink = p.sink
	sink := p.collector(2 * each).Mute()
	l.Step("two pushers with %d orders each, and one worker", each)
	args := []string{"-wait", "1", "-interval", "0", "-count",
		fmt.Sprint(each)}
	one, two := p.pusher(args...).Mute(), second.pusher(args...).Mute()
	one.WaitFor("listening")
	two.WaitFor("listening")
	p.worker("1", "2ms", "-connect", second.source).Mute()
	status := sink.Wait()

	var sources []string // of the orders, as they came
	for _, text := range sink.Lines() {
		if _, order, ok := strings.Cut(text, "has delivered order "); ok {
			sources = append(sources, strings.Fields(order)[2])
		}
	}
	port := p.source[len("tcp://127.0.0.1:"):]
	first := 0
	for _, source := range sources[skip : skip+window] {
		if source == port {
			first++
		}
	}
	l.Verdict(status == 0 && len(sources) == 2*each &&
		first > window*4/10 && first < window*6/10,
		"of %d handled after the first %d, %d were from one pusher, %d from "+
			"the other", window, skip, first, window-first)
}

func noWorker(l *lab.Lab) {
	p := newLine(l)
	sink := p.collector(orders)
	l.Step("a pusher with %d orders; no worker is there", orders)
	pusher := p.pusher("-interval", "0", "-count", fmt.Sprint(orders))
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

func movedPusher(l *lab.Lab) {
	before, after := newLine(l), newLine(l)
	l.Step("a worker pulls orders from a pusher")
	count := fmt.Sprint(orders)
	old := before.worker("1", quick)
	before.pusher("-interval", "0", "-count", count).Wait()
	l.WaitForNumbers("delivered order ", orders, old)
	got := lab.Count("received order", old)

	l.Step("the pusher moves to another address; worker 1 does not know it")
	pusher := after.pusher("-interval", "0", "-count", count)
	pusher.WaitFor("waiting for a worker")
	l.Step("worker 2 does")
	moved := after.worker("2", quick)
	pusher.Wait()
	l.WaitForNumbers("delivered order ", orders, moved)
	old.Stop()
	nothing := lab.Count("received order", old) - got
	all := lab.Count("received order", moved)
	l.Verdict(got == orders && nothing == 0 && all == orders,
		"%d orders before it moved, worker 1 got %d; %d orders after, "+
			"worker 1 got %d, worker 2 %d", orders, got, orders, nothing, all)
}
