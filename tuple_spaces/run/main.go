// Run tells the story of tuple spaces with real processes, or makes one of
// its experiments.
//
//	go run ./tuple_spaces/run
//	go run ./tuple_spaces/run one-taker
package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"distsys/internal/lab"
)

func main() {
	lab.Main("tuple_spaces",
		"Processes write tuples into a space, read them and take them out.",
		story,
		lab.Experiment{Name: "one-taker", Run: oneTaker,
			Claim: "However many want to take a tuple, exactly one gets it."},
		lab.Experiment{Name: "many-readers", Run: manyReaders,
			Claim: "Any number of processes can read a tuple; it stays."},
		lab.Experiment{Name: "dead-taker", Run: deadTaker,
			Claim: "A taker that was killed while it waited swallows" +
				" nothing. One that is frozen does, unless it takes on loan."},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Claim: "Workers that take a task and crash lose it. With loan" +
				" and commit no task is lost, and no result comes twice."},
		lab.Experiment{Name: "late-commit", Run: lateCommit,
			Claim: "A worker that wakes after its loan has run out is" +
				" refused: there is one result."},
		lab.Experiment{Name: "server-restart", Run: serverRestart,
			Claim: "When the server is started again its clients go on." +
				" Its tuples are gone."},
		lab.Experiment{Name: "time-to-live", Run: timeToLive,
			Claim: "A tuple with a time to live disappears after it; the" +
				" others stay."},
		lab.Experiment{Name: "any-language", Run: anyLanguage,
			Claim: "A program in another language takes part: here, in C."},
	)
}

// A space is a server and those who use it.
type space struct {
	l       *lab.Lab
	address string
	server  *lab.Process
}

func newSpace(l *lab.Lab) *space {
	s := &space{l: l, address: l.Address()}
	s.serve()
	return s
}

func (s *space) serve() {
	s.server = s.l.Start("tuple_spaces/server", "-bind", s.address)
	s.server.WaitFor("listening")
}

func (s *space) start(program string, args ...string) *lab.Process {
	return s.l.Start("tuple_spaces/"+program, append([]string{"-connect",
		s.address}, args...)...)
}

// do has a client do one operation, to its end.
func (s *space) do(operation ...string) (client *lab.Process, done bool) {
	client = s.ask(operation...)
	return client, client.Wait() == 0
}

// ask is do, where it is about what the client prints.
func (s *space) ask(operation ...string) *lab.Process {
	client := s.start("client", operation...)
	client.Wait()
	return client
}

// must is do, where it has to be done.
func (s *space) must(operation ...string) {
	if client, done := s.do(operation...); !done {
		s.l.Fail(client.Label() + " has failed")
	}
}

// waiting has a process start, and waits until it waits at the server for a
// tuple.
func (s *space) waiting(program string, args ...string) *lab.Process {
	before := lab.Count(" waits", s.server)
	p := s.start(program, args...)
	s.l.WaitForCount(" waits", before+1, s.server)
	return p
}

func story(l *lab.Lab) {
	s := newSpace(l)
	l.Step("one client reads, one takes; there is nothing yet, so they wait")
	reader := s.waiting("client", "read", "temp", "?int", "sensor123", "?int")
	taker := s.waiting("client", "take", "temp", "?int", "?", "?int")

	l.Step("a third writes a tuple: it is shown to the reader, then given " +
		"to the taker")
	s.must("write", "temp", "0", "sensor123", "21")
	reader.Wait()
	taker.Wait()

	l.Step("now the space is empty again")
	s.do("tryread", "temp", "?", "?", "?")

	l.Step("a worker waits for tasks, and a master writes one; neither " +
		"knows the other")
	s.waiting("worker_example/worker", "fac")
	s.waiting("worker_example/worker", "fib")
	s.start("worker_example/master").Wait()
}

