// Worker takes tasks of one kind out of the space and writes their results:
// fac for factorials, fib for Fibonacci numbers.
//
//	go run ./tuple_spaces/worker_example/worker fac
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"distsys/internal/cli"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	period = flag.Duration("loan", 10*time.Second,
		"`time` to borrow a task for; 0: take it for good")
	pause = flag.Duration("work", 0, "`time` to work on each task")
)

func main() {
	cli.Parse("tuple_spaces/worker_example/worker fac|fib",
		"Worker takes tasks, (\"fac\", n) or (\"fib\", n), and writes results.")
	cli.Main(work)
}

func work(ctx context.Context) error {
	kind := flag.Arg(0)
	if kind != "fac" && kind != "fib" {
		return fmt.Errorf("no kind of task %q; there are: fac, fib", kind)
	}
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.NoReply = tuplespaces.SayNoReply
	log.Printf("waiting for %s tasks", kind)
	for {
		// in(kind, ?n). On loan, the task comes back if this process dies.
		var n int
		var task *tuplespace.Loan
		if *period > 0 {
			task, err = space.Borrow(ctx, *period, kind, &n)
		} else {
			_, err = space.Take(ctx, kind, &n)
		}
		if err != nil {
			return fmt.Errorf("take a task: %w", err)
		}
		log.Printf("took %s %d", kind, n)
		result := tuplespaces.Solve(kind, n)
		stopped := cli.Sleep(ctx, *pause)
		ctx := context.WithoutCancel(ctx)
		switch {
		case stopped != nil && task == nil: // Ctrl-C: it is put back
			return errors.Join(stopped, space.Write(ctx, kind, n))
		case stopped != nil:
			return errors.Join(stopped, task.Release(ctx))
		case task == nil:
			err = space.Write(ctx, result...)
		default: // the task goes and its result comes: both, or neither
			err = task.Commit(ctx, result)
		}
		if errors.Is(err, tuplespace.ErrExpired) {
			log.Printf("too late with %s %d: the loan has run out", kind, n)
		} else if err != nil {
			return fmt.Errorf("write the result: %w", err)
		} else {
			log.Printf("wrote %.60v for %d", result, n)
		}
	}
}
