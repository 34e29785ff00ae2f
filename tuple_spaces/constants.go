// Package tuplespaces is what those who use a tuple space must agree on. See
// README.md.
package tuplespaces

import (
	"encoding/json"
	"log"
	"math/big"
	"strings"

	"distsys/tuple_spaces/tuplespace"
)

const (
	// Address is where the server listens and the others connect.
	Address = "tcp://127.0.0.1:5678"
	// Sensor measures the temperatures of event_example.
	Sensor = "sensor123"
	// Largest is the largest task of worker_example.
	Largest = 100_000
	// High is the temperature above which subscribers warn, in degrees.
	High = 30
)

// SayNoReply is for programs that would otherwise wait in silence.
func SayNoReply() {
	log.Print("no reply; is there a server? go run ./tuple_spaces/server")
}

// Fields reads what follows the operation on the client's command line.
func Fields(words []string) (fields []any) {
	for _, word := range words[min(1, len(words)):] {
		var field any = word
		if kind, ok := strings.CutPrefix(word, "?"); ok && kind == "" {
			field = tuplespace.Any
		} else if ok {
			field = map[string]string{"?": kind}
		} else if json.Valid([]byte(word)) {
			field = json.RawMessage(word) // exact, whatever the size
		}
		fields = append(fields, field)
	}
	return fields
}

// Solve does a task of worker_example, and returns its result: a factorial
// (fac) or a Fibonacci number (fib). What it cannot do has an error instead.
func Solve(kind string, n int) tuplespace.Tuple {
	a, b := big.NewInt(0), big.NewInt(1)
	switch {
	case n < 0 || n > Largest || kind != "fac" && kind != "fib":
		return tuplespace.Tuple{kind + "_error", n}
	case kind == "fac":
		a.MulRange(1, int64(n))
	default:
		for range n {
			a, b = b, a.Add(a, b)
		}
	}
	return tuplespace.Tuple{kind + "_res", a}
}