func oneTaker(l *lab.Lab) {
	const n = 50
	s := newSpace(l)
	l.Step("%d clients want to take the tuple (\"prize\", n)", n)
	var takers []*lab.Process
	for range n {
		takers = append(takers, s.start("client", "take", "prize", "?int"))
	}
	l.WaitForCount(" waits", n, s.server)

	l.Step("one tuple is written")
	s.must("write", "prize", "1")
	l.WaitForCount("take [\"prize\",1]", 1, takers...)

	l.Step("there is none left; the others still wait, and are stopped")
	_, left := s.do("tryread", "prize", "?")
	waiting := 0
	for _, taker := range takers {
		if taker.Running() {
			waiting++
			taker.Stop()
		}
	}
	got := lab.Count("take [\"prize\",1]", takers...)
	given := lab.Count("take gets [\"prize\",1]", s.server)
	l.Verdict(!left && got == 1 && given == 1 && waiting == n-1,
		"1 tuple, %d takers: given to %d, %d got it, %d went on waiting", n,
		given, got, waiting)
}

func manyReaders(l *lab.Lab) {
	const n = 10
	s := newSpace(l)
	l.Step("%d clients wait to read the tuple (\"news\", ...)", n)
	var readers []*lab.Process
	for range n {
		readers = append(readers, s.start("client", "read", "news", "?"))
	}
	l.WaitForCount(" waits", n, s.server)

	l.Step("one tuple is written")
	s.must("write", "news", "hello")
	l.WaitForCount("read [\"news\",\"hello\"]", n, readers...)

	l.Step("%d more read it later", n)
	for range n {
		readers = append(readers, s.ask("tryread", "news", "?"))
	}
	_, there := s.do("tryread", "news", "hello")
	copies := lab.Count("read [\"news\",\"hello\"]", readers...)
	l.Verdict(copies == 2*n && there,
		"1 tuple, %d readers: %d copies; still there: %v", 2*n, copies, there)
}

func timeToLive(l *lab.Lab) {
	s := newSpace(l)
	l.Step("an event is written that is to live for three seconds, and a " +
		"tuple without a limit")
	s.must("write", "forever", "1")
	begun := time.Now()
	s.start("event_example/publisher", "-count", "1").Wait()
	_, before := s.do("tryread", "temp", "0", "?", "?")

	l.Step("it is looked for, again and again, until it is gone")
	s.server.Mute()
	looks := 0
	for there := true; there; looks++ {
		client := s.start("client", "tryread", "temp", "0", "?", "?").Mute()
		there = client.Wait() == 0
	}
	lived := time.Since(begun)
	_, after := s.do("tryread", "forever", "?")
	l.Verdict(before && after && lived >= 3*time.Second,
		"1 event for 3 s: there at first: %v, gone after %.1f s (%d looks); "+
			"the other tuple is there: %v", before, lived.Seconds(), looks,
		after)
}

func anyLanguage(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a client of some 30 lines of C is compiled, with libzmq")
	dir, err := os.MkdirTemp("", "distsys-c-")
	l.Check(err)
	l.Cleanup(func() { os.RemoveAll(dir) })
	source, err := lab.Source("tuple_spaces/c_client/client.c")
	l.Check(err)
	flags, err := exec.Command("pkg-config", "--cflags", "--libs",
		"libzmq").Output()
	l.Check(err)
	program := filepath.Join(dir, "client")
	compile := exec.Command(cmp.Or(os.Getenv("CC"), "cc"), append([]string{
		"-o", program, source}, strings.Fields(string(flags))...)...)
	text, err := compile.CombinedOutput()
	if err != nil {
		l.Fail(fmt.Sprintf("compile client.c: %v: %s", err, text))
	}
	ask := func(request string) string {
		l.Line("c_client", "c_client: asks "+request)
		reply, err := exec.CommandContext(l.Context(), program, s.address,
			request).CombinedOutput()
		l.Check(err)
		l.Line("c_client", "c_client: "+strings.TrimSpace(string(reply)))
		return strings.TrimSpace(string(reply))
	}

	l.Step("it writes a task, a worker in Go does it, and it takes the result")
	ask(`{"op":"write","tuples":[["fac",30]]}`)
	worker := s.start("worker_example/worker", "fac")
	worker.WaitFor("wrote")
	result := ask(`{"op":"take","pattern":["fac_res",{"?":"int"}],` +
		`"wait_ms":10000}`)
	want := `{"status":"ok","tuples":[["fac_res",` +
		`265252859812191058636308480000000]]}`
	refused := ask(`{"op":"take","pattern":5}`)
	l.Verdict(result == want && strings.Contains(refused, "error"),
		"3 requests in C: 1 task written, 1 result of 33 digits taken "+
			"exactly: %v, 1 mistake explained: %v", result == want,
		strings.Contains(refused, "does not belong here"))
}
