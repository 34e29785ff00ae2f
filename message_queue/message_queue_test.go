package messagequeue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
	messagequeue "distsys/message_queue"
)

const (
	producer = "message_queue/producer"
	consumer = "message_queue/consumer"
)

func TestMain(m *testing.M) { labtest.MainWithBroker(m, "message_queue") }

func TestExperiments(t *testing.T) {
	t.Parallel()
	labtest.Experiments(t, "message_queue", "offline-consumer", "slow-worker",
		"worker-crash", "prefetch", "poison", "broker-restart", "confirm",
		"node-loss")
}

// With -trace, the broker's view stands beside the programs' lines, and the
// broker is left without it.
func TestTrace(t *testing.T) {
	t.Parallel()
	run := labtest.New(t).Start("message_queue/run", "-trace",
		"offline-consumer")
	if status := run.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	for text, n := range map[string]int{
		"broker: publish to the default exchange, key [delivery-orders]": 20,
		"broker: deliver from delivery-orders: {\"order_id\":":           20,
	} {
		if found := lab.Count(text, run); found != n {
			t.Errorf("%d lines with %q, expected %d", found, text, n)
		}
	}
}

func TestStory(t *testing.T) {
	t.Parallel()
	run := labtest.New(t).Start("message_queue/run")
	if run.Wait() != 0 || lab.Count("handled order", run) != 10 {
		t.Errorf("the story is %q", run.Text())
	}
}

// depth is how many messages wait in a queue.
func depth(t *testing.T, channel *amqp.Channel, queue string) int {
	t.Helper()
	q, err := channel.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}

// get takes a message from a queue, as soon as there is one.
func get(t *testing.T, channel *amqp.Channel, queue string) amqp.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	deliveries, err := channel.ConsumeWithContext(ctx, queue, "", true, false,
		false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	delivery, ok := <-deliveries
	if !ok {
		t.Fatalf("no message in %s", queue)
	}
	return delivery
}

func start(l *lab.Lab, program, url string, args ...string) *lab.Process {
	return l.Start(program, append([]string{"-broker", url}, args...)...)
}

