package main

import (
	"fmt"
	"strings"

	"distsys/internal/lab"
)

// twoSources connects one worker to two pushers, and counts whose orders it
// delivers.
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
	first, other := 0, 0
	for i, source := range sources {
		switch {
		case i < skip || i >= skip+window:
		case source == p.port():
			first++
		default:
			other++
		}
	}
	l.Verdict(status == 0 && len(sources) == 2*each &&
		first > window*4/10 && other > window*4/10,
		"of %d handled after the first %d, %d were from one pusher, %d from "+
			"the other", first+other, skip, first, other)
}

var twoSourcesWithout = []lab.Without{
	{Name: "second", Edit: lab.Edit{File: "pipeline/worker/main.go",
		Line:   "range connect.All() {",
		Become: "range connect.All()[:1] {"},
		Watch: "The worker connects to the first pusher only; the other one " +
			"waits for a worker."},
	{Name: "socket", Edit: lab.Edit{File: "pipeline/worker/main.go",
		Line: "	for _, address := range connect.All() {\n" +
			"		err = orders.Connect(address)\n",
		Become: "	other, err := zeromq.Open(ctx, zmq.PULL)\n" +
			"	if err != nil {\n		return err\n	}\n" +
			"	defer other.Close()\n" +
			"	both := []*zeromq.Socket{orders, other}\n" +
			"	for i, address := range connect.All() {\n" +
			"		err = both[min(i, 1)].Connect(address)\n"},
		And: []lab.Edit{{File: "pipeline/worker/main.go",
			Line: "		frames, err := orders.RecvMessage(0)\n",
			Become: "		frames, err := orders.RecvMessage(zmq.DONTWAIT)\n" +
				"		if err != nil {\n" +
				"			frames, err = other.RecvMessage(0)\n		}\n"}},
		Watch: "The worker has a socket for each pusher and looks at the " +
			"first one first: the other's orders wait until it is done."},
}
