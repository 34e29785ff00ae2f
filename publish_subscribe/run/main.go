// Run tells the story of publish-subscribe with real processes, or makes one
// of its experiments.
//
//	go run ./publish_subscribe/run
//	go run ./publish_subscribe/run offline-subscriber
package main

import (
	"fmt"
	"strings"

	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

var url = broker.Flag()

func main() {
	lab.Main("publish_subscribe",
		"A publisher publishes events; the broker copies each to every"+
			" subscriber.", story,
		lab.Experiment{Name: "slow-subscriber", Run: slowSubscriber,
			Claim: "The queue of a slow subscriber grows; nothing is dropped," +
				" and nobody else is held up."},
		lab.Experiment{Name: "fan-out", Run: fanOut,
			Claim: "Every subscriber gets every event."},
		lab.Experiment{Name: "offline-subscriber", Run: offlineSubscriber,
			Claim: "A subscriber that was away gets the events of that time" +
				" when it is back."},
		lab.Experiment{Name: "subscriber-crash", Run: subscriberCrash,
			Claim: "An event that a subscriber was handling when it crashed" +
				" is handled again; nothing is lost."},
		lab.Experiment{Name: "routing", Run: routing,
			Claim: "A subscriber gets the events whose key fits its own: *" +
				" is one word, # any number."},
		lab.Experiment{Name: "late-binding", Run: lateBinding,
			Claim: "Events from before a subscriber first made its queue are" +
				" gone, and the publisher says so."},
	)
}

// How the programs' lines begin that are counted.
const (
	published = "published event "
	received  = "received event "
	handled   = "handled event "
)

func publisher(l *lab.Lab, url string, args ...string) *lab.Process {
	return l.Start("publish_subscribe/publisher",
		append([]string{"-broker", url}, args...)...)
}

// subscriber starts one and waits until its queue collects events.
func subscriber(l *lab.Lab, url, id string, args ...string) *lab.Process {
	args = append([]string{"-broker", url}, args...)
	s := l.Start("publish_subscribe/subscriber", append(args, id)...)
	s.WaitFor("waiting")
	return s
}

func story(l *lab.Lab) {
	url := brokerlab.OrVhost(l, *url)
	l.Step("two subscribers, each with a queue of its own")
	first, second := subscriber(l, url, "1"), subscriber(l, url, "2")
	l.Step("a publisher publishes six events")
	publisher(l, url, "-count", "6", "-interval", "300ms").Wait()
	l.WaitForNumbers(handled, 6, first)
	l.WaitForNumbers(handled, 6, second)
}

func slowSubscriber(l *lab.Lab) {
	const count = 100
	url := brokerlab.Vhost(l)
	l.Step("two subscribers, one of which takes 10 ms for each event")
	quick := subscriber(l, url, "quick").Mute()
	slow := subscriber(l, url, "slow", "-work", "10ms").Mute()
	l.Step("a publisher publishes %d events as fast as it can", count)
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval",
		"0").Mute()
	status := p.Wait()
	l.WaitForNumbers(handled, count, quick)
	behind := count - len(lab.Numbers(handled, slow))
	l.Say("the quick subscriber has all; %d wait for the slow one, in its "+
		"queue", behind)
	l.WaitForNumbers(handled, count, slow)

	sent := lab.Numbers(published, p)
	missedQuick := lab.Missing(sent, lab.Numbers(handled, quick))
	missedSlow := lab.Missing(sent, lab.Numbers(handled, slow))
	l.Verdict(status == 0 && len(sent) == count && behind > 0 &&
		missedQuick == 0 && missedSlow == 0,
		"%d published; the quick subscriber missed %d, the slow one %d "+
			"(it was %d behind)", len(sent), missedQuick, missedSlow, behind)
}

func fanOut(l *lab.Lab) {
	const count, n = 20, 5
	url := brokerlab.Vhost(l)
	l.Step("%d subscribers and two publishers with %d events each", n, count)
	var subscribers []*lab.Process
	for i := range n {
		subscribers = append(subscribers,
			subscriber(l, url, fmt.Sprint(i+1)).Mute())
	}
	sent := 0
	for _, sensor := range []string{"sensorA", "sensorB"} {
		p := publisher(l, url, "-count", fmt.Sprint(count), "-interval",
			"10ms", "-sensor", sensor)
		defer p.Wait()
		p.WaitFor("connected")
		l.WaitForNumbers(published, count, p)
		sent += len(lab.Numbers(published, p))
	}
	all := 0
	for _, s := range subscribers {
		l.WaitForCount(handled, 2*count, s)
		if lab.Count(handled, s) == 2*count {
			all++
		}
	}
	l.Verdict(sent == 2*count && all == n,
		"%d published, %d of %d subscribers handled all of them", sent, all, n)
}

