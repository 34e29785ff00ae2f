package messagequeue_test

import (
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
	messagequeue "distsys/message_queue"
)

// A kind of queue, and of messages in it.
type kind struct {
	name    string
	declare func(channel *amqp.Channel) (queue string, err error)
	mode    uint8
}

// The quorum queue is ours. Beside it is a classic one with persistent
// messages, and one that does not outlive its connection.
var kinds = []kind{
	{"quorum", func(channel *amqp.Channel) (string, error) {
		return messagequeue.Queue, messagequeue.Declare(channel)
	}, amqp.Persistent},
	{"classic", func(channel *amqp.Channel) (string, error) {
		_, err := channel.QueueDeclare("bench-classic", true, false, false,
			false, nil)
		return "bench-classic", err
	}, amqp.Persistent},
	{"transient", func(channel *amqp.Channel) (string, error) {
		_, err := channel.QueueDeclare("bench-transient", false, true, true,
			false, nil)
		return "bench-transient", err
	}, amqp.Transient},
}

// BenchmarkPublish has orders published to a private broker, so many of them
// on their way at a time, and shows confirmed orders per second: with the bare
// library, for each kind of queue, and of our producer, which has one on its
// way or a hundred.
func BenchmarkPublish(b *testing.B) {
	for _, kind := range kinds {
		for _, run := range []struct{ window, orders int }{
			{1, 300}, {10, 2_000}, {100, 15_000}, {1000, 15_000},
		} {
			b.Run(fmt.Sprintf("%s/window=%d", kind.name, run.window),
				func(b *testing.B) {
					publish(b, kind, run.orders, run.window)
				})
		}
	}
}

func publish(b *testing.B, kind kind, orders, window int) {
	l := labtest.New(b)
	defer l.Close()
	url := brokerlab.Vhost(l)
	rate := func(took time.Duration) float64 {
		return float64(orders) / took.Seconds()
	}
	bare := rate(publishBare(b, url, kind, orders, window))
	b.ReportMetric(bare, "bare-orders/s")
	b.ReportMetric(0, "ns/op")
	intervals := map[int]string{1: "1ns", 100: "0"} // see the producer's window
	if interval := intervals[window]; kind.name == "quorum" && interval != "" {
		ours := rate(publishOurs(b, l, url, interval, orders))
		b.ReportMetric(ours, "ours-orders/s")
		b.ReportMetric(ours/bare, "ours/bare")
	}
}

// publishOurs returns how long our producer takes, less what it takes without
// any order, to start, connect and end.
func publishOurs(b *testing.B, l *lab.Lab, url, interval string,
	orders int) (took time.Duration) {
	for _, count := range []int{0, orders} {
		begun := time.Now()
		p := start(l, producer, url, "-interval", interval, "-count",
			fmt.Sprint(count), "-quiet")
		if p.Wait() != 0 {
			b.Fatal("the producer failed")
		}
		took = time.Since(begun) - took
	}
	return took
}

// publishBare publishes n orders with nothing but the library's calls.
func publishBare(b *testing.B, url string, kind kind,
	n, window int) time.Duration {
	channel := labtest.Channel(b, url)
	queue, err := kind.declare(channel)
	labtest.Must(b, err)
	labtest.Must(b, channel.Confirm(false))
	begun := time.Now()
	var awaited []*amqp.DeferredConfirmation
	for i := range n {
		message := messagequeue.Message(messagequeue.Order{ID: i, Value: 17})
		message.DeliveryMode = kind.mode
		confirm, err := channel.PublishWithDeferredConfirmWithContext(
			b.Context(), "", queue, true, false, message)
		labtest.Must(b, err)
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
// several limits of how many it holds, and shows orders per second. Beside it
// is a loop of the bare library's calls, which prints nothing.
func BenchmarkConsumer(b *testing.B) {
	for _, run := range []struct{ prefetch, orders int }{
		{1, 2_000}, {10, 5_000}, {100, 10_000}, {1000, 10_000},
	} {
		b.Run(fmt.Sprintf("prefetch=%d", run.prefetch), func(b *testing.B) {
			consume(b, run.prefetch, run.orders)
		})
	}
}

func consume(b *testing.B, prefetch, orders int) {
	l := labtest.New(b)
	defer l.Close()
	url := brokerlab.Vhost(l)
	publishBare(b, url, kinds[0], orders, 100)
	bare := consumeBare(b, url, prefetch, orders)

	publishBare(b, url, kinds[0], orders, 100)
	c := start(l, consumer, url, "-work", "0", "-prefetch",
		fmt.Sprint(prefetch), "1").Mute()
	c.WaitFor("waiting")
	begun := time.Now()
	c.WaitForNumber("handled order ", orders-1)
	ours := time.Since(begun)
	b.ReportMetric(float64(orders)/ours.Seconds(), "ours-orders/s")
	b.ReportMetric(float64(orders)/bare.Seconds(), "bare-orders/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
	b.ReportMetric(0, "ns/op")
}

// consumeBare takes n orders with nothing but the library's calls.
func consumeBare(b *testing.B, url string, prefetch, n int) time.Duration {
	channel := labtest.Channel(b, url)
	labtest.Must(b, channel.Qos(prefetch, 0, false))
	begun := time.Now()
	deliveries, err := channel.Consume(messagequeue.Queue, "bare", false,
		false, false, false, nil)
	labtest.Must(b, err)
	for range n {
		delivery, ok := <-deliveries
		if !ok {
			b.Fatal("the broker is gone")
		}
		_, err := messagequeue.ParseOrder(delivery.Body)
		labtest.Must(b, err)
		labtest.Must(b, delivery.Ack(false))
	}
	took := time.Since(begun)
	labtest.Must(b, channel.Cancel("bare", false)) // else it takes ours, too
	return took
}
