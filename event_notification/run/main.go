// Run plays the story of event notification with real processes, or runs one
// of its experiments.
//
//	go run ./event_notification/run
//	go run ./event_notification/run slow-joiner
package main

import (
	"distsys/internal/lab"
)

func main() {
	lab.Main("event_notification",
		"A publisher notifies its subscribers of each event.",
		story,
		lab.Experiment{Name: "slow-subscriber", Run: slowSubscriber,
			Without: slowSubscriberWithout,
			Claim: "The publisher drops what a slow subscriber cannot take;" +
				" the others miss nothing."},
		lab.Experiment{Name: "slow-joiner", Run: slowJoiner,
			Without: slowJoinerWithout,
			Claim: "A subscriber misses the first events, even if it started" +
				" first, unless the publisher waits for it."},
		lab.Experiment{Name: "offline-subscriber", Run: offlineSubscriber,
			Without: offlineSubscriberWithout,
			Claim: "A subscriber that was away has missed exactly the events" +
				" of that time."},
		lab.Experiment{Name: "topic-filter", Run: topicFilter,
			Without: topicFilterWithout,
			Claim:   "A subscription matches every topic that begins with it."},
		lab.Experiment{Name: "moved-publisher", Run: movedPublisher,
			Without: movedPublisherWithout,
			Claim: "A subscriber must know where the publisher is: if the" +
				" publisher moves, the subscriber hears nothing."},
		lab.Experiment{Name: "publisher-crash", Run: publisherCrash,
			Without: publisherCrashWithout,
			Claim: "Subscribers come back by themselves to a publisher that" +
				" was restarted; what it published before they did is lost."},
	)
}

func story(l *lab.Lab) {
	address := l.Address()
	l.Step("two subscribers start, then a publisher that waits for both")
	first := subscriber(l, address, "1")
	second := subscriber(l, address, "2")
	p := publisher(l, address, "-wait", "2", "-count", "6", "-interval",
		"500ms")
	p.Wait()
	l.WaitForNumbers(received, 6, first)
	l.WaitForNumbers(received, 6, second)
}
