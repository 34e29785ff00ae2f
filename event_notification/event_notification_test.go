package eventnotification_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	zmq "github.com/pebbe/zmq4"

	event "distsys/event_notification"
	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

const (
	publisher  = "event_notification/publisher"
	subscriber = "event_notification/subscriber"
)

func TestMain(m *testing.M) {
	labtest.PlayBare(playBare) // see bench_test.go
	labtest.Main(m, "event_notification")
}

func TestExperiments(t *testing.T) {
	labtest.Experiments(t, "event_notification", "slow-subscriber",
		"slow-joiner", "offline-subscriber", "topic-filter",
		"moved-publisher", "publisher-crash")
}

func TestStory(t *testing.T) {
	run := labtest.New(t).Start("event_notification/run")
	if run.Wait() != 0 || lab.Count("received TEMP event", run) != 12 {
		t.Errorf("the story is %q", run.Text())
	}
}

// What programs in other languages rely on.
func TestOnTheWire(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	sub := labtest.Socket(t, zmq.SUB)
	labtest.Must(t, sub.SetSubscribe("TEMP"))
	labtest.Must(t, sub.Connect(address))
	l.Start(publisher, "-bind", address, "-wait", "1", "-count", "1")
	frames, err := sub.RecvMessage(0)
	if err != nil || len(frames) != 1 ||
		!strings.HasPrefix(frames[0], `TEMP {"seq":0,"id":"sensor123","temp":`) ||
		!strings.HasSuffix(frames[0], "}") {
		t.Errorf("an event is %q, %v", frames, err)
	}
}

