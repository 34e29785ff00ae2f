// Worker takes tasks of one kind out of the space, does them and writes the
// results: fac computes factorials, fib Fibonacci numbers.
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
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	loan = flag.Duration("loan", 10*time.Second,
		"`time` to borrow each task for; 0: take it for good")
	work = flag.Duration("work", 0, "`time` to work on each task")
	_    = zeromq.KeyFlag()
)

func main() {
	cli.Parse("tuple_spaces/worker_example/worker fac|fib",
		"Worker takes tasks, (\"fac\", n) or (\"fib\", n), and writes results.")
	cli.Main(doTasks)
}

func doTasks(ctx context.Context) error {
	kind := flag.Arg(0)
	if kind != "fac" && kind != "fib" {
		return fmt.Errorf("no kind of task %q; there are: fac, fib", kind)
	}

	// Connect succeeds whether or not the server is there (yet).
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.Name = cli.Name()
	space.NoReply = tuplespaces.SayNoReply
	log.Printf("waiting for %s tasks", kind)

	for err == nil {
		if *loan > 0 {
			err = borrowAndCommit(ctx, space, kind)
		} else {
			err = takeAndWrite(ctx, space, kind)
		}
	}
	return err
}

// takeAndWrite does one task. If the process crashes at work, the task is
// lost: it is in the space no more, and its result never comes.
func takeAndWrite(ctx context.Context, space *tuplespace.Client,
	kind string) error {
	// in(kind, ?n): wait for a task of this kind, and take it out.
	var n int
	_, err := space.Take(ctx, kind, &n)
	if err != nil {
		return fmt.Errorf("take a task: %w", err)
	}
	log.Printf("took %s %d", kind, n)

	result := tuplespaces.Solve(kind, n)
	if stopped := cli.Sleep(ctx, *work); stopped != nil {
		// Ctrl-C: put the task back, behind all others.
		err := space.Write(context.WithoutCancel(ctx), kind, n)
		return errors.Join(stopped, err)
	}

	// out(kind_res, result)
	err = space.Write(context.WithoutCancel(ctx), result...)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	log.Printf("wrote %.60v for %d", result, n)
	return nil
}

// borrowAndCommit does one task on loan. If the process crashes at work, the
// task comes back to its place in the space when the loan has run out.
func borrowAndCommit(ctx context.Context, space *tuplespace.Client,
	kind string) error {
	// in(kind, ?n), on loan: wait for a task of this kind, and borrow it.
	var n int
	task, err := space.Borrow(ctx, *loan, kind, &n)
	if err != nil {
		return fmt.Errorf("take a task: %w", err)
	}
	log.Printf("took %s %d", kind, n)

	result := tuplespaces.Solve(kind, n)
	if stopped := cli.Sleep(ctx, *work); stopped != nil {
		// Ctrl-C: give the task back, rather than let the loan run out.
		err := task.Release(context.WithoutCancel(ctx))
		return errors.Join(stopped, err)
	}

	// Commit ends the loan and writes the result in one step. If the loan has
	// run out it does neither: another worker may have the task by now.
	err = task.Commit(context.WithoutCancel(ctx), result)
	if errors.Is(err, tuplespace.ErrExpired) {
		log.Printf("too late with %s %d: the loan has run out", kind, n)
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	log.Printf("wrote %.60v for %d", result, n)
	return nil
}
