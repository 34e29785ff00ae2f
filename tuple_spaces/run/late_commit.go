package main

import "distsys/internal/lab"

func lateCommit(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a worker borrows a task for a second, and is frozen at work")
	late := s.frozenAtWork("fac", "5", "120")

	l.Step("the loan runs out: another worker gets the task, and commits")
	other := s.start("worker_example/worker", "fac")
	other.WaitFor("wrote [\"fac_res\",120]")

	l.Step("the first wakes, goes on as if nothing had happened, and commits")
	late.Thaw()
	l.WaitUntil("the end of its task", func() bool {
		return late.Printed("too late with fac 5") || late.Printed("wrote")
	})

	client := s.ask("takeall", "fac_res", "?")
	results := lab.Count("[\"fac_res\",120]", client)
	took := lab.Count("took fac 5", late, other)
	inTime := lab.Count("wrote", other)
	refused := lab.Count("too late", late)
	l.Verdict(results == 1 && took == 2 && inTime == 1 && refused == 1,
		"1 task, taken %d times; commits in time: %d, refused: %d; results: %d",
		took, inTime, refused, results)
}

// frozenAtWork returns a worker that has borrowed a task for a second, and was
// frozen before it was done with it.
func (s *space) frozenAtWork(kind, task, result string) *lab.Process {
	for { // another one, if it was done before it was frozen
		worker := s.waiting("worker_example/worker", "-loan", "1s", "-work",
			"500ms", kind)
		s.must("write", kind, task)
		worker.WaitFor("took " + kind + " " + task)
		worker.Freeze()
		if !s.do("trytake", kind+"_res", result) {
			return worker
		}
		worker.Kill()
	}
}

var lateCommitWithout = []lab.Without{
	{Name: "refusal", Edit: lab.Edit{
		File: "tuple_spaces/tuplespace/indexed.go",
		Line: "	if !s.endLoan(name) {\n		return false\n	}\n" +
			"	s.write(results, 0)",
		Become: "	s.endLoan(name)\n	s.write(results, 0)"},
		Watch: "The server takes the late commit for a good one, and writes " +
			"a second result."},
	{Name: "one-step", Edit: lab.Edit{File: workerFile, Line: commit,
		Become: writeFirst},
		Watch: "The worker writes its result, and then tries to commit. The " +
			"refusal comes too late: the second result is there."},
	{Name: "commit", Edit: lab.Edit{File: workerFile, Line: commit,
		Become: onlyWrite},
		Watch: "The worker never asks whether the task is still its own, " +
			"and writes a second result."},
	{Name: "loan", Edit: lab.Edit{File: workerFile, Line: ifOnLoan,
		Become: "if false {"},
		Watch: "Nothing runs out: the other worker waits for as long as the " +
			"first is frozen."},
}