// What programs in other languages rely on: names, arguments and messages.
func TestOnTheWire(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	if start(l, producer, url, "-count", "1").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	channel := labtest.Channel(t, url)
	for queue, arguments := range map[string]amqp.Table{
		"delivery-orders-dead": {"x-queue-type": "quorum"},
		"delivery-orders": {"x-queue-type": "quorum", "x-delivery-limit": 5,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": "delivery-orders-dead"},
	} {
		if _, err := channel.QueueDeclare(queue, true, false, false, false,
			arguments); err != nil {
			t.Fatal(err)
		}
	}
	message := get(t, channel, "delivery-orders")
	var order, value int
	const format = `{"order_id":%d,"total_value":%d}`
	n, err := fmt.Sscanf(string(message.Body), format, &order, &value)
	if n != 2 || fmt.Sprintf(format, order, value) != string(message.Body) {
		t.Errorf("the message is %s (%v)", message.Body, err)
	}
	if message.DeliveryMode != amqp.Persistent {
		t.Error("the message is not persistent")
	}
}

// An order that is being worked on is neither given to another consumer nor
// forgotten; and a consumer holds one at a time.
func TestAckAfterWork(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	slow := start(l, consumer, url, "-work", "1h", "slow")
	slow.WaitFor("waiting")
	if start(l, producer, url, "-count", "4", "-interval", "0").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	slow.WaitFor("received")
	quick := start(l, consumer, url, "-work", "0", "quick")
	l.WaitForCount("handled", 3, quick)
	slow.Kill()
	quick.WaitFor("(redelivered)")
	l.WaitForCount("handled", 4, quick)
	labtest.StopsAtOnce(t, quick)
	if n := depth(t, labtest.Channel(t, url), messagequeue.Queue); n != 0 {
		t.Errorf("%d orders are left after all were handled", n)
	}
}

func TestNotAnOrder(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	c := start(l, consumer, url, "-work", "0", "1")
	c.WaitFor("waiting")
	channel := labtest.Channel(t, url)
	bad := []string{"", "ciao", "[]", "{}", `{"order_id":1}`,
		`{"order_id":"1","total_value":2}`, "null", "\xff\x00",
		strings.Repeat("9", 1<<20)}
	for _, body := range append(bad, `{"order_id":7,"total_value":2}`) {
		if err := channel.PublishWithContext(t.Context(), "",
			messagequeue.Queue, true, false,
			amqp.Publishing{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	c.WaitFor("handled order 7 worth 2")
	if n := lab.Count("set aside", c); n != len(bad) {
		t.Errorf("%d of %d messages were set aside", n, len(bad))
	}
	letter := get(t, channel, messagequeue.DeadLetters)
	if string(letter.Body) != bad[0] {
		t.Errorf("the first dead letter is %.60q", letter.Body)
	}
	labtest.StopsAtOnce(t, c)
	if n := depth(t, channel, messagequeue.Queue); n != 0 {
		t.Errorf("%d messages came back", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	uri, err := amqp.ParseURI(url)
	if err != nil {
		t.Fatal(err)
	}
	host := fmt.Sprintf("127.0.0.1:%d", uri.Port)
	channel := labtest.Channel(t, url)
	if _, err := channel.QueueDeclare(messagequeue.Queue, true, false, false,
		false, nil); err != nil { // a classic queue
		t.Fatal(err)
	}
	nobody := strings.TrimPrefix(l.Address(), "tcp://")
	for _, program := range []string{producer, consumer} {
		for broker, says := range map[string][]string{
			"amqp://" + nobody: {"no broker answers at amqp://" + nobody,
				"make broker"},
			"amqp://" + nobody + ",amqp://" + nobody + "/x": {
				"no broker answers at amqp://" + nobody + "/x"},
			"amqp://guest:wrong@" + host: {`refuses user "guest"`},
			"amqp://" + host + "/nix":    {"no such vhost"},
			"http://" + host:             {"bad broker URL"},
			"":                           {"bad broker URL"},
			url: {"queue delivery-orders is there already, with other " +
				"arguments", "rabbitmqctl -p " + uri.Vhost +
				" delete_queue delivery-orders"},
		} {
			labtest.Refused(t, program, []string{"-broker", broker}, says...)
		}
		node, err := brokerlab.Shared()
		if err != nil {
			t.Fatal(err)
		}
		if err := node.AddUser(t.Context(), "stranger"); err != nil {
			t.Fatal(err)
		}
		if err := node.Permit(t.Context(), uri.Vhost, "stranger",
			"nothing"); err != nil {
			t.Fatal(err)
		}
		labtest.Refused(t, program, []string{"-broker",
			"amqp://stranger:stranger@" + host + "/" + uri.Vhost},
			"no right to queue delivery-orders", "set_permissions")
		labtest.Refused(t, program, []string{"-brocker", "x"},
			"unknown flag -brocker")
		labtest.Refused(t, program, []string{"1", "2"}, "surplus argument")
	}
	for _, args := range [][]string{{"-pipeline"}, {"-pipeline", "poison"}} {
		labtest.Refused(t, "message_queue/run", args,
			"-pipeline goes with slow-worker or worker-crash")
	}
	labtest.Refused(t, consumer, []string{"1", "-work", "0"},
		"flags come before words")
}

// A producer tries the brokers in turn.
func TestSecondBroker(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	nobody := strings.Replace(l.Address(), "tcp", "amqp", 1)
	if start(l, producer, nobody+","+url, "-count", "1").Wait() != 0 {
		t.Error("the producer does not try the second broker")
	}
}

// An order that no queue took is not submitted, though it is confirmed: the
// producer makes the queue anew and sends it again. And a consumer whose
// queue is deleted does not go on as if nothing had happened.
func TestQueueDeleted(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	c := start(l, consumer, url, "-work", "0", "1")
	c.WaitFor("waiting")
	p := start(l, producer, url, "-count", "20", "-interval", "100ms")
	p.WaitFor("submitted")
	channel := labtest.Channel(t, url)
	if _, err := channel.QueueDelete(messagequeue.Queue, false, false,
		false); err != nil {
		t.Fatal(err)
	}
	c.WaitFor("was the queue deleted?); connecting again")
	c.WaitFor("waiting")
	if p.Wait() != 0 {
		t.Error("the producer gave up")
	}
	c.WaitFor("handled order 19 ")
}

// Ctrl-C in the middle of an experiment leaves nothing behind: no process, and
// nothing in the system's folder for temporary files.
func TestInterruptedRunLeavesNothing(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	temporary := t.TempDir()
	run := l.StartEnv([]string{"TMPDIR=" + temporary, "DISTSYS_NODE=",
		"DISTSYS_GRACE=", "DISTSYS_BIN="}, "message_queue/run",
		"offline-consumer")
	run.WaitFor("submitted order 3 ")
	entries, err := os.ReadDir(temporary)
	if err != nil || len(entries) == 0 {
		t.Errorf("it runs without files? %v, %v", entries, err)
	}
	var node struct{ Port int }
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(temporary, entry.Name(),
			"node.json"))
		if err == nil {
			labtest.Must(t, json.Unmarshal(text, &node))
		}
	}
	run.Stop()
	if !strings.HasSuffix(run.Text(), ": stopped") {
		t.Errorf("the last line is not stopped: %q", run.Text())
	}
	if entries, err = os.ReadDir(temporary); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	_, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", node.Port))
	if node.Port == 0 || err == nil {
		t.Errorf("the broker on port %d is still there", node.Port)
	}
}

// An operator closes the connections: both programs say so and go on.
func TestConnectionClosedByAnOperator(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	vhost := url[strings.LastIndex(url, "/")+1:]
	c := start(l, consumer, url, "-work", "0", "1")
	p := start(l, producer, url, "-count", "1000000", "-interval", "50ms")
	c.WaitFor("waiting")
	p.WaitFor("submitted")
	node, err := brokerlab.Shared()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.CloseConnections(t.Context(), vhost); err != nil {
		t.Fatal(err)
	}
	for _, program := range []*lab.Process{p, c} {
		program.WaitFor("closed by an operator")
		program.WaitFor("connected to")
	}
	p.WaitFor("submitted")
	labtest.StopsAtOnce(t, p)
	last := p.LastNumber("submitted order ")
	l.WaitForNumbers("handled order ", last+1, c)
}

// With nobody to make the queue again, the producer meets the return itself.
func TestReturnedIsNotSubmitted(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	const orders = 60
	p := start(l, producer, url, "-count", fmt.Sprint(orders), "-interval",
		"50ms")
	channel := labtest.Channel(t, url)
	deleted := 0
	for lab.Count("was not taken", p) == 0 {
		p.WaitFor("submitted")
		n, err := channel.QueueDelete(messagequeue.Queue, false, false, false)
		labtest.Must(t, err)
		deleted += n
		// A broker that is busy deleting the queue may break off with an
		// error instead of sending the order back.
		p.WaitFor("connecting again") // what it submits now comes after it
	}
	if p.Wait() != 0 {
		t.Error("the producer gave up")
	}
	submitted := lab.Numbers("submitted order ", p)
	if n := depth(t, channel, messagequeue.Queue); n+deleted < orders ||
		len(submitted) != orders {
		t.Errorf("%d orders: %d submitted, %d in the deleted queue, %d in "+
			"the new one", orders, len(submitted), deleted, n)
	}
}

func TestWithoutConfirm(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	p := start(l, producer, url, "-confirm=false", "-count", "2",
		"-interval", "1h")
	p.WaitFor("sent order 0 ")
	// Nothing is confirmed: the queue may still be taking what it was sent.
	channel := labtest.Channel(t, url)
	n, end := 0, time.Now().Add(lab.Patience)
	for n == 0 && time.Now().Before(end) {
		lookAgain()
		n = depth(t, channel, messagequeue.Queue)
	}
	if n != 1 {
		t.Errorf("the order that was sent is in the queue %d times", n)
	}
	labtest.StopsAtOnce(t, p)
	p.WaitFor("1 orders not submitted")

	// How many of these arrive is not promised. Even a broker that is well
	// may lose some of the last ones: when the channel is closed, it forgets
	// what a quorum queue has not taken yet.
	p = start(l, producer, url, "-confirm=false", "-count", "2000",
		"-interval", "0")
	if p.Wait() != 0 || lab.Count("submitted", p) != 0 ||
		len(lab.Numbers("sent order ", p)) != 2000 {
		t.Errorf("the producer printed %.200q", p.Text())
	}
}

func TestCtrlC(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)

	c := start(l, consumer, url, "-work", "1h", "1") // blocked in receive
	c.WaitFor("waiting")
	labtest.StopsAtOnce(t, c)

	p := start(l, producer, url, "-count", "2", "-interval", "1h")
	p.WaitFor("submitted order 0") // between two orders
	labtest.StopsAtOnce(t, p)
	p.WaitFor("1 orders not submitted")

	c = start(l, consumer, url, "-work", "1h", "1") // at work
	c.WaitFor("received order 0")
	labtest.StopsAtOnce(t, c)
	c.WaitFor("order 0 worth")
	if n := depth(t, labtest.Channel(t, url), messagequeue.Queue); n != 1 {
		t.Errorf("%d orders in the queue, after one went back", n)
	}
}

// What a consumer prints of the orders that it held when it was stopped is
// true: five times they go back to the queue, and then they are set aside.
// The next consumer says that they are there.
func TestStoppedTooOften(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	const orders, returns = 20, 5
	if start(l, producer, url, "-count", fmt.Sprint(orders), "-interval",
		"0").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	channel := labtest.Channel(t, url)
	for stop := range returns + 1 {
		c := start(l, consumer, url, "-prefetch", "100", "-work", "1h", "1")
		c.WaitFor("received order 0 ")
		for depth(t, channel, messagequeue.Queue) > 0 { // it holds them all
			lookAgain()
		}
		labtest.StopsAtOnce(t, c)
		back := lab.Count("goes back to the queue", c) +
			lab.Count("19 more orders that it held go back", c)
		aside := lab.Count("came back too often: set aside, in "+
			"delivery-orders-dead", c)
		if last := stop == returns; last != (aside == 2) ||
			last != (back == 0) || back+aside != 2 {
			t.Errorf("stopped %d times before, it prints %q", stop, c.Text())
		}
	}
	for depth(t, channel, messagequeue.DeadLetters) < orders {
		lookAgain()
	}
	c := start(l, consumer, url, "1")
	c.WaitFor("set aside before, in delivery-orders-dead: 20 orders")
	c.WaitFor("waiting for orders")
}

// lookAgain leaves the processor to what is waited for.
func lookAgain() { time.Sleep(10 * time.Millisecond) }

// A consumer that loses the broker while it works has not handled the order:
// it cannot acknowledge it, and gets it again.
func TestHandledIsAcknowledged(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	wire := labtest.NewWire(t, url)
	if start(l, producer, url, "-count", "1").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	c := start(l, consumer, wire.URL, "-work", "500ms", "1")
	c.WaitFor("received order 0 ")
	wire.Cut()
	c.WaitFor("lost the broker (")
	c.WaitFor("(redelivered)")
	c.WaitFor("handled order 0 ")
	if n := lab.Count("handled order 0 ", c); n != 1 {
		t.Errorf("it was handled %d times: %q", n, c.Text())
	}
}

// On a broker that is there already, the story touches nothing that is
// somebody else's, and leaves nothing of its own: not even as a user who has
// no rights but on queues that are named as ours, and not if it is stopped.
func TestStoryIsAGuest(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	if start(l, producer, url, "-count", "7", "-interval", "0").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	guest := labtest.User(t, url, "story", `^(delivery-orders|amq\.default)`)
	before := labtest.Inventory(t, url)
	run := l.StartEnv([]string{"DISTSYS_NODE="}, "message_queue/run",
		"-broker", guest)
	if run.Wait() != 0 || lab.Count("handled order", run) != 10 {
		t.Errorf("the story is %q", run.Text())
	}
	if after := labtest.Inventory(t, url); after != before {
		t.Errorf("before the story: %s\nafter it: %s", before, after)
	}
	run = l.StartEnv([]string{"DISTSYS_NODE="}, "message_queue/run",
		"-broker", guest)
	run.WaitFor("submitted order 2 ")
	run.Stop()
	if after := labtest.Inventory(t, url); after != before {
		t.Errorf("before the story: %s\nafter Ctrl-C: %s", before, after)
	}
	if !strings.Contains(before, "delivery-orders has 7") {
		t.Errorf("where are somebody else's orders? %s", before)
	}
}

// An order reads as it was written, whatever its numbers.
func TestOrderRoundTrip(t *testing.T) {
	for _, order := range messagequeue.RandomOrders(10) {
		read, err := messagequeue.ParseOrder(messagequeue.Message(order).Body)
		if err != nil || read != order {
			t.Errorf("%v was read as %v, %v", order, read, err)
		}
	}
}
