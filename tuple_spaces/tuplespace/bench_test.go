package tuplespace

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// What is compared takes turns in one run, a few operations each. So whatever
// else the machine does slows down all of it. Figures are medians of many
// turns.

// A contestant does some operations and returns how long they took.
type contestant struct {
	name string
	turn func() time.Duration
}

// compare has all take many turns, and reports how long an operation takes.
func compare(b *testing.B, turns, each int, all ...contestant) {
	took := make([][]time.Duration, len(all))
	for range turns {
		for i, c := range all {
			took[i] = append(took[i], c.turn()/time.Duration(each))
		}
	}
	for i, c := range all {
		b.Run(c.name, func(b *testing.B) {
			b.ReportMetric(float64(median(took[i])), "ns/op")
		})
	}
}

func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// timed makes a contestant of one operation.
func timed(name string, each int, operation func()) contestant {
	operation() // connects
	return contestant{name, func() time.Duration {
		begun := time.Now()
		for range each {
			operation()
		}
		return time.Since(begun)
	}}
}

// server starts a server in a role, and returns its address.
func server(b *testing.B, role string, words ...string) *process {
	return begin(b, role, newAddress(), words...)
}

// asker returns what asks a bare server.
func asker(b testing.TB, address string) func(text string) {
	r := dial(b, zmq.REQ, address)
	return func(text string) {
		_, err := r.Send(text, 0)
		must(b, err)
		_, err = r.RecvBytes(0)
		must(b, err)
	}
}

// BenchmarkPairs has clients write a tuple and take it. Beside it are clients
// that send the same bytes with the bare library's calls: to a bare server
// that sends back what it gets, and to ours. It shows pairs per second, how
// ours compares with the bare ones, and the server's processor time for each
// request.
func BenchmarkPairs(b *testing.B) {
	const turns = 30
	for _, clients := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			each := 1000 / clients
			kinds := [][2]string{{"echo", "bare"}, {"space", "bare"},
				{"space", "client"}}
			servers := make([]*process, len(kinds))
			crowds := make([][]*process, len(kinds))
			for i, kind := range kinds {
				servers[i] = server(b, kind[0])
				for range clients {
					c := begin(b, kind[1], servers[i].address,
						fmt.Sprint(4711+len(crowds[i])))
					crowds[i] = append(crowds[i], c)
				}
			}
			rates := takeTurns(crowds, turns, each)
			var cpu, clientCPU [3]float64
			for i, s := range servers {
				for _, c := range crowds[i] {
					clientCPU[i] += float64(c.cpu())
				}
				cpu[i] = float64(s.cpu()) / float64(2*turns*clients*each)
			}
			echo, ours := median(rates[0]), median(rates[2])
			b.ReportMetric(echo, "echo-pairs/s")
			b.ReportMetric(ours, "space-pairs/s")
			b.ReportMetric(ours/echo, "space/echo")
			b.ReportMetric(median(rates[1])/echo, "server-only/echo")
			b.ReportMetric(cpu[0], "echo-cpu-ns")
			b.ReportMetric(cpu[2], "space-cpu-ns")
			b.ReportMetric(cpu[2]/cpu[0], "cpu/echo-cpu")
			b.ReportMetric(clientCPU[2]/clientCPU[0], "client-cpu/bare-cpu")
			b.ReportMetric(0, "ns/op") // would count the processes' start
		})
	}
}

// takeTurns has each crowd of clients take many turns, with a number of pairs
// for each client, and returns the pairs per second of each turn.
func takeTurns(crowds [][]*process, turns, each int) (rates [][]float64) {
	rates = make([][]float64, len(crowds))
	for range turns {
		for i, crowd := range crowds {
			begun := time.Now()
			for _, c := range crowd {
				fmt.Fprintln(c.in, each)
			}
			for _, c := range crowd {
				c.line()
			}
			rates[i] = append(rates[i], float64(len(crowd)*each)/
				time.Since(begun).Seconds())
		}
	}
	return rates
}

