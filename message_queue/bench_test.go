package messagequeue_test

import (
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
	messagequeue "distsys/message_queue"
)

// BenchmarkProducer submits orders to a private broker and shows confirmed
// orders per second: of our producer, which has up to 100 on their way; of
// the bare library with as many; and of the bare library with one at a time.
// And which part of the first the second reaches, and how many times the
// third.
func BenchmarkProducer(b *testing.B) {
	const orders, few = 60_000, 600
	var ours, bare, one time.Duration
	for range b.N {
		l := labtest.New(b)
		one += publishBare(b, brokerlab.Vhost(l), few, 1) * (orders / few)
		bare += publishBare(b, brokerlab.Vhost(l), orders, 100)
		p := start(l, producer, brokerlab.Vhost(l), "-interval", "0", "-count",
			fmt.Sprint(orders), "-quiet")
		begun := time.Now()
		if p.Wait() != 0 {
			b.Fatal("the producer failed")
		}
		ours += time.Since(begun) // with its start and end
		l.Close()
	}
	total := float64(orders * b.N)
	b.ReportMetric(total/ours.Seconds(), "ours-orders/s")
	b.ReportMetric(total/bare.Seconds(), "bare-orders/s")
	b.ReportMetric(total/one.Seconds(), "one-at-a-time-orders/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
	b.ReportMetric(one.Seconds()/ours.Seconds(), "ours/one-at-a-time")
	b.ReportMetric(0, "ns/op")
}

// publishBare publishes n orders with nothing but the library's calls.
func publishBare(b *testing.B, url string, n, window int) time.Duration {
	conn, err := amqp.Dial(url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		b.Fatal(err)
	}
	if err := messagequeue.Declare(channel); err != nil {
		b.Fatal(err)
	}
	if err := channel.Confirm(false); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	var awaited []*amqp.DeferredConfirmation
	for i := range n {
		confirm, err := channel.PublishWithDeferredConfirmWithContext(
			b.Context(), "", messagequeue.Queue, true, false,
			messagequeue.Message(messagequeue.Order{ID: i, Value: 17}))
		if err != nil {
			b.Fatal(err)
		}
		if awaited = append(awaited, confirm); len(awaited) == window {
			if !awaited[0].Wait() {
				b.Fatal("not confirmed")
			}
			awaited = awaited[1:]
		}
	}
	for _, confirm := range awaited {
		if !confirm.Wait() {
			b.Fatal("not confirmed")
		}
	}
	return time.Since(begun)
}

// BenchmarkConsumer has our consumer handle orders that take no work, with
// several limits of how many it holds, and shows orders per second.
func BenchmarkConsumer(b *testing.B) {
	const orders = 5_000
	for _, prefetch := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("prefetch=%d", prefetch), func(b *testing.B) {
			var took time.Duration
			for range b.N {
				l := labtest.New(b)
				url := brokerlab.Vhost(l)
				publishBare(b, url, orders, 100)
				c := start(l, consumer, url, "-work", "0", "-prefetch",
					fmt.Sprint(prefetch), "1").Mute()
				c.WaitFor("waiting")
				begun := time.Now()
				c.WaitForNumber("handled order ", orders-1)
				took += time.Since(begun)
				l.Close()
			}
			b.ReportMetric(float64(orders*b.N)/took.Seconds(),
				"ours-orders/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
