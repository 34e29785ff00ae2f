package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// brokerRestart kills the broker, which holds orders that are confirmed, and
// starts it again. Beside the orders, two queues of different kinds show which
// messages they keep.
func brokerRestart(l *lab.Lab) {
	const count, each = 300, 10
	node := brokerlab.Node(l)
	url := node.URL("/")
	c := consumer(l, url, "1", "-work", "20ms", "-prefetch", "5").Mute()
	fill(l, url, "quorum", each)
	fill(l, url, "classic", each)
	settle(l)

	l.Step("%d orders are submitted, and handled more slowly", count)
	p := producer(l, url, "-count", fmt.Sprint(count), "-interval",
		"10ms").Mute()
	p.WaitFor(submitted + "100 ")
	l.Step("the broker crashes")
	restart(l, node)
	status := p.Wait()
	l.WaitForNumbers(handled, count, c)

	done := tally(l, url, p, c)
	persistent, transient := kept(l, url, "quorum")
	old, gone := kept(l, url, "classic")
	l.Verdict(status == 0 && done.sent == count && done.lost == 0 &&
		persistent == each && transient == each && old == each && gone == 0,
		"%v; of %d persistent messages and %d others, a quorum queue kept %d "+
			"and %d, a classic queue %d and %d", done, each, each, persistent,
		transient, old, gone)
}

// fill fills a durable queue of a kind, and of that name, with n messages that
// are persistent and n that are not, all of them confirmed.
func fill(l *lab.Lab, url, kind string, n int) {
	channel := channel(l, url)
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	_, err := channel.QueueDeclare(kind, durable, autoDelete, exclusive, noWait,
		amqp.Table{"x-queue-type": kind})
	l.Check(err)
	l.Check(channel.Confirm(noWait))
	for range n {
		for _, mode := range []uint8{amqp.Persistent, amqp.Transient} {
			const exchange, mandatory, immediate = "", true, false
			confirm, err := channel.PublishWithDeferredConfirmWithContext(
				l.Context(), exchange, kind, mandatory, immediate,
				amqp.Publishing{DeliveryMode: mode})
			l.Check(err)
			if !confirm.Wait() {
				l.Fail("a message was not confirmed")
			}
		}
	}
}

// kept counts what the queue of a kind still holds.
func kept(l *lab.Lab, url, kind string) (persistent, transient int) {
	channel := channel(l, url)
	for {
		const autoAck = true
		message, ok, err := channel.Get(kind, autoAck)
		l.Check(err)
		if !ok {
			return persistent, transient
		}
		if message.DeliveryMode == amqp.Persistent {
			persistent++
		} else {
			transient++
		}
	}
}

var brokerRestartWithout = []lab.Without{
	{Name: "disk", Edit: classic, And: []lab.Edit{noDeliveryLimit,
		{File: orderFile, Line: "amqp.Persistent", Become: "amqp.Transient"}},
		Watch: "a classic queue keeps orders that are not persistent in" +
			" memory alone (either of the two words would have saved them)"},
}