func offlineSubscriber(l *lab.Lab) {
	url := brokerlab.Vhost(l)
	l.Step("a subscriber follows a publisher")
	before := subscriber(l, url, "A")
	p := publisher(l, url, "-interval", "200ms", "-count", "10000")
	first := before.NextNumber(handled)
	before.WaitFor(handled)

	l.Step("it goes away; the publisher goes on")
	before.Stop()
	left := p.LastNumber(published)
	p.WaitForNumber(published, left+7)

	l.Step("it is back")
	back := p.LastNumber(published)
	after := subscriber(l, url, "A")
	after.WaitForNumber(handled, back+3)
	p.Stop()
	after.Stop()

	got := lab.Numbers(handled, before, after)
	away, missed := 0, 0
	for seq := left + 1; seq <= back; seq++ {
		away++
		if got[seq] == 0 {
			missed++
		}
	}
	others := 0
	for seq := first; seq <= after.LastNumber(handled); seq++ {
		if got[seq] == 0 {
			others++
		}
	}
	others -= missed
	l.Verdict(away > 0 && missed == 0 && others == 0,
		"%d published while the subscriber was away, %d of them missed; "+
			"of the others %d", away, missed, others)
}

func subscriberCrash(l *lab.Lab) {
	const count = 10
	url := brokerlab.Vhost(l)
	l.Step("a subscriber takes long for each event")
	first := subscriber(l, url, "A", "-work", "1h")
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval", "50ms")
	first.WaitFor(received)
	l.Step("it crashes while it handles one")
	first.Kill()
	status := p.Wait()

	l.Step("it is started again")
	second := subscriber(l, url, "A")
	l.WaitForNumbers(handled, count, second)
	sent := lab.Numbers(published, p)
	lost := lab.Missing(sent, lab.Numbers(handled, first, second))
	again := lab.Count("(redelivered)", second)
	l.Verdict(status == 0 && len(sent) == count && lost == 0 && again == 1,
		"%d sent, %d handled, %d redelivered, %d lost", len(sent),
		len(lab.Numbers(handled, first, second)), again, lost)
}

func routing(l *lab.Lab) {
	const count = 5
	url := brokerlab.Vhost(l)
	sensors := []string{"sensor1", "sensor2", "roof.north"}
	keys := []string{"temp.*", "temp.sensor1", "#", "humidity.*"}
	want := []int{2 * count, count, 3 * count, 0}
	l.Step("subscribers with the keys %s", strings.Join(keys, ", "))
	var subscribers []*lab.Process
	for i, key := range keys {
		subscribers = append(subscribers, subscriber(l, url,
			fmt.Sprint(i+1), "-key", key))
	}
	l.Step("%d events of each of the sensors %s", count,
		strings.Join(sensors, ", "))
	for _, sensor := range sensors {
		publisher(l, url, "-sensor", sensor, "-count", fmt.Sprint(count),
			"-interval", "0").Wait()
	}
	for i, s := range subscribers {
		l.WaitForCount(handled, want[i], s)
	}
	l.Step("all have come; who has got how many?")
	holds, counted := true, []string{}
	for i, s := range subscribers {
		got := lab.Count(handled, s)
		holds = holds && got == want[i]
		counted = append(counted, fmt.Sprintf("%s got %d", keys[i], got))
	}
	l.Verdict(holds, "%d published; %s", 3*count, strings.Join(counted, ", "))
}

func lateBinding(l *lab.Lab) {
	const count = 10
	url := brokerlab.Vhost(l)
	l.Step("a publisher; no subscriber has ever been there")
	p := publisher(l, url, "-count", fmt.Sprint(count), "-interval", "200ms")
	p.WaitFor("no subscriber yet: event 2 dropped")
	l.Say("a subscriber makes its queue") // no Step: the publisher goes on
	s := subscriber(l, url, "A")
	status := p.Wait()
	sent := lab.Numbers(published, p)
	dropped := lab.Numbers("no subscriber yet: event ", p)
	l.WaitForNumbers(handled, len(sent), s)
	got := lab.Numbers(handled, s)
	l.Verdict(status == 0 && len(dropped) >= 3 && len(sent) > 0 &&
		len(sent)+len(dropped) == count && lab.Missing(sent, got) == 0 &&
		lab.Missing(dropped, got) == len(dropped),
		"%d sent, %d dropped as the publisher says, %d handled", count,
		len(dropped), len(got))
}
