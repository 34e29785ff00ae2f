package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"distsys/internal/lab"
)

func journal(l *lab.Lab) {
	const masters, each = 3, 20
	s := newSpaceWithJournal(l)

	l.Step("%d masters write %d tasks each; meanwhile the server is killed, "+
		"and started again with its journal", masters, each)
	var writers, workers []*lab.Process
	for i := range masters {
		writers = append(writers, s.masterOf(i*each+1, (i+1)*each))
	}
	l.WaitForCount("wrote [\"fib\"", each, writers...)
	s.restart()
	l.WaitForCount("wrote [\"fib\"", masters*each, writers...)
	tasks := s.start("client", "readall", "fib", "?").Mute()
	tasks.Wait()
	lost := masters*each - lab.Count("[\"fib\"", tasks)

	l.Step("three workers take the tasks, for good; the server is killed " +
		"again, and started again")
	for range 3 {
		workers = append(workers, s.start("worker_example/worker", "-loan",
			"0", "fib"))
	}
	l.WaitForCount("took fib ", each, workers...)
	s.restart()
	l.WaitForCount("wrote [\"fib_res\"", masters*each, workers...)
	for _, w := range workers {
		w.Stop()
	}
	cameBack := twice(workers, masters*each)

	l.Step("a worker borrows a task for an hour, and works on it; the server " +
		"is killed, and with it goes the loan")
	s.must("write", "fib", "20")
	s.start("worker_example/worker", "-loan", "1h", "-work", "1h",
		"fib").WaitFor("took fib 20")
	s.restart()
	there := s.do("trytake", "fib", "20")

	l.Verdict(lost == 0 && cameBack == 0 && there,
		"3 kills: of %d tasks that were written %d are lost, of %d that were "+
			"taken %d came back; the one on loan is there: %v", masters*each,
		lost, lab.Count("took fib ", workers...), cameBack, there)
}

// newSpaceWithJournal is newSpace with a journal in a folder of its own.
func newSpaceWithJournal(l *lab.Lab) *space {
	s := &space{l: l, address: l.Address(),
		journal: filepath.Join(l.TempDir(), "journal")}
	s.serve()
	return s
}

// restart kills the server and starts it again.
func (s *space) restart() {
	s.server.Kill()
	s.serve()
}

// masterOf starts a master with the tasks ("fib", first) to ("fib", last).
func (s *space) masterOf(first, last int) *lab.Process {
	var args []string
	for n := first; n <= last; n++ {
		args = append(args, "-fib", strconv.Itoa(n))
	}
	return s.start("worker_example/master", args...)
}

// twice counts the tasks that were taken more than once.
func twice(workers []*lab.Process, tasks int) (n int) {
	for task := 1; task <= tasks; task++ {
		times := 0
		for _, w := range workers {
			for _, line := range w.Lines() {
				if strings.HasSuffix(line, fmt.Sprintf("took fib %d", task)) {
					times++
				}
			}
		}
		if times > 1 {
			n++
		}
	}
	return n
}

var journalWithout = []lab.Without{
	{Name: "sync", Edit: lab.Edit{
		File:   "tuple_spaces/tuplespace/journal.go",
		Line:   "j.err != nil || len(j.changes) == 0 {",
		Become: "j.err != nil || len(j.changes) < 50 {"},
		Watch: "Replies do not wait for the disk: the server collects 50 " +
			"changes, and writes them down at once. What a client was told " +
			"last is not true after a kill."},
}
