package pipeline_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	"distsys/internal/zeromq"
	"distsys/pipeline"
)

const (
	pusher = "pipeline/pusher"
	worker = "pipeline/worker"
	sink   = "pipeline/sink"
)

func TestMain(m *testing.M) {
	if played, err := beBare(); played { // see bench_test.go
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	labtest.Main(m, "pipeline")
}

func TestExperiments(t *testing.T) {
	labtest.Experiments(t, "pipeline", "fair-share", "slow-worker",
		"worker-crash", "two-sources", "moved-pusher",
		"no-worker")
}

func TestStory(t *testing.T) {
	run := labtest.New(t).Start("pipeline/run", "-for", "2s")
	if run.Wait() != 0 || lab.Count("total: 10 delivered", run) != 1 {
		t.Errorf("the story is %q", run.Text())
	}
}

// What programs in other languages rely on.
func TestOnTheWire(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	port := source[strings.LastIndex(source, ":")+1:]

	pull := labtest.Socket(t, zmq.PULL)
	labtest.Must(t, pull.Connect(source))
	p := l.Start(pusher, "-bind", source, "-count", "1")
	frames, err := pull.RecvMessage(0)
	want := fmt.Sprintf(`{"src":"%s","order_id":0,"total_value":`, port)
	if err != nil || len(frames) != 1 || !strings.HasPrefix(frames[0], want) {
		t.Errorf("an order is %q, %v", frames, err)
	}
	p.Wait()

	source = l.Address() // the socket above still tries to connect
	push, pull := labtest.Socket(t, zmq.PUSH), labtest.Socket(t, zmq.PULL)
	labtest.Must(t, push.Bind(source))
	labtest.Must(t, pull.Bind(results))
	l.Start(worker, "-connect", source, "-sink", results, "-work", "0", "Ann")
	if _, err := push.Send(frames[0], 0); err != nil {
		t.Fatal(err)
	}
	report, err := pull.RecvMessage(0)
	want = strings.TrimSuffix(frames[0], "}") + `,"worker":"Ann"}`
	if err != nil || len(report) != 1 || report[0] != want {
		t.Errorf("a report is %q, %v; expected %s", report, err, want)
	}
}

// What is not an order is skipped, whatever its size, by worker and sink.
func TestBadOrders(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	push := labtest.Socket(t, zmq.PUSH)
	labtest.Must(t, push.Bind(source))
	w := l.Start(worker, "-connect", source, "-sink", results, "-work", "0",
		"1")
	s := l.Start(sink, "-bind", results, "-count", "1")
	bad := []string{"", "order", "{}", "[]", "null", "\xff",
		`{"src":"1","order_id":1}`, `{"src":1,"order_id":1,"total_value":1}`,
		`{"src":"1","order_id":1.5,"total_value":1}`,
		strings.Repeat("x", zeromq.MaxFrame),
	}
	good := pipeline.Order{Source: "1", ID: 7, Value: 2}
	for _, order := range append(bad, string(good.Encode())) {
		if _, err := push.Send(order, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.WaitFor("delivered order 7 of 1 worth 2")
	if n := lab.Count("skipped", w); n != len(bad) {
		t.Errorf("the worker skipped %d of %d bad orders", n, len(bad))
	}
	s.WaitFor("worker 1 has delivered order 7 of 1 worth 2")
	s.Wait()

	s = l.Start(sink, "-bind", results, "-count", "1")
	direct := labtest.Socket(t, zmq.PUSH)
	labtest.Must(t, direct.Connect(results))
	bad = append(bad, string(good.Encode())) // no worker's name
	good.Worker = "2"
	for _, report := range append(bad, string(good.Encode())) {
		if _, err := direct.Send(report, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.WaitFor("worker 2: 1 delivered")
	if n := lab.Count("skipped", s); n != len(bad) {
		t.Errorf("the sink skipped %d of %d bad reports", n, len(bad))
	}
}

// The order in which they start does not matter; and a sink that is
// restarted gets what comes then.
func TestWorkerFirstAndSinkRestarted(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	w := l.Start(worker, "-connect", source, "-sink", results, "-work", "0",
		"1")
	w.WaitFor("waiting")
	p := l.Start(pusher, "-bind", source, "-count", "60", "-interval", "20ms")
	w.WaitFor("delivered order 3 ")
	s := l.Start(sink, "-bind", results)
	s.WaitFor("has delivered order 0 ") // kept by the worker until now
	l.WaitForNumbers("has delivered order ", 5, s)
	labtest.StopsAtOnce(t, s)
	w.WaitForNumber("delivered order ", s.LastNumber("has delivered order ")+5)
	again := l.Start(sink, "-bind", results)
	again.WaitFor("has delivered order 59 ")
	p.Wait()
	labtest.StopsAtOnce(t, again)
	sums := again.Text()
	got := lab.Numbers("has delivered order ", s, again)
	// What was on its way to the sink when it went may be lost with it.
	if len(got) < 55 || !strings.Contains(sums, "total: ") {
		t.Errorf("the sinks got %d of 60; the second says %s", len(got), sums)
	}
}

// A pusher that ends by itself delivers all that it has pushed, though it
// ends right after the last: many times over, since what is on its way at
// that moment is a matter of luck.
func TestEndsAfterDelivery(t *testing.T) {
	l := labtest.New(t)
	source := l.Address()
	pull := labtest.Socket(t, zmq.PULL)
	labtest.Must(t, pull.Connect(source))
	const times, orders = 20, 500
	for range times {
		p := l.Start(pusher, "-bind", source, "-wait", "1", "-interval", "0",
			"-count", strconv.Itoa(orders), "-quiet")
		if p.Wait() != 0 {
			t.Fatal("the pusher failed")
		}
		for i := range orders {
			if _, err := pull.RecvBytes(0); err != nil {
				t.Fatalf("only %d of %d orders have come: %v", i, orders, err)
			}
		}
	}
}

// The sink sums up: per worker, what is missing, and the total.
func TestSum(t *testing.T) {
	var sum pipeline.Sum
	if lines := sum.Lines(); len(lines) != 1 ||
		lines[0] != "total: 0 delivered in 0.00 s" {
		t.Errorf("an empty sum is %q", lines)
	}
	for _, o := range []*pipeline.Order{
		{Source: "1", ID: 0, Worker: "b"}, {Source: "1", ID: 3, Worker: "a"},
		{Source: "2", ID: 0, Worker: "a"}, {Source: "1", ID: 2, Worker: "a"},
		{Source: "3", ID: 1 << 62, Worker: "c"},
	} {
		sum.Add(o)
	}
	text := strings.Join(sum.Lines(), "\n")
	for _, want := range []string{"worker a: 3 delivered",
		"worker b: 1 delivered", "never arrived from 1: [1]", "18 19 ...]",
		"total: 5 delivered in"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sum lacks %q: %s", want, text)
		}
	}
	if strings.Contains(text, "from 2") {
		t.Errorf("nothing is missing from 2: %s", text)
	}
}

func TestRefusals(t *testing.T) {
	l := labtest.New(t)
	taken := l.Address()
	l.Start(pusher, "-bind", taken).WaitFor("listening")
	for _, c := range []struct {
		program string
		args    []string
		says    string
	}{
		{pusher, []string{"-bind", taken}, "the port is taken"},
		{sink, []string{"-bind", taken}, "the port is taken"},
		{pusher, []string{"-bind", "x"}, "looks like tcp://"},
		{sink, []string{"-bind", "tcp://no-such-host.invalid:1"},
			"listen on tcp://no-such-host"},
		{worker, []string{"-connect", "x"}, "connect to x"},
		{worker, []string{"-sink", "x"}, "connect to x"},
		{worker, []string{"-connect", "tcp://no-such-host.invalid:1"},
			"lookup no-such-host.invalid"},
		{worker, []string{"-sink", "tcp://no-such-host.invalid:1"},
			"check the name of the machine"},
		{worker, []string{"-work", "soon"}, "times look like"},
		{worker, []string{"1", "-work", "1s"}, "flags come before words"},
		{worker, []string{"1", "2"}, "surplus argument"},
		{pusher, []string{"50001"}, "surplus argument"},
		{sink, []string{"-cout", "1"}, "unknown flag -cout"},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

func TestCtrlC(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()

	p := l.Start(pusher, "-bind", source, "-wait", "1")
	p.WaitFor("listening") // waits for a worker, by -wait
	labtest.StopsAtOnce(t, p)
	p = l.Start(pusher, "-bind", source)
	p.WaitFor("waiting for a worker") // blocked in send
	labtest.StopsAtOnce(t, p)

	w := l.Start(worker, "-connect", source, "-sink", results, "-work", "1h")
	w.WaitFor("waiting") // blocked in receive, nobody there
	labtest.StopsAtOnce(t, w)

	s := l.Start(sink, "-bind", results)
	s.WaitFor("listening") // blocked in receive
	labtest.StopsAtOnce(t, s)
	s.WaitFor("total: 0 delivered")

	p = l.Start(pusher, "-bind", source, "-interval", "1h")
	w = l.Start(worker, "-connect", source, "-sink", results, "-work", "1h")
	w.WaitFor("received order 0") // at work
	labtest.StopsAtOnce(t, w)
	labtest.StopsAtOnce(t, p)
	p.WaitFor("drops") // and says what is dropped

	// No sink: the worker's reports wait for it until there is no more room.
	p = l.Start(pusher, "-bind", source, "-count", "0", "-interval", "0",
		"-quiet")
	w = l.Start(worker, "-connect", source, "-sink", results, "-work", "0")
	w.Mute()
	w.WaitForNumber("delivered order ", 999)
	labtest.StopsAtOnce(t, w)
	labtest.StopsAtOnce(t, p)

	// At its end, with a worker that takes nothing any more.
	w = l.Start(worker, "-connect", source, "-sink", results, "-work", "1h",
		"1")
	w.WaitFor("waiting")
	p = l.StartEnv([]string{"DISTSYS_GRACE=500ms"}, pusher,
		"-bind", source, "-wait", "1", "-count", "100000",
		"-interval", "0")
	p.Mute()
	w.WaitFor("received")
	w.Freeze()
	p.WaitFor("waiting for a worker that can take an order")
	labtest.StopsAtOnce(t, p)
}
