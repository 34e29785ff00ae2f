// Run plays the story of tuple spaces with real processes, or runs one of its
// experiments.
//
//	go run ./tuple_spaces/run
//	go run ./tuple_spaces/run one-taker
package main

import "distsys/internal/lab"

func main() {
	lab.Main("tuple_spaces",
		"Processes write tuples into a space, read them and take them out.",
		story,
		lab.Experiment{Name: "one-taker", Run: oneTaker,
			Without: oneTakerWithout,
			Claim: "However many processes wait to take a tuple, exactly one" +
				" gets it."},
		lab.Experiment{Name: "many-readers", Run: manyReaders,
			Without: manyReadersWithout,
			Claim: "Any number of processes can read a tuple; it stays in" +
				" the space."},
		lab.Experiment{Name: "dead-taker", Run: deadTaker,
			Without: deadTakerWithout,
			Claim: "A taker that is killed while it waits takes no tuple" +
				" with it. One that is frozen can in its first seconds, unless" +
				" it takes on loan: then the tuple comes back."},
		lab.Experiment{Name: "worker-crash", Run: workerCrash,
			Without: workerCrashWithout,
			Claim: "A worker that takes a task and crashes loses it. With" +
				" loan and commit no task is lost, and none has two results."},
		lab.Experiment{Name: "late-commit", Run: lateCommit,
			Without: lateCommitWithout,
			Claim: "A worker that wakes after its loan has run out cannot" +
				" commit: the task has one result."},
		lab.Experiment{Name: "server-restart", Run: serverRestart,
			Without: serverRestartWithout,
			Claim: "Clients go on when the server is started again; its" +
				" tuples are gone."},
		lab.Experiment{Name: "journal", Run: journal,
			Without: journalWithout,
			Claim: "With a journal, a server that is killed loses no tuple" +
				" whose write it acknowledged, and none comes back that was" +
				" taken."},
		lab.Experiment{Name: "time-to-live", Run: timeToLive,
			Without: timeToLiveWithout,
			Claim: "A tuple with a time to live disappears when that is" +
				" over; other tuples stay."},
		lab.Experiment{Name: "any-language", Run: anyLanguage,
			Without: anyLanguageWithout,
			Claim: "Programs in other languages can take part: here, one in" +
				" C."},
	)
}

func story(l *lab.Lab) {
	s := newSpace(l)
	l.Step("one client wants to read, one to take; there is no tuple yet, " +
		"so they wait")
	reader := s.waiting("client", "read", "temp", "?int", "sensor123", "?int")
	taker := s.waiting("client", "take", "temp", "?int", "?", "?int")

	l.Step("a third writes a tuple: it is shown to the reader, then given " +
		"to the taker")
	s.must("write", "temp", "0", "sensor123", "21")
	reader.Wait()
	taker.Wait()

	l.Step("now the space is empty again")
	s.do("tryread", "temp", "?", "?", "?")

	l.Step("workers wait for tasks, and a master writes two; neither side " +
		"knows the other")
	s.waiting("worker_example/worker", "fac")
	s.waiting("worker_example/worker", "fib")
	s.start("worker_example/master").Wait()
}
