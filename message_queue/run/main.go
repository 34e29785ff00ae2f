// Run tells the story of the message queue with real processes, or makes one
// of its experiments.
//
//	go run ./message_queue/run
//	go run ./message_queue/run offline-consumer
package main

import (
	"flag"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	messagequeue "distsys/message_queue"
)

var (
	url    = broker.Flag()
	beside = flag.Bool("pipeline", false,
		"first make the pipeline's experiment of that name, to compare")
)

func main() {
	lab.Main("message_queue",
		"A producer submits orders to a queue; consumers share the work.",
		alone(story),
		lab.Experiment{Name: "offline-consumer", Run: alone(offlineConsumer),
			Claim: "A consumer gets every order that was submitted while" +
				" it was away."},
		lab.Experiment{Name: "slow-worker", Run: slowWorker,
			Claim: "Whoever is free takes the next order: the fast worker" +
				" does most of the work."},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Claim: "What a crashed worker did not acknowledge goes to" +
				" another one; nothing is lost."},
		lab.Experiment{Name: "prefetch", Run: alone(prefetch),
			Claim: "Without a limit the first consumer grabs all that the" +
				" queue holds."},
		lab.Experiment{Name: "poison", Run: alone(poison),
			Claim: "An order that crashes whoever takes it is set aside" +
				" after its fifth return."},
		lab.Experiment{Name: "broker-restart", Run: alone(brokerRestart),
			Claim: "Every confirmed order survives a crash of the broker;" +
				" a classic queue keeps only persistent messages."},
		lab.Experiment{Name: "confirm", Run: alone(confirm),
			Claim: "Without confirms, a producer believes that it sent" +
				" orders that never arrived."},
		lab.Experiment{Name: "node-loss", Run: alone(nodeLoss),
			Claim: "In a cluster of three brokers, nothing confirmed is" +
				" lost with the one that leads the queue."},
	)
}

// alone is for what has no counterpart in the pipeline.
func alone(tell func(*lab.Lab)) func(*lab.Lab) {
	return func(l *lab.Lab) {
		if *beside {
			l.Fail("-pipeline goes with slow-worker or worker-crash")
		}
		tell(l)
	}
}

// What the programs print of an order's life.
const (
	submitted = "submitted order "
	sent      = "sent order " // without confirm
	received  = "received order "
	handled   = "handled order "
)

func producer(l *lab.Lab, url string, args ...string) *lab.Process {
	return l.Start("message_queue/producer",
		append([]string{"-broker", url}, args...)...)
}

// consumer starts one and waits until it consumes.
func consumer(l *lab.Lab, url, id string, args ...string) *lab.Process {
	args = append([]string{"-broker", url}, args...)
	c := l.Start("message_queue/consumer", append(args, id)...)
	c.WaitFor("waiting")
	return c
}

func story(l *lab.Lab) {
	url := brokerlab.OrVhost(l, *url)
	l.Step("two consumers wait for orders")
	first := consumer(l, url, "1", "-work", "500ms")
	second := consumer(l, url, "2", "-work", "500ms")

	l.Step("a producer submits ten; each goes to a consumer that is free")
	producer(l, url, "-count", "10", "-interval", "200ms").Wait()
	l.WaitForCount(handled, 10, first, second)
}

func offlineConsumer(l *lab.Lab) {
	url := brokerlab.Vhost(l)
	l.Step("a producer submits %d orders and leaves; nobody consumes", orders)
	p := producer(l, url, "-count", fmt.Sprint(orders), "-interval", "50ms")
	status := p.Wait()

	l.Step("only now a consumer starts")
	c := consumer(l, url, "1", "-work", "50ms")
	l.WaitForCount(handled, orders, c)
	done := tally(p, c)
	l.Verdict(status == 0 && done.sent == orders && done.lost == 0, "%v", done)
}

// A count is what became of the orders.
type count struct{ sent, handled, redelivered, twice, lost int }

func (c count) String() string {
	text := fmt.Sprintf("%d sent, %d handled, %d redelivered, %d lost",
		c.sent, c.handled, c.redelivered, c.lost)
	if c.twice > 0 {
		text += fmt.Sprintf(", %d handled twice", c.twice)
	}
	return text
}

// tally counts what the programs have printed.
func tally(p *lab.Process, consumers ...*lab.Process) (c count) {
	sent := lab.Numbers(submitted, p)
	done := lab.Numbers(handled, consumers...)
	for _, times := range done {
		if times > 1 {
			c.twice++
		}
	}
	c.sent, c.handled = len(sent), len(done)
	c.redelivered = lab.Count("(redelivered)", consumers...)
	c.lost = lab.Missing(sent, done)
	return c
}

// The scenario of slow-worker and worker-crash, here and in pipeline: twenty
// orders, and two workers of which one is ten times slower.
const (
	orders = 20
	quick  = "50ms"
	slow   = "500ms"
)

