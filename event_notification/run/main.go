// Run tells the story of event notification with real processes, or makes
// one of its experiments.
//
//	go run ./event_notification/run
//	go run ./event_notification/run slow-joiner
package main

import (
	"fmt"
	"strings"

	"distsys/internal/lab"
)

func main() {
	lab.Main("event_notification",
		"A publisher notifies its subscribers of each event.", story,
		lab.Experiment{Name: "slow-subscriber", Run: slowSubscriber,
			Claim: "The publisher drops what a slow subscriber cannot take;" +
				" the others miss nothing."},
		lab.Experiment{Name: "slow-joiner", Run: slowJoiner,
			Claim: "A subscriber misses the first events, though it was" +
				" there first, unless the publisher waits for it."},
		lab.Experiment{Name: "offline-subscriber", Run: offlineSubscriber,
			Claim: "A subscriber that was away has missed exactly the events" +
				" of that time."},
		lab.Experiment{Name: "topic-filter", Run: topicFilter,
			Claim: "A subscription takes every topic that begins like it."},
		lab.Experiment{Name: "moved-publisher", Run: movedPublisher,
			Claim: "A subscriber must know where the publisher is: when that" +
				" moves, the subscriber hears nothing."},
		lab.Experiment{Name: "publisher-crash", Run: publisherCrash,
			Claim: "Subscribers come back by themselves to a publisher that" +
				" is restarted; what it publishes before is gone."},
	)
}

// How the programs' lines begin that are counted.
const (
	published = "published event "
	received  = "received TEMP event "
)

func publisher(l *lab.Lab, address string, args ...string) *lab.Process {
	return l.Start("event_notification/publisher",
		append([]string{"-bind", address}, args...)...)
}

