package eventnotification_test

import (
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
	s.WaitFor("received TEMP event 3 of ü")
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
	p.WaitFor("subscribers: 2")
	labtest.StopsAtOnce(t, both)
	p.WaitFor("subscribers: 1")
	q.WaitFor("subscribers: 0")
	labtest.StopsAtOnce(t, nothing)
	p.WaitFor("subscribers: 0")
	if lab.Count("received", nothing) != 0 {
		t.Errorf("HUMIDITY brought %q", nothing.Text())
	}
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
		{subscriber, []string{"-connect", "tcp://a:1", "-connect", "x:1"},
			"connect to x:1"},
		{subscriber, []string{"1", "-topic", "x"}, "flags come before words"},
		{subscriber, []string{"1", "2"}, "surplus argument"},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

func TestCtrlC(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	nowhere := "tcp://no-such-host.invalid:1"

	s := l.Start(subscriber, "-connect", nowhere, "1") // nobody to resolve
	s.WaitFor("subscribing")
	labtest.StopsAtOnce(t, s)
	s = l.Start(subscriber, "-connect", address, "1") // nobody there
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
