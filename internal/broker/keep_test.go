package broker_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// What follows stops, kills, freezes or frightens a broker, and so has one of
// its own; all of it has the same one, since each takes some seconds to start.
func TestBrokerOfItsOwn(t *testing.T) {
	t.Parallel()
	node, err := broker.NewNode(filepath.Join(t.TempDir(), "node"), 0, 0)
	labtest.Must(t, err)
	t.Cleanup(func() { labtest.Must(t, node.Remove()) })
	// RabbitMQ looks at the time once a minute, unless it is told otherwise.
	labtest.Must(t, os.WriteFile(filepath.Join(node.Dir, "advanced.config"),
		[]byte("[{rabbit, [{channel_tick_interval, 200}]}]."), 0o600))
	labtest.Must(t, node.Start(t.Context()))
	for _, part := range []struct {
		name string
		test func(t *testing.T, node *broker.Node)
	}{
		{"StopsAndComesBack", stopsAndComesBack},
		{"ShortOfMemory", shortOfMemory},
		{"ConsumerTimeout", consumerTimeout},
		{"FallsSilent", fallsSilent},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.test(t, node) }) {
			return // the broker may be as no other part expects it
		}
	}
}

// The broker stops in good order, and comes back: all programs say so and go
// on, and nothing that was confirmed is lost.
func stopsAndComesBack(t *testing.T, node *broker.Node) {
	l := labtest.New(t)
	url := node.URL("/")
	const count = 300
	c := start(l, consumer, url, "-work", "1ms", "-prefetch", "10", "1")
	s := start(l, subscriber, url, "A")
	c.WaitFor("waiting")
	s.WaitFor("waiting")
	p := start(l, producer, url, "-count", fmt.Sprint(count), "-interval",
		"10ms")
	e := start(l, publisher, url, "-count", fmt.Sprint(count), "-interval",
		"10ms")
	p.WaitFor("submitted order 50 ")
	e.WaitFor("published event 50 ")
	c.WaitFor("handled")
	labtest.Must(t, node.Stop())
	all := []*lab.Process{p, c, e, s}
	for _, program := range all {
		program.WaitFor("lost the broker (")
	}
	labtest.Must(t, node.Start(t.Context()))
	for _, program := range all {
		program.WaitFor("connected to")
	}
	if p.Wait() != 0 || e.Wait() != 0 {
		t.Fatal("the producer or the publisher gave up")
	}
	for _, pair := range []struct {
		sender, receiver *lab.Process
		sent, handled    string
	}{
		{p, c, "submitted order ", "handled order "},
		{e, s, "published event ", "handled event "},
	} {
		l.WaitForNumbers(pair.handled, count, pair.receiver)
		sent := lab.Numbers(pair.sent, pair.sender)
		lost := lab.Missing(sent, lab.Numbers(pair.handled, pair.receiver))
		if len(sent) != count || lost > 0 {
			t.Errorf("%s%d of %d, %d were lost", pair.sent, len(sent), count,
				lost)
		}
		labtest.StopsAtOnce(t, pair.receiver)
	}
}

// A broker that is short of memory blocks whoever publishes, until it has
// enough again.
func shortOfMemory(t *testing.T, node *broker.Node) {
	l := labtest.New(t)
	url := node.URL("/")
	limit := func(value ...string) {
		t.Helper()
		_, err := node.Ctl(t.Context(), append([]string{
			"set_vm_memory_high_watermark"}, value...)...)
		labtest.Must(t, err)
	}
	const blocked = "the broker takes no messages for now"
	limit("absolute", "1")
	for _, sender := range []struct {
		program, left string
		args          []string
	}{
		{producer, "orders not submitted", []string{"-count", "1000000"}},
		{producer, "", []string{"-count", "3", "-confirm=false"}},
		{publisher, "events not published", []string{"-count", "1000000"}},
	} {
		p := start(l, sender.program, url,
			append(sender.args, "-interval", "0")...)
		p.WaitFor(blocked)
		labtest.StopsAtOnce(t, p)
		p.WaitFor(sender.left)
	}
	p := start(l, producer, url, "-count", "3", "-interval", "0")
	p.WaitFor(blocked)
	limit("0.6")
	p.WaitFor("takes messages again")
	if p.Wait() != 0 || count(p, "submitted") != 3 {
		t.Errorf("after the alarm: %q", p.Text())
	}
}

// Whoever works on an order for longer than the broker allows is told why it
// was taken back, once, and ends: the same order would meet the same fate.
// The order waits for a consumer that is quicker.
func consumerTimeout(t *testing.T, node *broker.Node) {
	l := labtest.New(t)
	_, err := node.Ctl(t.Context(), "eval",
		"application:set_env(rabbit, consumer_timeout, 1000).")
	labtest.Must(t, err)
	url, err := node.AddVhost(t.Context(), "timeout")
	labtest.Must(t, err)
	slow := start(l, consumer, url, "-work", "1h", "slow")
	slow.WaitFor("waiting")
	if start(l, producer, url, "-count", "1").Wait() != 0 {
		t.Fatal("the producer failed")
	}
	late := start(l, subscriber, url, "-work", "1h", "late")
	late.WaitFor("waiting")
	if start(l, publisher, url, "-count", "1").Wait() != 0 {
		t.Fatal("the publisher failed")
	}
	const why = "the broker took back what was not acknowledged within 1s, " +
		"and closed the channel: choose a shorter -work, or a longer " +
		"consumer_timeout"
	for _, program := range []*lab.Process{slow, late} {
		program.WaitFor("received")
		status, text := program.Wait(), program.Text()
		if status != 1 || strings.Count(text, why) != 1 ||
			count(program, "received") != 1 || count(program, "lost") != 0 ||
			count(program, "handled") != 0 {
			t.Errorf("status %d after\n%s", status, text)
		}
	}
	quick := start(l, consumer, url, "-work", "0", "quick")
	quick.WaitFor("received order 0 ")
	quick.WaitFor("handled order 0 ")
}

