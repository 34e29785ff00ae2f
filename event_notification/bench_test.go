package eventnotification_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	event "distsys/event_notification"
	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// BenchmarkPublisher has our publisher send events as fast as it can to 1,
// 10 and 100 of our subscribers, each a process that prints what it gets. It
// shows the events per second from the first that is published to the last
// that the last subscriber receives, the deliveries that makes, and that no
// subscriber misses one: each run stays below the high-water mark of 1000, so
// that all of them keep up. Beside it, in the same run, are as many processes
// with nothing but the bare library's calls, which write and read the same
// JSON, but print nothing meanwhile; and then those again, printing a line for
// each event: that is what most of the difference is. Few events to few
// subscribers are over in some milliseconds, so they are sent several times;
// the figures are medians.
func BenchmarkPublisher(b *testing.B) {
	const events = 900
	for _, run := range []struct{ subscribers, times int }{
		{1, 7}, {10, 5}, {100, 1},
	} {
		b.Run(fmt.Sprintf("subscribers=%d", run.subscribers),
			func(b *testing.B) {
				publish(b, events, run.subscribers, run.times)
			})
	}
}

func publish(b *testing.B, events, subscribers, times int) {
	var ours, bare, printing []time.Duration
	missing := 0
	for range times * b.N {
		bare = append(bare, bareBurst(b, events, subscribers, silent))
		printing = append(printing, bareBurst(b, events, subscribers, prints))
		d, m := burst(b, events, subscribers)
		ours = append(ours, d)
		missing += m
	}
	rate := func(took []time.Duration) float64 {
		slices.Sort(took)
		return float64(events) / took[len(took)/2].Seconds()
	}
	b.ReportMetric(rate(ours), "ours-events/s")
	b.ReportMetric(rate(ours)*float64(subscribers), "ours-deliveries/s")
	b.ReportMetric(rate(bare), "bare-events/s")
	b.ReportMetric(rate(printing), "printing-events/s")
	b.ReportMetric(rate(ours)/rate(bare), "ours/bare")
	b.ReportMetric(rate(ours)/rate(printing), "ours/printing")
	b.ReportMetric(float64(missing), "missed")
	b.ReportMetric(0, "ns/op") // would count the start of them all
	if missing > 0 {
		b.Errorf("%d events were missed", missing)
	}
}

func burst(b *testing.B, events, n int) (took time.Duration, missing int) {
	l := labtest.New(b)
	defer l.Close()
	address := l.Address()
	var all []*lab.Process
	for i := range n {
		s := l.Start(subscriber, "-connect", address, fmt.Sprint(i)).Mute()
		s.WaitFor("subscribing")
		all = append(all, s)
	}
	p := l.Start(publisher, "-bind", address, "-wait", fmt.Sprint(n), "-count",
		fmt.Sprint(events), "-interval", "0").Mute()
	p.WaitFor(fmt.Sprintf("subscribers: %d ", n))
	begun := time.Now()
	for _, s := range all {
		s.WaitForNumber("received TEMP event ", events-1)
	}
	took = time.Since(begun)
	for _, s := range all {
		missing += events - len(lab.Numbers("received TEMP event ", s))
	}
	return took, missing
}

// bareBurst does the same with bare processes. It is over so soon that they
// look at the clock themselves: to hear of it would take too long.
func bareBurst(b *testing.B, events, n int, how string) time.Duration {
	l := labtest.New(b)
	defer l.Close()
	address := l.Address()
	clock := func(line func() string) time.Duration {
		for {
			text, isClock := strings.CutPrefix(line(), "clock ")
			if isClock {
				nanoseconds, err := strconv.Atoi(text)
				l.Check(err)
				return time.Duration(nanoseconds)
			}
		}
	}
	p := labtest.StartBare(l, "publisher", address, events, how, n)
	var all []func() string
	for range n {
		all = append(all, labtest.StartBare(l, "subscriber", address, events,
			how))
	}
	begun := clock(p)
	var ended time.Duration
	for _, s := range all {
		ended = max(ended, clock(s))
	}
	return ended - begun
}

// What bare processes do with each event.
const (
	silent = "silent"
	prints = "prints" // a line
)

// playBare is a publisher, which prints when it begins, or a subscriber, which
// prints when it has all events.
func playBare(role []string) error {
	events, err := strconv.Atoi(role[2])
	if err != nil {
		return err
	}
	line := func(string, int) {}
	if role[3] == prints {
		line = func(what string, seq int) { fmt.Println(what, "event", seq) }
	}
	if role[0] == "subscriber" {
		return bareSubscriber(role[1], events, line)
	}
	subscribers, err := strconv.Atoi(role[4])
	if err != nil {
		return err
	}
	return barePublisher(role[1], events, subscribers, line)
}

func barePublisher(address string, events, subscribers int,
	line func(what string, seq int)) error {
	socket, err := zmq.NewSocket(zmq.XPUB)
	if err != nil {
		return err
	}
	if err := socket.SetXpubVerboser(1); err != nil {
		return err
	}
	if err := socket.Bind(address); err != nil {
		return err
	}
	for range subscribers {
		if _, err := socket.Recv(0); err != nil {
			return err
		}
	}
	fmt.Println("clock", time.Now().UnixNano())
	for seq := range events {
		frame := event.Measure(seq).Frame(event.Topic)
		if _, err := socket.Send(frame, 0); err != nil {
			return err
		}
		line("published", seq)
	}
	select {} // killed when the subscribers have all
}

func bareSubscriber(address string, events int,
	line func(what string, seq int)) error {
	socket, err := zmq.NewSocket(zmq.SUB)
	if err != nil {
		return err
	}
	// Where the last event does not come, fail rather than wait for ever.
	if err := socket.SetRcvtimeo(lab.Patience); err != nil {
		return err
	}
	if err := socket.SetSubscribe(event.Topic); err != nil {
		return err
	}
	if err := socket.Connect(address); err != nil {
		return err
	}
	for seq := range events {
		frame, err := socket.Recv(0)
		if err != nil {
			return err
		}
		_, e, err := event.ParseFrame(frame)
		if err != nil {
			return err
		}
		if e.Seq != seq {
			return fmt.Errorf("event %d came instead of %d", e.Seq, seq)
		}
		line("received", seq)
	}
	fmt.Println("clock", time.Now().UnixNano())
	return nil
}
