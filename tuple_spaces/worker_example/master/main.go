// Master writes tasks into the space and takes their results, whoever has
// done them.
//
//	go run ./tuple_spaces/worker_example/master -fac 5 -fib 3
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/big"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	fac = cli.Numbers("fac", 5, tuplespaces.Largest,
		"`number` whose factorial is wanted; can be given several times")
	fib = cli.Numbers("fib", 3, tuplespaces.Largest,
		"`number` of a Fibonacci number that is wanted; likewise")
	_ = zeromq.KeyFlag()
)

func main() {
	cli.Parse("tuple_spaces/worker_example/master",
		"Master writes tasks into the space and takes their results.")
	cli.Main(master)
}

func master(ctx context.Context) error {
	// Connect succeeds whether or not the server is there (yet).
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.Name = cli.Name()
	space.NoReply = tuplespaces.SayNoReply

	// out(kind, n): a task is a tuple. It names no worker, and there need not
	// be one yet.
	tasks := allTasks()
	for _, task := range tasks {
		err := space.Write(ctx, task.kind, task.n)
		if err != nil {
			return fmt.Errorf("write a task: %w", err)
		}
		log.Printf("wrote %v", tuplespace.Tuple{task.kind, task.n})
	}

	// in(kind_res, ?result): take as many results of each kind as there are
	// tasks. A pointer in a pattern is a formal parameter: it matches any
	// value of its type, and is set to it.
	for _, task := range tasks {
		var result big.Int // a whole number of any size
		tuple, err := space.Take(ctx, task.kind+"_res", &result)
		if err != nil {
			return fmt.Errorf("take a result: %w", err)
		}
		log.Printf("took %v", tuple)
	}
	return nil
}

type task struct {
	kind string
	n    int
}

// allTasks returns the tasks that the command line asks for.
func allTasks() (all []task) {
	for _, n := range fac() {
		all = append(all, task{"fac", n})
	}
	for _, n := range fib() {
		all = append(all, task{"fib", n})
	}
	return all
}
