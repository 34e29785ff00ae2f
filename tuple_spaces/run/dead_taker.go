package main

import (
	"fmt"

	"distsys/internal/lab"
)

func deadTaker(l *lab.Lab) {
	s := newSpace(l)
	l.Step("two workers wait to take a task; the first is killed, then a " +
		"task is written")
	first := s.waiting("worker_example/worker", "-loan", "0", "fac")
	second := s.waiting("worker_example/worker", "-loan", "0", "fac")
	first.Kill()
	s.must("write", "fac", "3")
	second.WaitFor("wrote [\"fac_res\",6]")
	second.Stop()
	passedOn := lab.Count("took fac 3", second)

	l.Step("a worker waits and is frozen, then a task is written: the " +
		"server cannot see that nobody listens")
	frozen := s.frozenTaker("4", "-loan", "0")
	frozen.Kill()
	s.loansOver()
	swallowed := 1
	if s.do("trytake", "fac", "4") {
		swallowed = 0
	}

	l.Step("the same, but the worker takes its task on loan, for a second")
	frozen = s.frozenTaker("5", "-loan", "1s")
	s.loansOver()
	cameBack := 0
	if s.do("trytake", "fac", "5") {
		cameBack = 1
	}
	frozen.Kill()

	l.Step("a worker has been frozen for four seconds when a task is " +
		"written: it would have had to ask again by then")
	frozen = s.waiting("worker_example/worker", "-loan", "0", "fac")
	frozen.Freeze()
	s.start("client", "-timeout", "4s", "take", "nothing").Wait()
	s.must("write", "fac", "6")
	later := 1
	if s.do("trytake", "fac", "6") {
		later = 0
	}
	frozen.Kill()

	l.Verdict(passedOn == 1 && swallowed == 1 && cameBack == 1 && later == 0,
		"killed: %d of 1 task went to the next worker; frozen: %d of 1 was "+
			"swallowed; frozen, on loan: %d of 1 came back; frozen for 4 s: "+
			"%d of 1 was swallowed", passedOn, swallowed, cameBack, later)
}

// frozenTaker returns a worker that was frozen while it waited, and to which
// the server has given the task since. A wait at the server ends after some
// seconds, and a frozen worker does not ask again: if that was too soon,
// another one has to try.
func (s *space) frozenTaker(task string, args ...string) *lab.Process {
	nothing := fmt.Sprintf("take [\"fac\",%s] finds nothing", task)
	for {
		frozen := s.waiting("worker_example/worker", append(args, "fac")...)
		frozen.Freeze()
		before := lab.Count(nothing, s.server)
		s.must("write", "fac", task)
		if !s.do("trytake", "fac", task) {
			s.l.WaitForCount(nothing, before+1, s.server)
			return frozen
		}
		frozen.Kill()
	}
}

var deadTakerWithout = []lab.Without{
	{Name: "mandatory", Edit: lab.Edit{
		File:   "tuple_spaces/tuplespace/server.go",
		Line:   "s.socket.SetRouterMandatory(1)",
		Become: "s.socket.SetRouterMandatory(0)"},
		Watch: "ZeroMQ drops a reply to somebody who is gone, and says " +
			"nothing: the task goes to the worker that was killed."},
	{Name: "end-of-waits", Edit: lab.Edit{
		File:   "tuple_spaces/tuplespace/server.go",
		Line:   "s.now.Add(min(milliseconds(r.Wait), maxWait))",
		Become: "s.now.Add(time.Hour)"},
		And: []lab.Edit{{
			File:   "tuple_spaces/tuplespace/server.go",
			Line:   "		s.socket.SetHeartbeatIvl(heartbeat),\n",
			Become: ""}},
		Watch: "Nobody has to ask again, and the server does not ask whether " +
			"they are there: who has been frozen for long swallows a task, too."},
	{Name: "loan", Edit: lab.Edit{File: workerFile, Line: ifOnLoan,
		Become: "if false {"},
		Watch: "A worker takes every task for good, -loan 1s or not: what " +
			"the frozen one was given does not come back."},
	{Name: "always-on-loan", Cure: true, Edit: lab.Edit{File: workerFile,
		Line: ifOnLoan, Become: alwaysOnLoan},
		Watch: "Every worker borrows its tasks, for a second at least: the " +
			"task that was given to the frozen one comes back."},
}

// What is changed in the worker stands in other experiments, too.
const (
	workerFile   = "tuple_spaces/worker_example/worker/main.go"
	ifOnLoan     = "if *loan > 0 {"
	alwaysOnLoan = "if *loan = max(*loan, time.Second); *loan > 0 {"
	commit       = "err = task.Commit(context.WithoutCancel(ctx), result)"
	onlyWrite    = "err = space.Write(context.WithoutCancel(ctx), result...)"
	writeFirst   = onlyWrite + "\n	if err == nil {\n" +
		"		err = task.Commit(context.WithoutCancel(ctx))\n	}"
)
