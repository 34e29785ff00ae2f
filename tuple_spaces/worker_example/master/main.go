// Master writes tasks into the space and takes their results, whoever has
// worked on them.
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
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	fac = cli.Numbers("fac", 5, tuplespaces.Largest,
		"`number` whose factorial to ask for; can be given several times")
	fib = cli.Numbers("fib", 3, tuplespaces.Largest,
		"`number` of a Fibonacci number to ask for; likewise")
)

func main() {
	cli.Parse("tuple_spaces/worker_example/master",
		"Master writes tasks into the space and takes their results.")
	cli.Main(master)
}

func master(ctx context.Context) error {
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.NoReply = tuplespaces.SayNoReply

	tasks := map[string][]int{"fac": fac(), "fib": fib()}
	for _, kind := range []string{"fac", "fib"} {
		for _, n := range tasks[kind] {
			// out(kind, n)
			if err := space.Write(ctx, kind, n); err != nil {
				return fmt.Errorf("write a task: %w", err)
			}
			log.Printf("wrote %v", tuplespace.Tuple{kind, n})
		}
	}
	for _, kind := range []string{"fac", "fib"} {
		for range tasks[kind] {
			// in(kind_res, ?result): of any size, hence a big.Int
			var result big.Int
			_, err := space.Take(ctx, kind+"_res", &result)
			if err != nil {
				return fmt.Errorf("take a result: %w", err)
			}
			log.Printf("took %v", tuplespace.Tuple{kind + "_res", &result})
		}
	}
	return nil
}
