package main

import "distsys/internal/lab"

func serverRestart(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a worker waits, and a tuple is in the space")
	worker := s.waiting("worker_example/worker", "fac")
	s.must("write", "old", "1")

	l.Step("the server is killed; a master starts while there is none")
	s.server.Kill()
	master := s.start("worker_example/master")
	master.WaitFor("no reply")

	l.Step("the server is started again, and so is a second worker")
	s.serve()
	s.start("worker_example/worker", "fib")
	status := master.Wait()
	worker.WaitFor("wrote [\"fac_res\",120]") // it may still be printing that

	wrote := lab.Count("wrote [\"fac_res\",120]", worker)
	there := s.do("tryread", "old", "?")
	l.Verdict(status == 0 && wrote == 1 && !there,
		"1 restart: the worker that had waited did %d task, the master took "+
			"%d results; the tuple from before is there: %v", wrote,
		lab.Count("_res", master), there)
}

var serverRestartWithout = []lab.Without{
	{Name: "again", Edit: lab.Edit{
		File: "tuple_spaces/tuplespace/connection.go",
		Line: "		if err := n.reopen(); err != nil {\n" +
			"			return nil, err\n		}\n",
		Become: "		return nil, errors.New(\"no reply in time\")\n"},
		Watch: "A client asks once. Those that meet no server, or whose " +
			"server dies, give up."},
}
