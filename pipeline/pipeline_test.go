package pipeline_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
	if err != nil || len(frames) != 1 || !strings.HasPrefix(frames[0], want) ||
		!strings.Contains(frames[0], fmt.Sprintf(`,"run":"%d-`, p.PID())) {
		t.Errorf("an order is %q, %v", frames, err)
	}
	p.Wait()

	source = l.Address() // the socket above still tries to connect
	push, pull := labtest.Socket(t, zmq.PUSH), labtest.Socket(t, zmq.PULL)
	labtest.Must(t, push.Bind(source))
	labtest.Must(t, pull.Bind(results))
	l.Start(worker, "-connect", source, "-sink", results, "-work", "0", "Ann")
	// Programs in other languages may leave out the run.
	for _, order := range []string{frames[0],
		`{"src":"1","order_id":2,"total_value":3}`} {
		_, err := push.Send(order, 0)
		labtest.Must(t, err)
		report, err := pull.RecvMessage(0)
		want = strings.TrimSuffix(order, "}") + `,"worker":"Ann"}`
		if err != nil || len(report) != 1 || report[0] != want {
			t.Errorf("a report is %q, %v; expected %s", report, err, want)
		}
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
		`{"src":"` + strings.Repeat("1", 101) +
			`","order_id":1,"total_value":1}`,
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

// A pusher that ends by itself delivers all that it has pushed, though a
// worker that is slower has most of it still to take.
func TestEndsAfterDelivery(t *testing.T) {
	l := labtest.New(t)
	source := l.Address()
	pull := labtest.Socket(t, zmq.PULL)
	labtest.Must(t, pull.SetRcvhwm(1))
	labtest.Must(t, pull.SetRcvbuf(32<<10)) // so that it is slower
	labtest.Must(t, pull.SetRcvtimeo(10*time.Second))
	labtest.Must(t, pull.Connect(source))
	const orders = 100_000
	p := l.Start(pusher, "-bind", source, "-wait", "1", "-interval", "0",
		"-count", strconv.Itoa(orders), "-quiet")
	for i := range orders {
		if _, err := pull.RecvBytes(0); err != nil {
			t.Fatalf("only %d of %d orders have come: %v", i, orders, err)
		}
	}
	if p.Wait() != 0 {
		t.Error("the pusher failed")
	}
}

// A message of two frames is skipped as a whole, by worker and sink.
func TestTwoFrames(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	push, report := labtest.Socket(t, zmq.PUSH), labtest.Socket(t, zmq.PUSH)
	labtest.Must(t, push.Bind(source))
	labtest.Must(t, report.Connect(results))
	w := l.Start(worker, "-connect", source, "-sink", results, "-work", "0",
		"1")
	s := l.Start(sink, "-bind", results)
	order := pipeline.Order{Source: "1", ID: 7, Value: 2, Worker: "2"}
	for _, socket := range []*zmq.Socket{push, report} {
		_, err := socket.SendMessage(order.Encode(), order.Encode())
		labtest.Must(t, err)
	}
	for _, p := range []*lab.Process{w, s} {
		p.WaitFor(": 2 frames, one is expected")
		labtest.StopsAtOnce(t, p)
	}
	if n := lab.Count("order 7", w, s); n != 0 {
		t.Errorf("half of a message was taken for an order")
	}
}

// What strangers send does not reach the terminal as it is: no colours, no
// lines that look like ours, no text that runs backwards.
func TestForgery(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	push, report := labtest.Socket(t, zmq.PUSH), labtest.Socket(t, zmq.PUSH)
	labtest.Must(t, push.Bind(source))
	labtest.Must(t, report.Connect(results))
	w := l.Start(worker, "-connect", source, "-sink", l.Address(), "-work",
		"0", "1")
	s := l.Start(sink, "-bind", results)
	const forged = "\x1b[31m\nsink 1: stopped\u202e"
	orders := []pipeline.Order{
		{Source: forged, ID: 1, Worker: "1"},
		{Source: "1", ID: 2, Worker: forged},
		{Source: "1", ID: 3, Run: forged, Worker: "1"},
		{Source: "1", ID: 4, Worker: "1 has delivered order 5 of"},
	}
	for _, o := range orders {
		for _, socket := range []*zmq.Socket{push, report} {
			_, err := socket.SendBytes(o.Encode(), 0)
			labtest.Must(t, err)
		}
	}
	w.WaitFor("delivered order 4 of 1 worth 0")
	s.WaitFor(`worker "1 has delivered order 5 of" has delivered order 4 `)
	labtest.StopsAtOnce(t, s)
	for _, p := range []*lab.Process{w, s} {
		if text := p.Text(); strings.ContainsAny(text, "\x1b\u202e") ||
			strings.Contains(text, "\nsink 1: stopped") {
			t.Errorf("forged: %q", text)
		}
	}
	const quoted = `"\x1b[31m\nsink 1: stopped\u202e"`
	for _, want := range []string{"worker " + quoted + " has delivered order 2",
		"delivered order 1 of " + quoted, "worker " + quoted + ": 1 delivered",
		"never arrived from " + quoted + ": [0]",
		"never arrived from 1 (run " + quoted + "): [0 1 2]"} {
		if lab.Count(want, s) != 1 {
			t.Errorf("the sink does not print %s: %s", want, s.Text())
		}
	}
}

// The address that a server prints is the one it has, and the orders name
// that port as their source.
func TestRealAddress(t *testing.T) {
	l := labtest.New(t)
	const free = "tcp://127.0.0.1:*"
	at := func(p *lab.Process) string {
		_, address, _ := strings.Cut(p.WaitFor("listening on "), " on ")
		return address
	}
	s := l.Start(sink, "-bind", free, "-count", "1")
	p := l.Start(pusher, "-bind", free, "-count", "1")
	source := at(p)
	l.Start(worker, "-connect", source, "-sink", at(s), "-work", "0", "1")
	s.WaitFor("worker 1 has delivered order 0 of " +
		strings.TrimPrefix(source, "tcp://127.0.0.1:") + " worth")
}

// A sink that goes on does not take the orders of a second run for those of
// the first, though their numbers are the same.
func TestSecondRun(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	s := l.Start(sink, "-bind", results)
	pull, report := labtest.Socket(t, zmq.PULL), labtest.Socket(t, zmq.PUSH)
	labtest.Must(t, pull.Connect(source))
	labtest.Must(t, report.Connect(results))
	for run := range 2 {
		p := l.Start(pusher, "-bind", source, "-count", "4", "-interval", "0")
		for id := range 4 {
			frames, err := pull.RecvMessage(0)
			labtest.Must(t, err)
			if run == 1 && id == 2 {
				continue // it is lost, as with a worker that crashes
			}
			order, err := pipeline.Parse(frames)
			labtest.Must(t, err)
			order.Worker = "1"
			_, err = report.SendBytes(order.Encode(), 0)
			labtest.Must(t, err)
		}
		p.Wait()
	}
	l.WaitForCount("has delivered order ", 7, s)
	labtest.StopsAtOnce(t, s)
	if lab.Count("never arrived from ", s) != 1 || lab.Count("): [2]", s) != 1 {
		t.Errorf("of the second run order 2 was lost: %s", s.Text())
	}
}

// A worker that crashes and comes back is counted once.
func TestWaitCountsWhoIsThere(t *testing.T) {
	l := labtest.New(t)
	source := l.Address()
	start := func() *lab.Process {
		return l.Start(worker, "-connect", source, "-sink", l.Address())
	}
	p := l.Start(pusher, "-bind", source, "-wait", "2", "-count", "2",
		"-interval", "0")
	first := start()
	p.WaitFor("workers: 1 of 2")
	first.Kill()
	p.WaitFor("workers: 0 of 2")
	start()
	p.WaitFor("workers: 1 of 2")
	if n := lab.Count("pushed", p); n > 0 {
		t.Errorf("one worker is there, and %d orders were pushed", n)
	}
	start()
	p.WaitFor("workers: 2 of 2")
	if status := p.Wait(); status != 0 || lab.Count("pushed", p) != 2 {
		t.Errorf("it ended with status %d: %s", status, p.Text())
	}
}

// Workers and reports come at once, as they do when a lecture hall begins.
func TestCrowds(t *testing.T) {
	l := labtest.New(t)
	for _, program := range []string{pusher, sink} {
		address := l.Address()
		server := l.Start(program, "-bind", address)
		server.WaitFor("listening")
		labtest.TakesACrowd(t, server, address)
	}
}

// On Ctrl-C the programs say what they drop, and nothing if they drop
// nothing.
func TestWhatIsDropped(t *testing.T) {
	l := labtest.New(t)
	source, results := l.Address(), l.Address()
	s := l.Start(sink, "-bind", results)
	p := l.Start(pusher, "-bind", source, "-interval", "1h")
	idle := l.Start(worker, "-connect", source, "-sink", results, "-work", "0",
		"idle")
	s.WaitFor("worker idle has delivered order 0")
	for _, done := range []*lab.Process{p, idle} {
		labtest.StopsAtOnce(t, done)
		if lab.Count("drops", done) != 0 {
			t.Errorf("nothing was to be dropped: %s", done.Text())
		}
	}

	// An order that a worker has begun to deliver.
	p = l.Start(pusher, "-bind", source, "-interval", "0", "-count", "2")
	busy := l.Start(worker, "-connect", source, "-sink", results, "-work",
		"1h", "busy")
	busy.WaitFor("received order 0")
	p.Wait()
	labtest.StopsAtOnce(t, busy)
	if lab.Count("drops order 0 of "+source[len("tcp://127.0.0.1:"):], busy) != 1 ||
		lab.Count("drops", busy) != 1 {
		t.Errorf("it had order 0 in hand: %s", busy.Text())
	}

	// Reports for a sink that is not there.
	l.Start(pusher, "-bind", source, "-interval", "0", "-count", "2")
	alone := l.Start(worker, "-connect", source, "-sink", l.Address(), "-work",
		"0", "alone")
	alone.WaitFor("delivered order 1")
	labtest.StopsAtOnce(t, alone)
	alone.WaitFor("drops messages that nobody took in time")
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
		{Source: "3", ID: math.MaxInt, Worker: "c"},
		{Source: "4", Run: "x", ID: 0, Worker: "c"},
		{Source: "4", Run: "y", ID: 1, Worker: "c"},
		{Source: "5", ID: 1, Worker: "c"}, {Source: "5", ID: 0, Worker: "c"},
		{Source: "5", ID: 1, Worker: "c"},
	} {
		sum.Add(o)
	}
	lines := sum.Lines()
	want := []string{"worker a: 3 delivered", "worker b: 1 delivered",
		"worker c: 6 delivered", "never arrived from 1: [1]; none came after 3",
		"never arrived from 3: [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 " +
			"18 19 ...]; none came after 9223372036854775807",
		"never arrived from 4 (run y): [0]; none came after 1",
		"came more than once from 5: [1] (a second run?)"}
	if len(lines) != len(want)+1 || !slices.Equal(lines[:len(want)], want) ||
		!strings.HasPrefix(lines[len(want)], "total: 10 delivered in ") {
		t.Errorf("the sum is\n%s", strings.Join(lines, "\n"))
	}
}

