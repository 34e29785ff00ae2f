package tuplespaces_test

import (
	"bufio"
	"context"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

const (
	server     = "tuple_spaces/server"
	client     = "tuple_spaces/client"
	master     = "tuple_spaces/worker_example/master"
	worker     = "tuple_spaces/worker_example/worker"
	publisher  = "tuple_spaces/event_example/publisher"
	subscriber = "tuple_spaces/event_example/subscriber"
)

func TestMain(m *testing.M) { labtest.Main(m, "tuple_spaces") }

func TestExperiments(t *testing.T) {
	t.Parallel()
	labtest.Experiments(t, "tuple_spaces", "one-taker", "many-readers",
		"dead-taker", "worker-crash", "late-commit", "server-restart",
		"journal", "time-to-live", "any-language")
	labtest.Experiments(t, "tuple_spaces/event_example", "fall-behind")
}

func TestStories(t *testing.T) {
	t.Parallel()
	for pattern, texts := range map[string][]string{
		"tuple_spaces": {`read ["temp",0,"sensor123",21]`,
			`take ["temp",0,"sensor123",21]`, `took ["fac_res",120]`},
		"tuple_spaces/worker_example": {`took ["fac_res",120]`,
			`took ["fib_res",2]`},
		"tuple_spaces/event_example": {"subscriber A: received event 5 ",
			"subscriber B: received event 5 "},
	} {
		run := labtest.New(t).Start(pattern + "/run")
		status := run.Wait()
		for _, text := range texts {
			if status != 0 || !strings.Contains(run.Text(), text) {
				t.Errorf("the story of %s lacks %s: %s", pattern, text,
					run.Text())
			}
		}
	}
}

// serve starts a server on an address of its own.
func serve(l *lab.Lab) (s *lab.Process, address string) {
	address = l.Address()
	s = l.Start(server, "-bind", address)
	s.WaitFor("listening")
	return s, address
}

// Fields are JSON if they can be read as JSON, and strings if not.
func TestClient(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	s, address := serve(l)
	for _, c := range []struct {
		args   string // separated by spaces
		status int
		prints string // after "client <pid>: "
	}{
		{`write fac 5`, 0, `write ["fac",5]`},
		{`read fac ?int`, 0, `read ["fac",5]`},
		{`tryread fac ?string`, 1, `tryread: no tuple matches`},
		{`trytake fac 5.0`, 0, `trytake ["fac",5]`},
		{`trytake fac ?`, 1, `trytake: no tuple matches`},
		{`-timeout 1ms take fac ?`, 1, `take: nothing within 1ms`},
		{`write a "5" true [1,null] {"k":2.50} -7 ä 1e2`, 0,
			`write ["a","5",true,[1,null],{"k":2.50},-7,"ä",1e2]`},
		{`readall ? ?string ?bool ?array ?object ?int64 ? ?number`, 0,
			`readall ["a","5",true,[1,null],{"k":2.5},-7,"ä",100]`},
		{`write b 123456789012345678901234567890`, 0,
			`write ["b",123456789012345678901234567890]`},
		{`write b 1`, 0, `write ["b",1]`},
		{`takeall b ?`, 0, `takeall ["b",123456789012345678901234567890]` +
			`|takeall ["b",1]`},
		{`takeall b ?`, 1, `takeall: no tuple matches`},
	} {
		p := l.Start(client, append([]string{"-connect", address},
			strings.Split(c.args, " ")...)...)
		status := p.Wait()
		var lines []string
		for _, line := range p.Lines() {
			_, line, _ = strings.Cut(line, ": ")
			lines = append(lines, line)
		}
		if got := strings.Join(lines, "|"); status != c.status ||
			got != c.prints && "client: "+got != c.prints {
			t.Errorf("client %s: status %d, %s", c.args, status, p.Text())
		}
	}
	labtest.StopsAtOnce(t, s)
	s.WaitFor("tuples dropped: 1")
	for _, want := range []string{`: write ["fac",5]`, `: read gets ["fac",5]`,
		`: take ["fac",null] finds nothing`} {
		if lab.Count(want, s) != 1 {
			t.Errorf("the server does not print %q once: %s", want, s.Text())
		}
	}
}

// Results are exact, whatever their size, and one for each task.
func TestMasterAndWorkers(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	address := l.Address()
	l.Start(server, "-bind", address, "-quiet")
	connect := []string{"-connect", address}
	m := l.Start(master, append(connect, "-fac", "1000", "-fac", "0", "-fac",
		"21", "-fib", "0", "-fib", "1000", "-fib", "2")...)
	m.WaitFor(`wrote ["fib",2]`)
	l.Start(worker, append(connect, "fac")...)
	l.Start(worker, append(connect, "fac")...)
	l.Start(worker, append(connect, "-loan", "0", "fib")...)
	if m.Wait() != 0 {
		t.Fatal("the master has failed")
	}
	fib := big.NewInt(0)
	for a, i := big.NewInt(1), 0; i < 1000; i++ {
		a, fib = fib, a.Add(a, fib)
	}
	var want, got []string
	for _, n := range []int64{1000, 0, 21} {
		want = append(want, fmt.Sprintf(`took ["fac_res",%d]`,
			new(big.Int).MulRange(1, n)))
	}
	for _, n := range []*big.Int{big.NewInt(0), fib, big.NewInt(1)} {
		want = append(want, fmt.Sprintf(`took ["fib_res",%d]`, n))
	}
	for _, line := range m.Lines() {
		if _, line, _ = strings.Cut(line, ": "); strings.Contains(line, "took") {
			got = append(got, line)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the master got\n%q\nnot\n%q", got, want)
	}

	// A task that nobody can do does not stop a worker.
	c := l.Start(client, append(connect, "write", "fac", "-5")...)
	c.Wait()
	c = l.Start(client, append(connect, "take", "fac_error", "?")...)
	if c.Wait() != 0 || lab.Count(`take ["fac_error",-5]`, c) != 1 {
		t.Errorf("a task that cannot be done ends with %q", c.Text())
	}
}

// A worker that is stopped, rather than killed, puts its task back at once.
func TestStoppedWorkerGivesItsTaskBack(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, address := serve(l)
	for _, loan := range []string{"0", "1h"} {
		w := l.Start(worker, "-connect", address, "-loan", loan, "-work",
			"1h", "fac")
		l.Start(client, "-connect", address, "write", "fac", "7").Wait()
		w.WaitFor("took fac 7")
		labtest.StopsAtOnce(t, w)
		c := l.Start(client, "-connect", address, "trytake", "fac", "7")
		if c.Wait() != 0 {
			t.Errorf("-loan %s: the task is gone: %s", loan, c.Text())
		}
	}
}

// Events come in order, and a subscriber notices a new publisher.
func TestEvents(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, address := serve(l)
	s := l.Start(subscriber, "-connect", address, "-count", "5", "x")
	s.WaitFor("waiting")
	l.Start(publisher, "-connect", address, "-count", "3", "-interval",
		"200ms").Wait()
	s.WaitFor("received event 2 ")

	p := l.Start(publisher, "-connect", address, "-interval", "2s")
	p.WaitFor("took out 3 events of an earlier run")
	s.WaitFor("a new publisher begins with event")
	if s.Wait() != 0 {
		t.Error("the subscriber has failed")
	}
	hot := 0
	for _, line := range s.Lines() {
		line = line[strings.LastIndex(line, ": ")+1:]
		if temp, ok := lab.Number(" ", line); ok && temp > tuplespaces.High {
			hot++
		}
	}
	if n := lab.Count("warning: high temperature measured by sensor sensor123",
		s); n != hot {
		t.Errorf("%d warnings, %d events above %d degrees: %s", n, hot,
			tuplespaces.High, s.Text())
	}
	labtest.StopsAtOnce(t, p)
}

// An event stays until three more have come, however long that takes.
func TestPublisherKeepsThreeEvents(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, address := serve(l)
	for _, c := range []struct{ count, first, last int }{{1, 0, 0}, {3, 0, 2},
		{4, 1, 3}, {20, 17, 19}, {2, 0, 1}} {
		p := l.Start(publisher, "-connect", address, "-interval", "1ms",
			"-count", fmt.Sprint(c.count))
		if p.Wait() != 0 {
			t.Fatal("the publisher has failed")
		}
		all := l.Start(client, "-connect", address, "readall", "temp", "?int",
			"sensor123", "?int")
		all.Wait()
		var got, want []int
		for _, line := range all.Lines() {
			seq, _ := lab.Number("[\"temp\",", line)
			got = append(got, seq)
		}
		for seq := c.first; seq <= c.last; seq++ {
			want = append(want, seq)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %d events there are %d, not %d", c.count, got,
				want)
		}
	}

	// With -count 1, too, a subscriber that comes later finds the event.
	l.Start(publisher, "-connect", address, "-count", "1").Wait()
	late := l.Start(subscriber, "-connect", address, "-count", "1", "late")
	late.WaitFor("received event 0 of sensor123")
}

// A tuple with a time to live is there at first, and goes by itself.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, address := serve(l)
	run := func(args ...string) int {
		return l.Start(client, append([]string{"-connect", address},
			args...)...).Wait()
	}
	run("-ttl", "1h", "write", "long", "1")
	run("-ttl", "100ms", "write", "short", "1")
	written := time.Now()
	if run("tryread", "long", "?") != 0 {
		t.Error("a tuple is gone within its time to live")
	}
	for over, there := false, true; there; {
		if over {
			t.Fatal("a tuple outlives its time to live")
		}
		over = time.Since(written) > time.Second
		there = run("tryread", "short", "?") == 0
	}
}

