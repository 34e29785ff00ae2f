package eventnotification_test

import (
	"fmt"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// BenchmarkPublisher has our publisher send events as fast as it can to 1,
// 10 and 100 of our subscribers, each a process that prints what it gets. It
// shows the events per second from the first that is published to the last
// that the last subscriber receives, the deliveries that makes, and that no
// subscriber misses one: each run stays below the high-water mark of 1000, so
// that all of them keep up.
func BenchmarkPublisher(b *testing.B) {
	const events = 900
	for _, subscribers := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("subscribers=%d", subscribers), func(b *testing.B) {
			var took time.Duration
			missing := 0
			for range b.N {
				d, m := burst(b, events, subscribers)
				took += d
				missing += m
			}
			rate := float64(events*b.N) / took.Seconds()
			b.ReportMetric(rate, "events/s")
			b.ReportMetric(rate*float64(subscribers), "deliveries/s")
			b.ReportMetric(float64(missing), "missed")
			b.ReportMetric(0, "ns/op") // would count the start of them all
			if missing > 0 {
				b.Errorf("%d events were missed", missing)
			}
		})
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
	p.WaitFor(fmt.Sprintf("subscribers: %d", n))
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