// Orders that arrive in any sequence are counted as in one.
func TestSumInAnySequence(t *testing.T) {
	for range 100 {
		var sum pipeline.Sum
		var missing []int
		for _, id := range rand.Perm(40) {
			if id < 39 && rand.IntN(3) == 0 && len(missing) < 20 {
				missing = append(missing, id)
				continue
			}
			sum.Add(&pipeline.Order{Source: "1", ID: id, Worker: "1"})
		}
		slices.Sort(missing)
		want := fmt.Sprintf("never arrived from 1: %v; none came after 39", missing)
		if len(missing) > 0 && !slices.Contains(sum.Lines(), want) {
			t.Fatalf("expected %s: %s", want, sum.Lines())
		}
	}
}

// What is filled in is a gap no longer: a sink may run as long as it likes.
func TestSumForgetsGaps(t *testing.T) {
	const block = 10_000 // in each, first the even numbers, then the others
	var sum pipeline.Sum
	for first := range 30 {
		for half := range 2 {
			for i := half; i < block; i += 2 {
				sum.Add(&pipeline.Order{Source: "1", ID: first*block + i,
					Worker: "1"})
			}
		}
	}
	if lines := sum.Lines(); len(lines) != 2 { // the worker, the total
		t.Errorf("all has arrived: %q", lines)
	}
}

