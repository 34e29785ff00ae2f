// Run has a master write tasks into a tuple space, and workers do them.
//
//	go run ./tuple_spaces/worker_example/run
package main

import "distsys/internal/lab"

func main() {
	lab.Main("tuple_spaces/worker_example",
		"A master writes tasks, workers take them and write the results.",
		story)
}

func story(l *lab.Lab) {
	address := l.Address()
	server := l.Start("tuple_spaces/server", "-bind", address)
	server.WaitFor("listening")
	start := func(program string, args ...string) *lab.Process {
		return l.Start("tuple_spaces/worker_example/"+program,
			append([]string{"-connect", address}, args...)...)
	}

	l.Step("the master writes a task for each kind of worker")
	master := start("master", "-fac", "5", "-fib", "3")
	master.WaitFor("wrote [\"fib\",3]")

	l.Step("a worker for factorials comes, and one for Fibonacci numbers")
	start("worker", "fac")
	start("worker", "fib")
	master.Wait()
}
