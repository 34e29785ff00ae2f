package tuplespaces

import (
	"math/big"

	"distsys/tuple_spaces/tuplespace"
)

// Largest is the largest number in a task of worker_example.
const Largest = 100_000

// Solve does the task (kind, n) of worker_example, and returns its result:
// ("fac_res", n!) for "fac", and ("fib_res", the n-th Fibonacci number) for
// "fib". The result of a task that cannot be done is (kind_error, n).
func Solve(kind string, n int) tuplespace.Tuple {
	if n < 0 || n > Largest {
		return tuplespace.Tuple{kind + "_error", n}
	}
	switch kind {
	case "fac":
		return tuplespace.Tuple{"fac_res", factorial(n)}
	case "fib":
		return tuplespace.Tuple{"fib_res", fibonacci(n)}
	default:
		return tuplespace.Tuple{kind + "_error", n}
	}
}

func factorial(n int) *big.Int {
	return new(big.Int).MulRange(1, int64(n))
}

func fibonacci(n int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1)
	for range n {
		a, b = b, a.Add(a, b)
	}
	return a
}