// BenchmarkTakeLast writes one tuple more than n and takes that, which shares
// its first field with all of the others. Beside it are two echoes, and the
// simple space.
func BenchmarkTakeLast(b *testing.B) {
	const turns, each = 30, 20
	ctx := context.Background()
	ask := asker(b, server(b, "echo").address)
	all := []contestant{timed("echo", each, func() {
		ask(fmt.Sprintf(writeText, 1))
		ask(fmt.Sprintf(takeText, 1))
	})}
	for _, kind := range []string{"indexed", "simple"} {
		for _, n := range []int{0, 100, 1000, 10_000, 100_000, 1_000_000} {
			if kind == "simple" && n > 100_000 {
				continue
			}
			n := n
			s := server(b, "space", kind, fmt.Sprint("n=", n))
			space := connect(b, s.address)
			all = append(all, timed(fmt.Sprintf("%s/n=%d", kind, n), each,
				func() {
					must(b, space.Write(ctx, "n", n))
					_, found, err := space.TryTake(ctx, "n", n)
					if err != nil || !found {
						b.Fatal(found, err)
					}
				}))
		}
	}
	compare(b, turns, each, all...)
}

// BenchmarkWakeUp measures from the call of a write until a take that waits
// for that tuple returns, while m others wait to read something else. Beside
// it is a bare server that passes on what one client sends to another.
func BenchmarkWakeUp(b *testing.B) {
	const turns = 200
	ctx := context.Background()
	wakeUp := func(name string, s *process, take, write func()) contestant {
		woken := make(chan time.Time)
		return contestant{name, func() time.Duration {
			go func() {
				take()
				woken <- time.Now()
			}()
			s.line() // it waits
			begun := time.Now()
			write()
			return (<-woken).Sub(begun)
		}}
	}
	s := server(b, "passer")
	taker, writer := asker(b, s.address), asker(b, s.address)
	all := []contestant{wakeUp("bare", s, func() { taker("wait") },
		func() { writer(`{"op":"write","tuples":[["go",-1,"y"]]}`) })}
	for _, kind := range []string{"indexed", "simple"} {
		for _, m := range []int{1, 10, 100, 1000, 9000} {
			s := server(b, "space", kind, fmt.Sprint("m=", m))
			taker, writer := connect(b, s.address), connect(b, s.address)
			all = append(all, wakeUp(fmt.Sprintf("%s/m=%d", kind, m), s,
				func() { must(b, second(taker.Take(ctx, "go", -1, Any))) },
				func() { must(b, writer.Write(ctx, "go", -1, "y")) }))
		}
	}
	compare(b, turns, 1, all...)
}

// BenchmarkBatch writes tuples a hundred at a time and takes them all. Beside
// it a message of the same size goes there and back, twice.
func BenchmarkBatch(b *testing.B) {
	const turns, each, batch = 100, 5, 100
	ctx := context.Background()
	var tuples []Tuple
	for i := range batch {
		tuples = append(tuples, Tuple{"fac", i})
	}
	text := encode(map[string]any{"op": "write", "tuples": tuples})
	ask := asker(b, server(b, "echo").address)
	space := connect(b, server(b, "space").address)
	compare(b, turns, each, timed("echo", each, func() {
		ask(text)
		ask(text)
	}), timed("space", each, func() {
		must(b, space.WriteAll(ctx, tuples...))
		all, err := space.TakeAll(ctx, "fac", Any)
		if err != nil || len(all) != batch {
			b.Fatal(len(all), err)
		}
	}))
}

// BenchmarkStray takes one tuple after the other, where 80,000 of 200,000 have
// been taken before: without and with one in front of all these that is never
// taken. A search must not have to walk over all that have been removed.
func BenchmarkStray(b *testing.B) {
	const turns, each = 100, 20
	ctx := context.Background()
	var all []contestant
	for _, name := range []string{"without", "with"} {
		s := server(b, "space", name+"-stray", "taken", "n=200000")
		space := connect(b, s.address)
		var n int
		all = append(all, timed(name, each, func() {
			must(b, second(space.Take(ctx, "n", &n)))
		}))
	}
	compare(b, turns, each, all...)
}

// BenchmarkMemory shows what a tuple costs, of a million.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	used := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := used()
	s := newIndexed()
	for i := range n {
		s.write([]*entry{newTuple(b, fmt.Sprintf(`["n",%d]`, i))}, 0)
	}
	b.ReportMetric((used()-before)/n, "B/tuple")
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(s)
}
