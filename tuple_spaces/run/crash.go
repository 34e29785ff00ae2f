package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"distsys/internal/lab"
)

// These experiments stop processes in the middle of something.

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

	l.Step("a worker waits and is frozen, then a task is written: nobody " +
		"can see that it does not listen")
	frozen := s.swallow("4", "-loan", "0")
	_, left := s.do("trytake", "fac", "4")
	frozen.Kill()
	_, leftLater := s.do("trytake", "fac", "4")
	swallowed := 0
	if !left && !leftLater {
		swallowed = 1
	}

	l.Step("the same, but the worker takes its task on loan, for a second")
	frozen = s.swallow("5", "-loan", "1s")
	s.start("worker_example/worker", "fac").WaitFor("wrote [\"fac_res\",120]")
	frozen.Kill()
	_, cameBack := s.do("trytake", "fac_res", "120")
	back := 0
	if cameBack {
		back = 1
	}
	l.Verdict(passedOn == 1 && swallowed == 1 && back == 1,
		"killed: %d of 1 task went to the next worker; frozen: %d of 1 was "+
			"swallowed; frozen, on loan: %d of 1 came back", passedOn,
		swallowed, back)
}

// swallow has a worker wait for a task, and freezes it before that comes. A
// wait ends after two seconds, and a frozen worker does not ask again: if
// that was too short, another one has to try.
func (s *space) swallow(task string, args ...string) (frozen *lab.Process) {
	for {
		frozen = s.waiting("worker_example/worker", append(args, "fac")...)
		frozen.Freeze()
		gets := fmt.Sprintf("take gets [\"fac\",%s]", task)
		before := lab.Count(gets, s.server)
		s.must("write", "fac", task)
		if lab.Count(gets, s.server) > before {
			return frozen
		}
		s.must("take", "fac", task)
		frozen.Kill()
	}
}

func workerCrash(l *lab.Lab) {
	const tasks = 400
	l.Step("%d tasks; workers take them for good, and are killed and "+
		"started again all the time", tasks)
	kills, lost, _ := crashes(l, tasks, "0")
	l.Say("%d tasks are lost: with those who took them", lost)

	l.Step("the same, but the workers borrow their tasks, and commit")
	loanKills, loanLost, twice := crashes(l, tasks, "1s")
	l.Verdict(lost > 0 && loanLost == 0 && twice == 0,
		"taken for good: %d tasks, %d kills, %d lost; on loan: %d tasks, "+
			"%d kills, %d lost, %d results twice", tasks, kills, lost, tasks,
		loanKills, loanLost, twice)
}

// crashes has workers do tasks while they are killed. It returns how often
// one was, how many tasks have neither a result nor are still there, and how
// many results came more than once.
func crashes(l *lab.Lab, tasks int, loan string) (kills, lost, twice int) {
	s := newSpace(l)
	s.server.Mute()
	start := func() *lab.Process {
		return s.start("worker_example/worker", "-loan", loan, "-work",
			"10ms", "fac").Mute()
	}
	running := []*lab.Process{start(), start(), start(), start()}
	all := slices.Clone(running)
	var args []string
	for n := range tasks {
		args = append(args, "-fac", strconv.Itoa(n+1)) // 400 different results
	}
	master := s.start("worker_example/master", args...).Mute()

	// Each time that ten more tasks were taken, a worker is killed.
	for took := 10; took < tasks; took += 10 {
		l.WaitForCount("took fac ", took, all...)
		i := kills % len(running)
		running[i].Kill()
		kills++
		running[i] = start()
		all = append(all, running[i])
	}
	if loan != "0" {
		s.start("worker_example/worker", "fib").Mute() // for the master's one
		master.Wait()
	}
	// Who is stopped, rather than killed, puts back what it has.
	for _, w := range running {
		w.WaitFor("waiting") // or else it has only just begun
		w.Stop()
	}
	if master.Running() {
		master.Stop()
	}
	tasksLeft := s.ask("readall", "fac", "?")
	resultsLeft := s.ask("readall", "fac_res", "?")
	counts := map[string]int{}
	for _, p := range []*lab.Process{master, resultsLeft} {
		for _, line := range p.Lines() {
			_, result, ok := strings.Cut(line, "[\"fac_res\",")
			if ok {
				counts[result]++
			}
		}
	}
	for _, n := range counts {
		if n > 1 {
			twice++
		}
	}
	left := lab.Count("readall [\"fac\",", tasksLeft)
	return kills, tasks - len(counts) - left, twice
}

func lateCommit(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a worker borrows a task for a second, and is frozen at work")
	var late *lab.Process
	for { // again, should it be through before it is frozen
		late = s.waiting("worker_example/worker", "-loan", "1s", "-work",
			"500ms", "fac")
		s.must("write", "fac", "5")
		late.WaitFor("took fac 5")
		late.Freeze()
		if _, done := s.do("trytake", "fac_res", "120"); !done {
			break
		}
		late.Kill()
	}

	l.Step("the loan runs out: another worker gets the task, and commits")
	other := s.start("worker_example/worker", "fac")
	other.WaitFor("wrote [\"fac_res\",120]")

	l.Step("the first wakes, goes on as if nothing had been, and commits")
	late.Thaw()
	late.WaitFor("too late with fac 5")
	client := s.ask("takeall", "fac_res", "?")
	results := lab.Count("[\"fac_res\",120]", client)
	took := lab.Count("took fac 5", late, other)
	refused := lab.Count("too late", late)
	l.Verdict(results == 1 && took == 2 && refused == 1,
		"1 task, taken %d times, 1 commit in time, %d refused: %d result",
		took, refused, results)
}

func serverRestart(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a worker waits, and a tuple is in the space")
	worker := s.waiting("worker_example/worker", "fac")
	s.must("write", "old", "1")

	l.Step("the server is killed; a master comes while there is none")
	s.server.Kill()
	master := s.start("worker_example/master")
	master.WaitFor("no reply")

	l.Step("the server is started again, and so is a second worker")
	s.serve()
	s.start("worker_example/worker", "fib")
	status := master.Wait()
	wrote := lab.Count("wrote [\"fac_res\",120]", worker)
	_, there := s.do("tryread", "old", "?")
	l.Verdict(status == 0 && wrote == 1 && !there,
		"1 restart: the worker that had waited did %d task, the master took "+
			"%d results; the tuple from before is there: %v", wrote,
		lab.Count("_res", master), there)
}