// push submits all the orders at once.
func push(l *lab.Lab, url string) *lab.Process {
	return producer(l, url, "-count", fmt.Sprint(orders), "-interval", "0")
}

func slowWorker(l *lab.Lab) {
	besidePipeline(l, "slow-worker")
	url := brokerlab.Vhost(l)
	fast := consumer(l, url, "fast", "-work", quick)
	late := consumer(l, url, "slow", "-work", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	begun := time.Now()
	p := push(l, url)
	l.WaitForNumbers(handled, orders, fast, late)
	took := time.Since(begun)
	done := tally(p, fast, late)
	f := len(lab.Numbers(handled, fast))
	l.Verdict(done.sent == orders && done.lost == 0 && f > orders*3/4,
		"%d sent, %d handled by the fast worker, %d by the slow one, in "+
			"%.1f s", done.sent, f, len(lab.Numbers(handled, late)),
		took.Seconds())
}

func workerCrash(l *lab.Lab) {
	besidePipeline(l, "worker-crash")
	url := brokerlab.Vhost(l)
	fast := consumer(l, url, "fast", "-work", quick)
	late := consumer(l, url, "slow", "-work", slow)
	l.Step("two workers, one ten times slower; %d orders", orders)
	p := push(l, url)
	late.WaitFor(handled)
	late.WaitFor(received)
	late.Hold() // or it would be done while the lecturer talks
	l.Step("the slow worker crashes in the middle of its work")
	late.Kill()
	l.WaitForNumbers(handled, orders, fast, late)
	done := tally(p, fast, late)
	l.Verdict(done.sent == orders && done.lost == 0 && done.redelivered == 1,
		"%v", done)
}

// besidePipeline first makes the pipeline's experiment of the same name, if
// that was asked for, so that both verdicts stand under each other.
func besidePipeline(l *lab.Lab, experiment string) {
	if !*beside {
		return
	}
	run := l.Start("pipeline/run", experiment)
	if run.Wait() != 0 {
		l.Fail("the pipeline's experiment failed")
	}
	lines := run.Lines()
	l.Beside(lines[len(lines)-1] + " (pipeline)")
}

func prefetch(l *lab.Lab) {
	share := func(limit string) (one, two int) {
		url := brokerlab.Vhost(l)
		p := push(l, url)
		p.Wait()
		first := consumer(l, url, "first", "-work", quick, "-prefetch", limit)
		first.WaitFor(received)
		second := consumer(l, url, "second", "-work", quick, "-prefetch", limit)
		l.WaitForNumbers(handled, orders, first, second)
		first.Stop()
		second.Stop()
		return lab.Count(handled, first), lab.Count(handled, second)
	}
	l.Step("%d orders in the queue, two consumers without a limit", orders)
	a, b := share("0")
	l.Step("the same with -prefetch 1")
	c, d := share("1")
	l.Verdict(a == orders && b == 0 && c > 0 && d >= orders/4,
		"%d sent; without a limit the first handled %d, the second %d; with "+
			"prefetch 1 %d and %d", orders, a, b, c, d)
}

func poison(l *lab.Lab) {
	const count, bad = 5, "received order 2 "
	url := brokerlab.Vhost(l)
	l.Step("%d orders; whoever receives order 2 crashes", count)
	p := producer(l, url, "-count", fmt.Sprint(count), "-interval", "0")
	p.Wait()
	var consumers []*lab.Process
	crashes := 0
	for {
		// It works for long enough to be killed before it is done.
		c := consumer(l, url, fmt.Sprint(len(consumers)+1), "-work", "1s")
		consumers = append(consumers, c)
		l.WaitUntil("an order", func() bool {
			return c.Printed(bad) || c.Printed(handled+"4 ")
		})
		if lab.Count(bad, c) == 0 {
			break
		}
		crashes++
		c.Kill()
	}
	done := tally(p, consumers...)
	dead := depth(l, url, messagequeue.DeadLetters)
	l.Verdict(done.sent == count && done.handled == count-1 && dead == 1 &&
		crashes == 6,
		"%d sent, %d handled, %d crashes by order 2, %d dead letter",
		done.sent, done.handled, crashes, dead)
}

// channel opens a channel for the experiment itself.
func channel(l *lab.Lab, url string) *amqp.Channel {
	conn, err := amqp.Dial(url)
	l.Check(err)
	l.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	l.Check(err)
	return channel
}

// depth is how many messages wait in a queue.
func depth(l *lab.Lab, url, queue string) int {
	q, err := channel(l, url).QueueDeclarePassive(queue, true, false, false,
		false, nil)
	l.Check(err)
	return q.Messages
}

// settle lets new queues become safe. RabbitMQ 3.10 may lose a quorum queue
// whose node is killed less than about a second after it was declared.
// Nothing tells when it is safe, so that here time must pass.
func settle(l *lab.Lab) {
	l.Say("waiting until the new queues are safe")
	l.Check(cli.Sleep(l.Context(), 8*time.Second))
}

// restart has a node crash and come back.
func restart(l *lab.Lab, node *broker.Node) {
	l.Check(node.Kill())
	l.Step("the broker is started again (takes some seconds)")
	l.Check(node.Start(l.Context()))
}

func brokerRestart(l *lab.Lab) {
	const count, each = 300, 10
	node := brokerlab.Node(l)
	url := node.URL("/")
	c := consumer(l, url, "1", "-work", "20ms", "-prefetch", "5").Mute()
	classic(l, url, each)
	settle(l)

	l.Step("%d orders are submitted, and handled more slowly", count)
	p := producer(l, url, "-count", fmt.Sprint(count), "-interval",
		"10ms").Mute()
	p.WaitFor(submitted + "100 ")
	l.Step("the broker crashes")
	restart(l, node)
	if p.Wait() != 0 {
		l.Fail("the producer gave up")
	}
	l.WaitForNumbers(handled, count, c)
	done := tally(p, c)
	persistent, transient := kept(l, url)
	l.Verdict(done.sent == count && done.lost == 0 && persistent == each &&
		transient == 0,
		"%v; of the classic queue's, %d of %d persistent ones are there, %d "+
			"of %d others", done, persistent, each, transient, each)
}

const classicQueue = "classic"

// classic fills a durable classic queue with n messages that are persistent
// and n that are not, all of them confirmed.
func classic(l *lab.Lab, url string, n int) {
	channel := channel(l, url)
	_, err := channel.QueueDeclare(classicQueue, true, false, false, false, nil)
	l.Check(err)
	l.Check(channel.Confirm(false))
	for range n {
		for _, mode := range []uint8{amqp.Persistent, amqp.Transient} {
			confirm, err := channel.PublishWithDeferredConfirmWithContext(
				l.Context(), "", classicQueue, true, false,
				amqp.Publishing{DeliveryMode: mode})
			l.Check(err)
			if !confirm.Wait() {
				l.Fail("a message was not confirmed")
			}
		}
	}
}

// kept counts what the classic queue still holds.
func kept(l *lab.Lab, url string) (persistent, transient int) {
	channel := channel(l, url)
	for {
		message, ok, err := channel.Get(classicQueue, true)
		l.Check(err)
		if !ok {
			return persistent, transient
		}
		if message.DeliveryMode == amqp.Persistent {
			persistent++
		} else {
			transient++
		}
	}
}

func confirm(l *lab.Lab) {
	const hastily, carefully = 30_000, 1_000
	node := brokerlab.Node(l)
	l.Step("two producers, one with -confirm=false, each with its own queue")
	var urls []string
	for _, vhost := range []string{"hasty", "careful"} {
		url, err := node.AddVhost(l.Context(), vhost)
		l.Check(err)
		urls = append(urls, url)
		l.Check(messagequeue.Declare(channel(l, url)))
	}
	settle(l)
	l.Step("they send; the broker crashes in the middle of it")
	careful := producer(l, urls[1], "-count", fmt.Sprint(carefully),
		"-interval", "2ms").Mute()
	careful.WaitFor(submitted + "100 ")
	hasty := producer(l, urls[0], "-confirm=false", "-count",
		fmt.Sprint(hastily), "-interval", "0").Mute()
	hasty.WaitFor(sent + "5000 ")
	restart(l, node)
	if hasty.Wait() != 0 || careful.Wait() != 0 {
		l.Fail("a producer gave up")
	}
	believed := len(lab.Numbers(sent, hasty))
	confirmed := len(lab.Numbers(submitted, careful))
	arrived := depth(l, urls[0], messagequeue.Queue)
	safe := depth(l, urls[1], messagequeue.Queue)
	l.Verdict(believed > arrived && confirmed <= safe &&
		confirmed == carefully,
		"without confirms %d sent, %d arrived, %d lost; with confirms %d "+
			"sent, %d arrived", believed, arrived, believed-arrived, confirmed,
		safe)
}

func nodeLoss(l *lab.Lab) {
	const count = 300
	nodes, urls := brokerlab.Cluster(l)
	c := consumer(l, urls, "1", "-work", "1ms", "-prefetch", "5").Mute()
	p := producer(l, urls, "-count", fmt.Sprint(count), "-interval",
		"20ms").Mute()
	p.WaitFor(submitted + "50 ")
	name, err := nodes[0].Leader(l.Context(), "/", messagequeue.Queue)
	l.Check(err)
	for _, node := range nodes {
		if node.Name == name {
			l.Step("%s leads the queue; it crashes", name)
			l.Check(node.Kill())
		}
	}
	if p.Wait() != 0 {
		l.Fail("the producer gave up")
	}
	l.WaitForNumbers(handled, count, c)
	done := tally(p, c)
	l.Verdict(done.sent == count && done.lost == 0, "%v", done)
}