// A broker that stands still is noticed by its silence, one that is killed by
// the end of the connection. Both is said once, in plain words. Programs that
// look for a broker in vain end at once on Ctrl-C.
func fallsSilent(t *testing.T, node *broker.Node) {
	l := labtest.New(t)
	url, err := node.AddVhost(t.Context(), "silent")
	labtest.Must(t, err)
	c := start(l, consumer, url+"?heartbeat=4", "1")
	c.WaitFor("waiting")
	labtest.Must(t, syscall.Kill(node.PID(), syscall.SIGSTOP))
	c.WaitFor("lost the broker (no answer in time); connecting again")
	labtest.Must(t, syscall.Kill(node.PID(), syscall.SIGCONT))
	c.WaitFor("waiting")
	s := start(l, subscriber, url, "A")
	s.WaitFor("waiting")
	p := start(l, producer, url, "-count", "1000000")
	p.WaitFor("submitted")
	e := start(l, publisher, url, "-count", "1000000")
	e.WaitFor("published")
	labtest.Must(t, node.Kill())
	c.WaitFor("lost the broker (it closed the connection without a word); " +
		"connecting again")
	labtest.StopsAtOnce(t, c)
	for _, program := range []*lab.Process{s, p, e} {
		program.WaitFor("connecting again")
		labtest.StopsAtOnce(t, program)
	}
	p.WaitFor("orders not submitted")
	e.WaitFor("events not published")
	if n := count(c, "connecting again"); n != 2 {
		t.Errorf("%d reasons:\n%s", n, c.Text())
	}
}

// A vhost is deleted. Consumer, producer, subscriber and publisher notice it
// each in its own way, and all say the same, once; and all go on as soon as
// it is there again.
func TestVhostDeleted(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, url, vhost := shared(t, l)
	first := start(l, consumer, url, "-work", "0", "1")
	first.WaitFor("waiting") // two that declare a queue at once may collide
	through, dials := listenFor(t, node)
	programs := []*lab.Process{
		first,
		start(l, consumer, strings.Replace(url, fmt.Sprintf("127.0.0.1:%d",
			node.Port), through, 1), "-work", "1h", "2"),
		start(l, producer, url, "-count", "1000000", "-interval", "10ms"),
		start(l, producer, url, "-count", "2", "-interval", "1h"),
		start(l, subscriber, url, "1"),
		start(l, publisher, url, "-count", "1000000", "-interval", "10ms"),
	}
	for i, sign := range []string{"handled", "received", "submitted order 9 ",
		"submitted", "handled", "published"} {
		programs[i].WaitFor(sign)
	}
	labtest.Must(t, node.RemoveVhost(t.Context(), vhost))
	for _, program := range programs {
		program.WaitFor("has no such vhost; connecting again")
	}
	for n := len(dials); n > -3; n-- { // it tries three times more
		<-dials
	}
	_, err := node.AddVhost(t.Context(), vhost)
	labtest.Must(t, err)
	for _, program := range programs {
		program.WaitFor("connected to")
		// It may come between the new vhost and the rights to it.
		if count(program, "has no such vhost") != 1 ||
			count(program, "connecting again") !=
				1+count(program, "does not let user") {
			t.Errorf("more than one reason:\n%s", program.Text())
		}
	}
}

// listenFor returns an address at which a node can be reached as well, and
// tells of each connection that is made there.
func listenFor(t *testing.T, node *broker.Node) (string, <-chan bool) {
	t.Helper()
	dials := make(chan bool, 1000)
	return listen(t, func(conn net.Conn) {
		dials <- true
		to, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", node.Port))
		if err != nil {
			return
		}
		defer to.Close()
		go io.Copy(to, conn)
		io.Copy(conn, to)
	}), dials
}

// A user is deleted: the programs say so, perhaps, and in any case that the
// broker refuses them, once. They go on as soon as the user is back.
func TestUserDeleted(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, url, vhost := shared(t, l)
	const name, password = "gone", "s3cret"
	add := func() {
		labtest.Must(t, node.SetPassword(t.Context(), name, password))
		labtest.Must(t, node.Permit(t.Context(), vhost, name, ".*"))
	}
	add()
	url = as(url, name, password)
	c := start(l, consumer, url, "-work", "1h", "1")
	p := start(l, producer, url, "-count", "2", "-interval", "1h")
	c.WaitFor("received")
	p.WaitFor("submitted")
	labtest.Must(t, node.RemoveUser(t.Context(), name))
	for _, program := range []*lab.Process{c, p} {
		program.WaitFor(`refuses user "gone": wrong name or password`)
	}
	add()
	for _, program := range []*lab.Process{c, p} {
		program.WaitFor("connected to")
		if n := count(program, "connecting again"); n > 2 ||
			count(program, "refuses user") != 1 {
			t.Errorf("%d reasons:\n%s", n, program.Text())
		}
		if strings.Contains(program.Text(), password) {
			t.Errorf("the password is shown:\n%s", program.Text())
		}
	}
}
