package main

import (
	"fmt"
	"strings"

	"distsys/internal/lab"
)

// The scenario of most experiments, here and in message_queue: twenty orders,
// and two workers, of which one may be ten times slower.
const (
	orders = 20
	quick  = "50ms"
	slow   = "500ms"
)

// A line is a pipeline: the addresses at which its pusher, workers and sink
// meet.
type line struct {
	l            *lab.Lab
	source, sink string
}

func newLine(l *lab.Lab) line { return line{l, l.Address(), l.Address()} }

// port is how the orders of this line's pusher name their source.
func (p line) port() string {
	return p.source[strings.LastIndex(p.source, ":")+1:]
}

func (p line) pusher(args ...string) *lab.Process {
	args = append([]string{"-bind", p.source}, args...)
	return p.l.Start("pipeline/pusher", args...)
}

// push starts a pusher that waits for a number of workers and then pushes all
// orders at once.
func (p line) push(workers int) *lab.Process {
	return p.pusher("-wait", fmt.Sprint(workers), "-interval", "0", "-count",
		fmt.Sprint(orders))
}

// sees waits until a pusher that waits for two workers has seen the first. If
// it does not wait for the second, it has then pushed all that it has.
func (p line) sees(pusher *lab.Process) {
	p.l.WaitUntil("a worker that connects", func() bool {
		return pusher.Printed("workers: 1 of 2") ||
			pusher.Printed("waiting until the workers have all orders")
	})
}

// worker starts a worker. If work is empty, each order takes a random time.
func (p line) worker(id, work string, args ...string) *lab.Process {
	args = append([]string{"-connect", p.source, "-sink", p.sink}, args...)
	if work != "" {
		args = append(args, "-work", work)
	}
	w := p.l.Start("pipeline/worker", append(args, id)...)
	w.WaitFor("waiting")
	return w
}

// collector starts a sink that ends after count deliveries; 0: on Ctrl-C.
func (p line) collector(count int) *lab.Process {
	s := p.l.Start("pipeline/sink", "-bind", p.sink, "-count",
		fmt.Sprint(count))
	s.WaitFor("listening")
	return s
}

// receivedBy counts the orders of this line's pusher that a worker received.
func (p line) receivedBy(worker *lab.Process) (n int) {
	for _, text := range worker.Lines() {
		if strings.Contains(text, ": received order ") &&
			strings.Contains(text, " of "+p.port()+" ") {
			n++
		}
	}
	return n
}

// noWait has the pusher begin as soon as there is anyone to push to.
var noWait = lab.Edit{File: "pipeline/pusher/main.go",
	Line:   "socket.AwaitPeers(*wait, \"workers\"); err != nil {",
	Become: "socket.AwaitPeers(0, \"workers\"); err != nil {"}
