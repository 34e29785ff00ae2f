package main

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"distsys/internal/lab"
)

func workerCrash(l *lab.Lab) {
	const tasks = 400
	l.Step("%d tasks; workers take them for good, and are killed and "+
		"started again all the time", tasks)
	taken := crash(l, tasks, "0")
	l.Say("%d tasks are lost, with the workers that took them", taken.lost)

	l.Step("the same, but the workers borrow their tasks, and commit; some " +
		"are frozen until their loan has run out")
	lent := crash(l, tasks, "1s")
	l.Verdict(taken.lost > 0 && lent.lost == 0 && lent.twice == 0 &&
		lent.late > 0,
		"taken for good: %d tasks, %d kills, %d lost; on loan: %d tasks, "+
			"%d kills, %d woke too late, %d lost, %d results twice", tasks,
		taken.kills, taken.lost, tasks, lent.kills, lent.late, lent.lost,
		lent.twice)
}

// crashes is what came of tasks whose workers crash.
type crashes struct {
	kills int // of workers
	late  int // workers that woke when their loan had run out
	lost  int // tasks without a result that are not in the space any more
	twice int // tasks with more than one result
}

// crash has four workers do tasks. Each time that ten more tasks were taken,
// one of them is killed. If there is a loan that can run out meanwhile, other
// workers are frozen at work.
func crash(l *lab.Lab, tasks int, loan string) (c crashes) {
	s := newSpace(l)
	s.server.Mute()
	var workers []*lab.Process // all that there have been
	start := func(work string) *lab.Process {
		w := s.start("worker_example/worker", "-loan", loan, "-work", work,
			"fac").Mute()
		workers = append(workers, w)
		return w
	}
	running := []*lab.Process{start("10ms"), start("10ms"), start("10ms"),
		start("10ms")}
	var args []string
	for n := range tasks {
		args = append(args, "-fac", strconv.Itoa(n+1)) // different results
	}
	master := s.start("worker_example/master", args...).Mute()

	var frozen []*lab.Process
	for took := 10; took < tasks; took += 10 {
		l.WaitForCount("took fac ", took, workers...)
		i := c.kills % len(running)
		running[i].Kill()
		c.kills++
		running[i] = start("10ms")
		if loan != "0" && took%100 == 0 {
			slow := start("500ms")
			slow.WaitFor("took fac")
			slow.Freeze()
			frozen = append(frozen, slow)
		}
	}
	s.noTaskLeft(2 * tasks)

	for _, slow := range frozen {
		slow.Thaw()
		l.WaitUntil("the end of a task", func() bool {
			return slow.Printed("too late with") || slow.Printed("wrote")
		})
		c.late += lab.Count("too late with", slow)
		slow.Stop()
	}
	for _, w := range running {
		w.WaitFor("waiting") // or else it has only just started
		w.Stop()             // it puts its task back, if it has one
	}
	master.Stop() // it waits for its other task, and for what is lost

	inSpace := s.ask("readall", "fac", "?")
	results := append(master.Lines(), s.ask("readall", "fac_res",
		"?").Lines()...)
	for n := 1; n <= tasks; n++ {
		result := fmt.Sprintf("[\"fac_res\",%d]",
			new(big.Int).MulRange(1, int64(n)))
		times := 0
		for _, line := range results {
			if strings.HasSuffix(line, result) {
				times++
			}
		}
		if times > 1 {
			c.twice++
		}
		if times == 0 && lab.Count(fmt.Sprintf("[\"fac\",%d]", n),
			inSpace) == 0 {
			c.lost++
		}
	}
	return c
}

// noTaskLeft waits until no task is in the space, and none on loan: such a
// task comes back if its worker was killed. If tasks come back for ever, it
// gives up after a number of loans.
func (s *space) noTaskLeft(most int) {
	for looks, lent := 1, 0; lent < most; {
		s.loansOver()
		lent = len(s.loans())
		look := s.start("client", "tryread", "fac", "?").Mute()
		if look.Wait() == 0 {
			continue
		}
		// Once this line is there, so are all that came before it.
		s.l.WaitForCount("read [\"fac\",null] finds nothing", looks, s.server)
		if len(s.loans()) == lent {
			return
		}
		looks++
	}
}

var workerCrashWithout = []lab.Without{
	{Name: "commit", Edit: lab.Edit{File: workerFile, Line: commit,
		Become: onlyWrite},
		Watch: "The result is written, but the loan is not ended: it runs " +
			"out, and the task is done again and again."},
	{Name: "one-step", Edit: lab.Edit{File: workerFile, Line: commit,
		Become: writeFirst},
		Watch: "The result is written first, and committed in a second " +
			"step. In between, or if the commit comes too late, there is a " +
			"result, and the task as well."},
	{Name: "loan", Edit: lab.Edit{File: workerFile, Line: ifOnLoan,
		Become: "if false {"},
		Watch: "A worker takes every task for good, -loan 1s or not: now " +
			"tasks are lost in both halves."},
	{Name: "always-on-loan", Cure: true, Edit: lab.Edit{File: workerFile,
		Line: ifOnLoan, Become: alwaysOnLoan},
		Watch: "Every worker borrows its tasks, for a second at least: now " +
			"no task is lost in the first half, either."},
}