// subscriber starts one that follows the publisher at an address.
func subscriber(l *lab.Lab, address, id string,
	args ...string) *lab.Process {
	args = append([]string{"-connect", address}, args...)
	s := l.Start("event_notification/subscriber", append(args, id)...)
	s.WaitFor("subscribing")
	return s
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

func slowSubscriber(l *lab.Lab) {
	address := l.Address()
	l.Step("two subscribers, and a thousand large events a second")
	quick := subscriber(l, address, "quick").Mute()
	slow := subscriber(l, address, "slow").Mute()
	// A long topic makes the events large (8 KB), so that the queues and the
	// system's buffers are full within seconds.
	topic := "TEMP" + strings.Repeat(".", 8000)
	p := publisher(l, address, "-wait", "2", "-interval", "1ms", "-topic",
		topic).Mute()
	slow.WaitFor("event 100 ")

	l.Step("one of them stops taking events, but stays connected")
	slow.Freeze()
	p.WaitFor("event 4000 ")
	l.Step("it goes on, and takes what has been kept for it")
	slow.Thaw()
	thawed := p.LastNumber(published)
	slow.WaitForNumber(" event ", thawed+1)
	quick.WaitForNumber(" event ", thawed+1)
	p.Stop()

	missedQuick := missed(lab.Numbers(" event ", quick), thawed)
	missedSlow := missed(lab.Numbers(" event ", slow), thawed)
	l.Verdict(missedQuick == 0 && missedSlow > 0,
		"%d published; the quick subscriber missed %d, the slow one %d",
		thawed+1, missedQuick, missedSlow)
}

// missed counts the events from 0 to last that were not received.
func missed(received map[int]int, last int) (n int) {
	for seq := range last + 1 {
		if received[seq] == 0 {
			n++
		}
	}
	return n
}

func slowJoiner(l *lab.Lab) {
	const count = 50
	// tell returns how many events a subscriber misses that was there before
	// the publisher, and followed it to the end.
	tell := func(wait string) int {
		address := l.Address()
		s := subscriber(l, address, "wait-"+wait)
		p := publisher(l, address, "-wait", wait, "-interval", "20ms",
			"-count", "50")
		p.Wait()
		s.WaitForNumber(received, count-1)
		s.Stop()
		return missed(lab.Numbers(received, s), count-1)
	}
	l.Step("a subscriber, then a publisher that does not wait for it")
	hasty := tell("0")
	for range 4 { // on a busy machine it may just be quick enough: once more
		if hasty == 0 {
			hasty = tell("0")
		}
	}
	l.Step("a subscriber, then a publisher with -wait 1")
	patient := tell("1")
	l.Verdict(hasty > 0 && patient == 0,
		"of %d events the subscriber missed %d without -wait, %d with -wait 1",
		count, hasty, patient)
}

func offlineSubscriber(l *lab.Lab) {
	address := l.Address()
	p := publisher(l, address, "-wait", "1", "-interval", "200ms")
	l.Step("a subscriber follows a publisher")
	before := subscriber(l, address, "A")
	p.WaitFor("subscribers: 1")
	before.WaitForNumber(received, 3)

	l.Step("it goes away; the publisher goes on")
	before.Stop()
	p.WaitFor("subscribers: 0")
	left := p.NextNumber(published)
	p.WaitForNumber(published, left+6)

	l.Step("it is back")
	after := subscriber(l, address, "A")
	p.WaitFor("subscribers: 1")
	back := p.NextNumber(published)
	after.WaitForNumber(received, back+3)
	p.Stop()
	after.Stop()

	// The publisher hears that a subscriber is gone before its next event,
	// or, where that is due at that very moment, after it.
	got := lab.Numbers(received, before, after)
	others := missed(got, after.LastNumber(received))
	away := 0
	for seq := left; seq < back; seq++ {
		if got[seq] == 0 {
			away++
			others--
		}
	}
	l.Verdict(away == back-left && others <= 1,
		"%d published while the subscriber was away, %d of them missed; "+
			"of the others %d", back-left, away, others)
}

func topicFilter(l *lab.Lab) {
	const count = 5
	short, long := l.Address(), l.Address()
	l.Step("two publishers, one with topic TEMP, one with TEMPERATURE; four " +
		"subscribers follow both")
	topics := []string{"TEMP", "TEMP ", "TEMPERATURE", "HUMIDITY"}
	var subscribers []*lab.Process
	for i, topic := range topics {
		subscribers = append(subscribers, subscriber(l, short,
			fmt.Sprint(i+1), "-connect", long, "-topic", topic))
	}
	for address, topic := range map[string]string{
		short: "TEMP", long: "TEMPERATURE"} {
		p := publisher(l, address, "-topic", topic, "-wait", "4", "-count",
			fmt.Sprint(count), "-interval", "50ms")
		defer p.Wait()
	}
	subscribers[0].WaitFor("received TEMP event 4 ")
	subscribers[1].WaitFor("received TEMP event 4 ")
	subscribers[2].WaitFor("received TEMPERATURE event 4 ")
	l.WaitForCount("received", 2*count, subscribers[0])

	l.Step("the last event has come; who has received what?")
	holds, counted := true, []string{}
	for i, want := range [][2]int{{count, count}, {count, 0}, {0, count},
		{0, 0}} {
		got := [2]int{lab.Count("received TEMP event", subscribers[i]),
			lab.Count("received TEMPERATURE event", subscribers[i])}
		holds = holds && got == want
		counted = append(counted, fmt.Sprintf("%q got %d+%d", topics[i],
			got[0], got[1]))
	}
	l.Verdict(holds, "of %d TEMP and %d TEMPERATURE: %s", count, count,
		strings.Join(counted, ", "))
}

func publisherCrash(l *lab.Lab) {
	address := l.Address()
	l.Step("two subscribers follow a publisher, which crashes")
	subscribers := []*lab.Process{subscriber(l, address, "1"),
		subscriber(l, address, "2")}
	first := publisher(l, address, "-wait", "2", "-interval", "50ms")
	for _, s := range subscribers {
		s.WaitForNumber(received, 3)
	}
	first.Kill()

	// On a busy machine a subscriber may just be back in time for the first
	// event. Frozen for a moment, it comes late for certain.
	for _, s := range subscribers {
		s.Freeze()
	}
	l.Step("it is started again, does not wait, and calls its events TEMP2")
	second := publisher(l, address, "-interval", "50ms", "-topic", "TEMP2")
	second.WaitFor(published)
	for _, s := range subscribers {
		s.Thaw()
	}
	second.WaitFor("subscribers: 2")
	second.WaitFor(published)
	here := second.LastNumber(published)
	back, gone := 0, 0
	for _, s := range subscribers {
		s.WaitForNumber("received TEMP2 event ", here)
		got := lab.Numbers("received TEMP2 event ", s)
		if got[here] > 0 {
			back++
		}
		gone += missed(got, here)
	}
	l.Verdict(back == len(subscribers) && gone >= len(subscribers),
		"%d of %d subscribers came back by themselves; together they "+
			"missed %d of the first events", back, len(subscribers), gone)
}

func movedPublisher(l *lab.Lab) {
	const events = 10
	before, after := l.Address(), l.Address()
	l.Step("a subscriber follows a publisher")
	old := subscriber(l, before, "A")
	p := publisher(l, before, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, old)
	heard := lab.Count(received, old)

	l.Step("the publisher moves to another address, which subscriber B knows")
	moved := subscriber(l, after, "B")
	p = publisher(l, after, "-wait", "1", "-count", fmt.Sprint(events),
		"-interval", "50ms")
	p.Wait()
	l.WaitForNumbers(received, events, moved)
	old.Stop()
	silent := lab.Count(received, old) - heard
	again := lab.Count(received, moved)
	l.Verdict(heard == events && silent == 0 && again == events,
		"%d events before it moved, A received %d; %d events after, "+
			"A received %d, B %d", events, heard, events, silent, again)
}
