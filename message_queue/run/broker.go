package main

import (
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/cli"
	"distsys/internal/lab"
)

// channel opens a channel for the experiment itself.
func channel(l *lab.Lab, url string) *amqp.Channel {
	conn, err := amqp.Dial(url)
	l.Check(err)
	l.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	l.Check(err)
	return channel
}

// depth returns how many messages wait in a queue. In a queue that is gone, or
// that belongs to somebody else, there are none.
func depth(l *lab.Lab, url, queue string) int {
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	q, err := channel(l, url).QueueDeclarePassive(queue, durable, autoDelete,
		exclusive, noWait, nil)
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		l.Check(err)
	}
	return q.Messages
}

// settle waits until new queues are safe. RabbitMQ 3.10 may lose a quorum
// queue if its node is killed less than about a second after the declaration.
// Nothing tells when the queue is safe, so here time must pass.
func settle(l *lab.Lab) {
	l.Say("waiting until the new queues are safe")
	l.Check(cli.Sleep(l.Context(), 8*time.Second))
}

// restart kills a node and starts it again.
func restart(l *lab.Lab, node *broker.Node) {
	l.Check(node.Kill())
	l.Step("the broker is started again (takes some seconds)")
	l.Check(node.Start(l.Context()))
}
