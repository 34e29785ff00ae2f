package main

import (
	"time"

	"distsys/internal/lab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a space, a worker for each kind of task, and a master
// that comes every two seconds. Kill a worker that has a task on loan: the
// task comes back.
func scene(l *lab.Lab) {
	address := l.Address()
	l.Start("tuple_spaces/server", "-bind", address)
	for _, kind := range []string{"fac", "fib"} {
		l.Start("tuple_spaces/worker_example/worker", "-connect", address,
			"-work", "700ms", "-loan", "4s", kind)
	}
	l.Repeat(2*time.Second, "tuple_spaces/worker_example/master", "-connect",
		address)
}
