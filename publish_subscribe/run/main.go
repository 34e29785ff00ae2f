// Run tells the story of publish-subscribe with real processes, or runs one
// of its experiments.
//
//	go run ./publish_subscribe/run
//	go run ./publish_subscribe/run offline-subscriber
package main

import (
	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	pubsub "distsys/publish_subscribe"
)

var url = broker.Flag()

func main() {
	lab.Main("publish_subscribe",
		"A publisher publishes events; the broker copies each to every"+
			" subscriber.", story,
		lab.Experiment{Name: "slow-subscriber", Run: slowSubscriber,
			Claim: "The queue of a slow subscriber grows; nothing is dropped," +
				" and nobody else is held up.",
			Without: slowSubscriberWithout},
		lab.Experiment{Name: "fan-out", Run: fanOut,
			Claim:   "Every subscriber gets every event.",
			Without: fanOutWithout},
		lab.Experiment{Name: "offline-subscriber", Run: offlineSubscriber,
			Claim: "A subscriber that was away gets the events of that time" +
				" when it is back.",
			Without: offlineSubscriberWithout},
		lab.Experiment{Name: "subscriber-crash", Run: subscriberCrash,
			Claim: "An event that a subscriber was handling when it crashed" +
				" is handled again; nothing is lost.",
			Without: subscriberCrashWithout},
		lab.Experiment{Name: "routing", Run: routing,
			Claim: "A subscriber gets the events whose key fits its own: *" +
				" is one word, # any number.",
			Without: routingWithout},
		lab.Experiment{Name: "late-binding", Run: lateBinding,
			Claim: "Events published before a subscriber first makes its" +
				" queue are dropped, and the publisher prints that.",
			Without: lateBindingWithout},
	)
}

func story(l *lab.Lab) {
	one, oneDead := pubsub.QueueNames("1")
	two, twoDead := pubsub.QueueNames("2")
	url := brokerlab.Guest(l, *url, []string{one, oneDead, two, twoDead},
		[]string{pubsub.Exchange})
	l.Step("two subscribers, each with a queue of its own")
	first, second := subscriber(l, url, "1"), subscriber(l, url, "2")
	l.Step("a publisher publishes six events")
	publisher(l, url, "-count", "6", "-interval", "300ms").Wait()
	l.WaitForNumbers(handled, 6, first)
	l.WaitForNumbers(handled, 6, second)
}