// A subscriber warns above 30 degrees, skips what is no event, whatever its
// size, and goes on.
func TestWarningsAndBadEvents(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	pub := labtest.Socket(t, zmq.XPUB)
	labtest.Must(t, pub.Bind(address))
	s := l.Start(subscriber, "-connect", address, "1")
	if heard, err := pub.Recv(0); err != nil || heard != "\x01TEMP" {
		t.Fatalf("heard %q, %v", heard, err)
	}
	bad := []string{"TEMP", "TEMP ", "TEMP {", "TEMP []", "TEMPERATURE",
		`TEMP {"seq":1,"id":"x"}`, `TEMP {"seq":"1","id":"x","temp":2}`,
		"TEMP {\xff", "TEMP null",
		"TEMP " + strings.Repeat("x", 10<<20), // 10 MiB
	}
	for _, frame := range append(bad,
		`TEMP {"seq":1,"id":"roof","temp":30}`,
		`TEMP {"seq":2,"id":"roof","temp":31}`,
		`TEMP {"seq":3,"id":"`+strings.Repeat("ü", 5<<20)+`","temp":-5}`) {
		if _, err := pub.Send(frame, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.WaitFor("received TEMP event 1 of roof: 30 degrees")
	s.WaitFor("received TEMP event 2 of roof: 31 degrees")
	s.WaitFor("warning: high temperature measured by sensor roof")
	s.WaitFor("received TEMP event 3 of \"ü")
	if n := lab.Count("skipped", s); n != len(bad) {
		t.Errorf("%d of %d bad events were skipped", n, len(bad))
	}
	if n := lab.Count("warning", s); n != 1 {
		t.Errorf("%d warnings, expected one", n)
	}
	labtest.StopsAtOnce(t, s)
}

// A topic that matches nothing brings nothing; one subscriber can follow
// several publishers; and a publisher hears who comes and goes.
func TestFollowsSeveralPublishers(t *testing.T) {
	l := labtest.New(t)
	one, two := l.Address(), l.Address()
	nothing := l.Start(subscriber, "-connect", one, "-topic", "HUMIDITY", "0")
	both := l.Start(subscriber, "-connect", one, "-connect", two, "1")
	p := l.Start(publisher, "-bind", one, "-wait", "2", "-interval", "10ms")
	q := l.Start(publisher, "-bind", two, "-wait", "1", "-interval", "10ms",
		"-topic", "TEMP2")
	both.WaitFor("received TEMP event")
	both.WaitFor("received TEMP2 event")
	p.WaitFor("subscribers: 2 subscriptions")
	labtest.StopsAtOnce(t, both)
	p.WaitFor("subscribers: 1")
	q.WaitFor("subscribers: 0")
	labtest.StopsAtOnce(t, nothing)
	p.WaitFor("subscribers: 0")
	if lab.Count("received", nothing) != 0 {
		t.Errorf("HUMIDITY brought %q", nothing.Text())
	}
}

// A message of two frames is skipped as a whole, with a word.
func TestFrames(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	pub := labtest.Socket(t, zmq.XPUB)
	labtest.Must(t, pub.Bind(address))
	s := l.Start(subscriber, "-connect", address, "1")
	_, err := pub.Recv(0) // it has subscribed
	labtest.Must(t, err)
	frame := event.Measure(1).Frame(event.Topic)
	_, err = pub.SendMessage(frame, frame)
	labtest.Must(t, err)
	_, err = pub.SendMessage(event.Measure(2).Frame(event.Topic))
	labtest.Must(t, err)
	s.WaitFor("received TEMP event 2 of ")
	if lab.Count("skipped", s) != 1 || lab.Count("event 1 of", s) != 0 ||
		lab.Count(": 2 frames, one is expected", s) != 1 {
		t.Errorf("the subscriber printed %q", s.Text())
	}
}

// Nobody's event can colour the terminal, or look like a line of ours.
func TestControlCharacters(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	pub := labtest.Socket(t, zmq.XPUB)
	labtest.Must(t, pub.Bind(address))
	s := l.Start(subscriber, "-connect", address, "1")
	_, err := pub.Recv(0) // it has subscribed
	labtest.Must(t, err)
	for _, frame := range []string{
		event.Event{Seq: 1, Sensor: "\x1b[31m\nsubscriber 1: stopped",
			Temp: 50}.Frame("TEMP"),
		event.Event{Seq: 2, Sensor: "left\u202eright"}.Frame("TEMP\x1b[2J"),
		"TEMP \x1b[31m\nsubscriber 1: stopped",
		event.Event{Seq: 3, Sensor: "end"}.Frame("TEMP"),
	} {
		_, err := pub.Send(frame, 0)
		labtest.Must(t, err)
	}
	s.WaitFor("received TEMP event 3 of end: 0 degrees")
	lines := s.Lines()
	if len(lines) != 6 || strings.ContainsAny(s.Text(), "\x1b\u202e") {
		t.Errorf("the subscriber printed %q", lines)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "subscriber 1: ") ||
			line == "subscriber 1: stopped" {
			t.Errorf("the subscriber printed %q", line)
		}
	}
}

// What is counted is subscriptions: one subscriber can have several, and
// several can have the same.
func TestCountsSubscriptions(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	p := l.Start(publisher, "-bind", address, "-wait", "3", "-interval", "10ms")
	one, two := labtest.Socket(t, zmq.SUB), labtest.Socket(t, zmq.SUB)
	labtest.Must(t, one.Connect(address))
	labtest.Must(t, two.Connect(address))
	labtest.Must(t, one.SetSubscribe("TEMP"))
	p.WaitFor("heard from subscribers: 1 subscription")
	labtest.Must(t, one.SetSubscribe("HUMIDITY"))
	p.WaitFor("heard from subscribers: 2 subscriptions")
	labtest.Must(t, two.SetSubscribe("TEMP"))
	p.WaitFor("heard from subscribers: 3 subscriptions")
	p.WaitFor("published event 0 ")
	labtest.Must(t, one.SetUnsubscribe("TEMP"))
	p.WaitFor("heard from subscribers: 2 subscriptions")
	labtest.Must(t, one.SetUnsubscribe("HUMIDITY"))
	p.WaitFor("heard from subscribers: 1 subscription")
	labtest.Must(t, two.Close())
	p.WaitFor("heard from subscribers: 0 subscriptions")
	labtest.StopsAtOnce(t, p)
}

// Whoever takes back what it never asked for does not make the subscriptions
// fewer than none. ZeroMQ's own sockets do not do that, but a stranger can.
func TestStrayUnsubscribe(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	p := l.Start(publisher, "-bind", address, "-interval", "10ms")
	p.WaitFor("listening")
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp://"))
	labtest.Must(t, err)
	defer conn.Close()
	frame := func(kind byte, body string) string {
		return string([]byte{kind, byte(len(body))}) + body
	}
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	send := func(text ...string) {
		_, err := io.WriteString(conn, strings.Join(text, ""))
		labtest.Must(t, err)
	}
	send("\xff", zeros(8), "\x7f", "\x03\x00NULL", zeros(16), zeros(32))
	_, err = io.ReadFull(conn, make([]byte, 64)) // the publisher's greeting
	labtest.Must(t, err)
	send(frame(4, "\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"),
		frame(0, "\x00TEMP"), frame(0, "\x00TEMP"), frame(0, "\x01TEMP"))
	p.WaitFor("heard from subscribers: 1 subscription")
	if n := lab.Count("heard from", p); n != 1 {
		t.Errorf("the publisher printed %q", p.Text())
	}
}

// A stranger that subscribes and unsubscribes for ever silences nobody.
func TestFlood(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	p := l.Start(publisher, "-bind", address, "-interval", "50ms")
	s := l.Start(subscriber, "-connect", address, "1")
	s.WaitFor("received TEMP event")

	stranger, err := zmq.NewSocket(zmq.SUB)
	labtest.Must(t, err)
	labtest.Must(t, stranger.SetLinger(0))
	labtest.Must(t, stranger.SetSndhwm(0)) // it drops nothing
	labtest.Must(t, stranger.Connect(address))
	over, done := make(chan bool), make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-over:
				done <- stranger.Close()
				return
			default:
				err = errors.Join(stranger.SetSubscribe("x"),
					stranger.SetUnsubscribe("x"))
			}
		}
		done <- err
	}()

	// Heard 100 at a time, it comes and goes in between two events: most of
	// the time the number is the same then, and at the most it is a line.
	seq := p.NextNumber("published event ")
	p.WaitForNumber("published event ", seq+20)
	s.WaitForNumber("received TEMP event ", seq+20)
	if lines, events := len(p.Lines()), lab.Count("published", p); lines >
		2*events+2 {
		t.Errorf("%d lines for %d events", lines, events)
	}
	labtest.StopsAtOnce(t, p)
	close(over)
	labtest.Must(t, <-done)
}

