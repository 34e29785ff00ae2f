package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	pubsub "distsys/publish_subscribe"
)

// subscriberCrash kills a subscriber that has received an event and not
// acknowledged it yet.
func subscriberCrash(l *lab.Lab) {
	const count = 10
	url := brokerlab.Vhost(l)
	l.Step("a subscriber takes long for each event")
	first := subscriber(l, url, "A", "-work", "1h")
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval", "50ms")
	first.WaitFor(received)
	p.WaitFor(published + "3 ") // the broker has seen what the first one sent
	l.Step("it crashes while it handles one")
	first.Kill()
	status := p.Wait()

	l.Step("it is started again")
	second := subscriber(l, url, "A")
	l.WaitForNumbers(handled, count, second)
	sent := lab.Numbers(published, p)
	lost := lab.Missing(sent, lab.Numbers(handled, first, second))
	again := lab.Count("(redelivered)", second)
	text := fmt.Sprintf("%d sent, %d handled, %d redelivered, %d lost",
		len(sent), len(lab.Numbers(handled, first, second)), again, lost)
	aside := setAside(l, url, "A")
	if aside > 0 {
		text += fmt.Sprintf(", %d set aside", aside)
	}
	l.Verdict(status == 0 && len(sent) == count && lost == 0 && again == 1 &&
		aside == 0, "%s", text)
}

// setAside returns how many dead letters a subscriber has.
func setAside(l *lab.Lab, url, id string) int {
	conn, err := amqp.Dial(url)
	l.Check(err)
	l.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	l.Check(err)
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	_, dead := pubsub.QueueNames(id)
	queue, err := channel.QueueDeclarePassive(dead, durable, autoDelete,
		exclusive, noWait, nil)
	l.Check(err)
	return queue.Messages
}

var subscriberCrashWithout = []lab.Without{
	{Name: "ack", Edit: noAck, Watch: "the subscriber gets one event and no" +
		" other: the broker waits for the acknowledgement"},
	{Name: "after", Edit: lab.Edit{File: subscriberFile, Line: receivedLine,
		Become: "\terr = delivery.Ack(false)\n" + receivedLine},
		And: []lab.Edit{noAck},
		Watch: "it acknowledges before the work, not after it: the broker" +
			" has forgotten the event when the subscriber crashes"},
	{Name: "manual", Edit: lab.Edit{File: subscriberFile,
		Line:   "const autoAck, exclusive, noLocal = false, false, false",
		Become: "const autoAck, exclusive, noLocal = true, false, false"},
		And: []lab.Edit{noAck},
		Watch: "with autoAck an event counts as handled when it is sent: all" +
			" that the crashed subscriber was sent is lost"},
	{Name: "accept", Edit: lab.Edit{File: subscriberFile, Line: ackLine,
		Become: "\terr = delivery.Reject(false)\n"},
		Watch: "all are handled, and all end as dead letters"},
}
