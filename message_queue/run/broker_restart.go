package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// brokerRestart kills the broker, which holds orders that are confirmed, and
// starts it again.
func brokerRestart(l *lab.Lab) {
	const count, each = 300, 10
	node := brokerlab.Node(l)
	url := node.URL("/")
	c := consumer(l, url, "1", "-work", "20ms", "-prefetch", "5").Mute()
	classic(l, url, each)
	settle(l)

	l.Step("%d orders are submitted, and handled more slowly", count)
	p := producer(l, url, "-count", fmt.Sprint(count), "-interval",
		"10ms").Mute()
	p.WaitFor(submitted + "100 ")
	l.Step("the broker crashes")
	restart(l, node)
	if p.Wait() != 0 {
		l.Fail("the producer gave up")
	}
	l.WaitForNumbers(handled, count, c)
	done := tally(p, c)
	persistent, transient := kept(l, url)
	l.Verdict(done.sent == count && done.lost == 0 && persistent == each &&
		transient == 0,
		"%v; of the classic queue's, %d of %d persistent ones are there, %d "+
			"of %d others", done, persistent, each, transient, each)
}

const classicQueue = "classic"

// classic fills a durable classic queue with n messages that are persistent
// and n that are not, all of them confirmed.
func classic(l *lab.Lab, url string, n int) {
	channel := channel(l, url)
	_, err := channel.QueueDeclare(classicQueue, true, false, false, false, nil)
	l.Check(err)
	l.Check(channel.Confirm(false))
	for range n {
		for _, mode := range []uint8{amqp.Persistent, amqp.Transient} {
			confirm, err := channel.PublishWithDeferredConfirmWithContext(
				l.Context(), "", classicQueue, true, false,
				amqp.Publishing{DeliveryMode: mode})
			l.Check(err)
			if !confirm.Wait() {
				l.Fail("a message was not confirmed")
			}
		}
	}
}

// kept counts what the classic queue still holds.
func kept(l *lab.Lab, url string) (persistent, transient int) {
	channel := channel(l, url)
	for {
		message, ok, err := channel.Get(classicQueue, true)
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