// What a stranger has put into a tuple does not act on the terminal.
func TestTuplesArePrintable(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, address := serve(l)
	const evil = "\x1b[31m\u009b2J\u202e\u2028\x7f\U000e0041\r\nserver: x"
	const shown = `["x","\u001b[31m\u009b2J\u202e\u2028\u007f` +
		`\udb40\udc41\r\nserver: x"]`
	space, err := tuplespace.Connect(address)
	labtest.Must(t, err)
	defer space.Close()
	labtest.Must(t, space.Write(t.Context(), "x", evil))
	for _, operation := range []string{"read", "readall", "trytake"} {
		c := l.Start(client, "-connect", address, operation, "x", "?")
		c.Wait()
		if lines := c.Lines(); len(lines) != 1 ||
			!strings.HasSuffix(lines[0], operation+" "+shown) {
			t.Errorf("%s prints %q", operation, lines)
		}
	}
	c := l.Start(client, "-connect", address, "write", "x", evil)
	c.Wait()
	if lab.Count("write "+shown, c) != 1 {
		t.Errorf("write prints %q", c.Lines())
	}
	// What was escaped means the same.
	tuple, err := space.Take(t.Context(), "x", evil)
	if err != nil || tuple[1] != evil {
		t.Errorf("%q, %v", tuple, err)
	}
}