func TestTakesACrowd(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	p := l.Start(publisher, "-bind", address)
	p.WaitFor("listening")
	labtest.TakesACrowd(t, p, address)
}

// The address that the publisher prints is the one that it has.
func TestRealAddress(t *testing.T) {
	l := labtest.New(t)
	p := l.Start(publisher, "-bind", "tcp://127.0.0.1:*", "-interval", "10ms")
	_, address, _ := strings.Cut(p.WaitFor("listening on "), "listening on ")
	l.Start(subscriber, "-connect", address, "1").WaitFor("received")
}

// A publisher that ends by itself delivers all that it has published, also
// to a subscriber that was not quick enough.
func TestEndsAfterDelivery(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	s := l.Start(subscriber, "-connect", address, "1").Mute()
	s.WaitFor("subscribing")
	p := l.Start(publisher, "-bind", address, "-wait", "1", "-count", "500",
		"-interval", "2ms", "-topic", "TEMP"+strings.Repeat(".", 100_000))
	p.Mute()
	s.WaitFor("received")
	s.Freeze()
	p.WaitFor("published event 499 ") // much of it still in its queue
	s.Thaw()
	if p.Wait() != 0 {
		t.Error("the publisher failed")
	}
	l.WaitForNumbers(" event ", 500, s)
}

func TestRefusals(t *testing.T) {
	l := labtest.New(t)
	taken := l.Address()
	l.Start(publisher, "-bind", taken).WaitFor("listening")
	for _, c := range []struct {
		program string
		args    []string
		says    string
	}{
		{publisher, []string{"-bind", taken}, "the port is taken"},
		{publisher, []string{"-bind", "12346"}, "looks like tcp://"},
		{publisher, []string{"-bind", "tcp://no-such-host.invalid:1"},
			"listen on tcp://no-such-host"},
		{publisher, []string{"-toppic", "x"}, "unknown flag -toppic"},
		{publisher, []string{"x"}, "surplus argument"},
		{publisher, []string{"-count", "-1"}, "below zero"},
		{subscriber, []string{"-connect", "12346"}, "looks like tcp://"},
		{subscriber, []string{"-connect", "tcp://127.0.0.1:1", "-connect",
			"x:1"}, "connect to x:1"},
		{subscriber, []string{"-connect", "tcp://no-such-host.invalid:1"},
			"connect to tcp://no-such-host.invalid:1: lookup "},
		{subscriber, []string{"1", "-topic", "x"}, "flags come before words"},
		{subscriber, []string{"1", "2"}, "surplus argument"},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

func TestCtrlC(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()

	s := l.Start(subscriber, "-connect", address, "1") // nobody there
	s.WaitFor("subscribing")
	labtest.StopsAtOnce(t, s)

	p := l.Start(publisher, "-bind", address, "-wait", "1")
	p.WaitFor("listening") // waits for a subscriber
	labtest.StopsAtOnce(t, p)
	p = l.Start(publisher, "-bind", address, "-interval", "1h")
	p.WaitFor("published event 0") // waits for the next event to be due
	labtest.StopsAtOnce(t, p)
	p = l.Start(publisher, "-bind", address, "-interval", "0").Mute()
	p.WaitFor("published event 1000 ") // busy
	labtest.StopsAtOnce(t, p)

	// At its end, with a subscriber that takes nothing any more.
	s = l.Start(subscriber, "-connect", address, "1")
	p = l.StartEnv([]string{"DISTSYS_GRACE=500ms"}, publisher,
		"-bind", address, "-wait", "1", "-count", "500",
		"-interval", "2ms", "-topic", "TEMP"+strings.Repeat(".", 100_000))
	p.Mute()
	s.Mute()
	s.WaitFor("received")
	s.Freeze()
	p.WaitFor("published event 499 ")
	if !p.Running() {
		t.Fatal("the publisher did not wait for the frozen subscriber")
	}
	labtest.StopsAtOnce(t, p)
}

// An event reads as it was written.
func TestRoundTrip(t *testing.T) {
	want := event.Measure(7)
	topic, got, err := event.ParseFrame(want.Frame("TEMP"))
	if topic != "TEMP" || got != want || err != nil {
		t.Errorf("%v was read as %s %v, %v", want, topic, got, err)
	}
}
