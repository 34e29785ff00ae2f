// Run tells the story of the message queue with real processes, or makes one
// of its experiments.
//
//	go run ./message_queue/run
//	go run ./message_queue/run offline-consumer
package main

import (
	"distsys/internal/broker"
	"distsys/internal/broker/brokerlab"
	"distsys/internal/lab"
)

var url = broker.Flag()

func main() {
	lab.Main("message_queue",
		"A producer submits orders to a queue; consumers share the work.",
		story,
		lab.Experiment{Name: "offline-consumer", Run: offlineConsumer,
			Claim: "A consumer gets every order that was submitted while" +
				" it was away."},
	)
}

func story(l *lab.Lab) {
	url := brokerlab.OrVhost(l, *url)
	l.Turn("two consumers wait for orders")
	first := l.Start("message_queue/consumer", "-broker", url,
		"-work", "500ms", "1")
	second := l.Start("message_queue/consumer", "-broker", url,
		"-work", "500ms", "2")
	first.WaitFor("waiting")
	second.WaitFor("waiting")

	l.Turn("a producer submits ten; each goes to a consumer that is free")
	producer := l.Start("message_queue/producer", "-broker", url,
		"-count", "10", "-interval", "200ms")
	producer.Wait()
	l.WaitForCount(10, "handled order", first, second)
}

func offlineConsumer(l *lab.Lab) {
	const count = 20
	url := brokerlab.Vhost(l)
	l.Turn("a producer submits %d orders and leaves; nobody consumes", count)
	producer := l.Start("message_queue/producer", "-broker", url,
		"-count", "20", "-interval", "50ms")
	status := producer.Wait()

	l.Turn("only now a consumer starts")
	consumer := l.Start("message_queue/consumer", "-broker", url,
		"-work", "50ms", "1")
	l.WaitForCount(count, "handled order", consumer)

	submitted := lab.Numbers("submitted order ", producer)
	handled := lab.Numbers("handled order ", consumer)
	lost := lab.Missing(submitted, handled)
	l.Verdict(status == 0 && len(submitted) == count && lost == 0,
		"%d submitted while nobody consumed, %d handled later, %d lost",
		len(submitted), len(handled), lost)
}