// The server does not depend on whoever reads what it prints: neither one
// that reads nothing, nor one that goes away.
func TestUnreadOutput(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	for _, gone := range []bool{false, true} {
		address := l.Address()
		// A plain process, since a lab reads what its programs print.
		p := exec.Command(filepath.Join(os.Getenv(lab.BinVar), server),
			"-bind", address)
		out, err := p.StdoutPipe()
		labtest.Must(t, err)
		labtest.Must(t, p.Start())
		t.Cleanup(func() { p.Process.Kill(); p.Wait() })
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); err != nil ||
			!strings.Contains(line, "listening") {
			t.Fatalf("%q, %v", line, err)
		}
		if gone {
			labtest.Must(t, out.Close())
		}
		space, err := tuplespace.Connect(address)
		labtest.Must(t, err)
		const n = 5000 // the original's stood still after 1,871
		for i := range n {
			labtest.Must(t, space.Write(t.Context(), "n", i))
		}
		all, err := space.TakeAll(t.Context(), "n", tuplespace.Any)
		if err != nil || len(all) != n {
			t.Errorf("%d tuples, %v", len(all), err)
		}
		if !gone { // it reads again, and learns how much it has missed
			ctx, read := context.WithCancel(t.Context())
			go func() { // so that there is more to print
				for ctx.Err() == nil {
					space.TryRead(ctx, "x")
				}
			}()
			missed := -1
			for missed < 0 {
				line, err := lines.ReadString('\n')
				labtest.Must(t, err)
				if n, ok := lab.Number("dropped ", line); ok {
					missed = n
				}
			}
			read()
			if missed < n/4 {
				t.Errorf("only %d of %d lines were dropped", missed, n)
			}
		}
		labtest.Must(t, space.Close())
		labtest.Must(t, p.Process.Signal(os.Interrupt))
		if _, err := lines.WriteTo(new(strings.Builder)); err != nil && !gone {
			t.Error(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("it ends with %v", err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, taken := serve(l)
	for _, c := range []struct {
		program string
		args    []string
		says    string
	}{
		{server, []string{"-bind", taken}, "the port is taken"},
		{server, []string{"-bind", "x"}, "looks like tcp://"},
		{server, []string{"x"}, "surplus argument"},
		{client, []string{"-connect", "x", "read", "y"}, "connect to x"},
		{client, []string{}, `no operation ""; there are: write, read`},
		{client, []string{"raed", "x"}, `no operation "raed"; there are`},
		{client, []string{"read", "x", "-timeout", "1s"}, "before words"},
		{client, []string{"-connect", taken, "take", "x", "?foo"},
			`no type "foo"; there are int64, int`},
		{client, []string{"-connect", taken, "write", "x", "?"}, "null"},
		{client, []string{"-connect", taken, "write"}, "empty"},
		{client, []string{"-ttl", "1s", "read", "x"}, "-ttl is for write"},
		{client, []string{"-ttl", "-1s", "write", "x"}, "below zero"},
		{worker, []string{}, "there are: fac, fib"},
		{worker, []string{"fac", "fib"}, "surplus argument"},
		{worker, []string{"-loan", "-1s", "fac"}, "below zero"},
		{master, []string{"-fac", "-1"}, "whole number from 0 to 100000"},
		{master, []string{"-fib", "100001"}, "whole number from 0 to 100000"},
		{master, []string{"-fac", "x"}, "whole number from 0 to 100000"},
		{publisher, []string{"1"}, "surplus argument"},
		{publisher, []string{"-interval", "1"}, "times look like"},
		{subscriber, []string{"1", "2"}, "surplus argument"},
		{"tuple_spaces/run", []string{"one-takr"}, "there are: one-taker, "},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

// Ctrl-C ends each program at once: while it waits for a tuple, and while
// there is no server.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	s, address := serve(l)
	for _, c := range []struct {
		program string
		args    []string
	}{
		{client, []string{"take", "x"}}, {worker, []string{"fac"}},
		{master, nil}, {subscriber, []string{"1"}}, {publisher, nil},
	} {
		for _, to := range []string{address, l.Address()} {
			p := l.Start(c.program, append([]string{"-connect", to},
				c.args...)...)
			if to == address && c.program == client {
				s.WaitFor(`take ["x"] waits`)
			} else {
				l.WaitUntil("a sign of life", func() bool {
					return p.Printed("waiting") || p.Printed("no reply") ||
						p.Printed("wrote") || p.Printed("published")
				})
			}
			labtest.StopsAtOnce(t, p)
		}
	}
}