// Whatever strangers report, the sink keeps little of it, and prints what it
// has left out.
func TestSumIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		order func(i int) pipeline.Order
		says  string
	}{
		"workers": {func(i int) pipeline.Order {
			return pipeline.Order{Source: "1", ID: i,
				Worker: fmt.Sprintf("%0100d", i)}
		}, "workers that came after the first 1000: 299000 delivered"},
		"sources": {func(i int) pipeline.Order {
			return pipeline.Order{Source: fmt.Sprintf("%0100d", i),
				Worker: "1"}
		}, "pushers that came after the first 1000: 299000 delivered"},
		"runs": {func(i int) pipeline.Order {
			return pipeline.Order{Source: "1", Run: fmt.Sprintf("%0100d", i),
				Worker: "1"}
		}, "pushers that came after the first 1000: 299000 delivered"},
		"gaps": {func(i int) pipeline.Order {
			return pipeline.Order{Source: "1", ID: 2 * i, Worker: "1"}
		}, "not known what never arrived from 1: too many gaps"},
	} {
		t.Run(name, func(t *testing.T) {
			before := memory()
			var sum pipeline.Sum
			for i := range 300_000 {
				order := c.order(i)
				sum.Add(&order)
			}
			if grown := memory() - before; grown > 10<<20 {
				t.Errorf("the sum has grown to %d MiB", grown>>20)
			}
			lines := sum.Lines()
			if len(lines) > 2100 || !strings.Contains(
				strings.Join(lines, "\n"), c.says) {
				t.Errorf("%d lines, the last are %q", len(lines),
					lines[max(0, len(lines)-3):])
			}
			runtime.KeepAlive(&sum)
		})
	}
}

// memory returns how many bytes are in use.
func memory() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
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
	p = l.Start(pusher, "-bind", source, "-wait", "1", "-count", "100000",
		"-interval", "0")
	p.Mute()
	w.WaitFor("received")
	w.Freeze()
	p.WaitFor("waiting for a worker that can take an order")
	labtest.StopsAtOnce(t, p)
}
