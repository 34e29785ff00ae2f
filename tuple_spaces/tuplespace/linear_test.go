package tuplespace

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// What one client asked for. Tuples are ("x", key, n), patterns give the key.
type asked struct {
	op     string // write, read or take
	key, n int    // n: of the tuple that is written
}

// spaceModel is a space as it is to be: a list, where each operation happens
// at one moment between its call and its return, and which gives the oldest.
// What comes out is the tuple's n, or 0 where there is none. Tuples of other
// keys have nothing to do with it.
var spaceModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) (
		byKey [][]porcupine.Operation) {
		byKey = make([][]porcupine.Operation, keys)
		for _, op := range all {
			key := op.Input.(asked).key
			byKey[key] = append(byKey[key], op)
		}
		return byKey
	},
	Init: func() any { return []int{} },
	Step: func(state, input, output any) (bool, any) {
		list, in := slices.Clone(state.([]int)), input.(asked)
		if in.op == "write" {
			return true, append(list, in.n)
		}
		first := 0
		if len(list) > 0 {
			first = list[0]
		}
		if in.op == "take" && len(list) > 0 {
			list = list[1:]
		}
		return output == first, list
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]int), b.([]int)) },
}

// Few clients and many takes: to find an order for calls that overlap, and
// whose effects show much later, can take the checker for ever.
const keys = 4

// history has several clients do what they like at the same time, and returns
// who asked and got what, and when. One more writes until the others are
// done, so that nobody waits for ever. Which call stands for TryTake is given.
func history(t *testing.T, take func(*Client, context.Context, ...any) (Tuple,
	bool, error)) (events []porcupine.Operation) {
	s, ctx := serve(t, newAddress()), soon(t)
	const clients, each = 4, 40
	begun := time.Now()
	var lock sync.Mutex
	serial := 0
	do := func(id int, space *Client, in asked, wait bool) {
		if in.op == "write" {
			lock.Lock()
			serial++
			in.n = serial
			lock.Unlock()
		}
		find := map[string]func(*Client, context.Context, ...any) (Tuple, bool,
			error){"read": (*Client).TryRead, "take": take}[in.op]
		waiting := map[string]func(*Client, context.Context, ...any) (Tuple,
			error){"read": (*Client).Read, "take": (*Client).Take}[in.op]
		var tuple Tuple
		var err error
		out := 0
		call := time.Since(begun)
		switch {
		case in.op == "write":
			err = space.Write(ctx, "x", in.key, in.n)
		case wait:
			tuple, err = waiting(space, ctx, "x", in.key, &out)
		default:
			tuple, _, err = find(space, ctx, "x", in.key, &out)
		}
		end := time.Since(begun)
		if err != nil {
			t.Errorf("%v: %v, %v", in, tuple, err)
		}
		lock.Lock()
		defer lock.Unlock()
		events = append(events, porcupine.Operation{ClientId: id, Input: in,
			Call: int64(call), Output: out, Return: int64(end)})
	}
	var all sync.WaitGroup
	for id := range clients {
		space := connect(t, s.address)
		all.Add(1)
		go func() {
			defer all.Done()
			for range each {
				op := []string{"write", "read", "take", "take"}
				do(id, space, asked{op: op[rand.IntN(4)],
					key: rand.IntN(keys)}, rand.IntN(2) == 0)
			}
		}()
	}
	done := make(chan bool)
	go func() { all.Wait(); close(done) }()
	writer := connect(t, s.address)
	for i := 0; ; i++ {
		select {
		case <-done:
			return events
		case <-time.After(2 * time.Millisecond):
			do(clients, writer, asked{op: "write", key: i % keys}, false)
		}
	}
}

// Several clients at once see what they would see one after the other.
func TestLinearizable(t *testing.T) {
	for range 5 {
		events := history(t, (*Client).TryTake)
		result := porcupine.CheckOperationsTimeout(spaceModel, events, time.Minute)
		if result != porcupine.Ok {
			t.Fatalf("%d calls: %v", len(events), result)
		}
	}
}

// The check above can fail: here is a client that takes without taking, so
// that two get the same tuple.
func TestLinearizableFindsAFault(t *testing.T) {
	events := history(t, (*Client).TryRead)
	if result := porcupine.CheckOperationsTimeout(spaceModel, events,
		time.Minute); result != porcupine.Illegal {
		t.Errorf("a space that gives a tuple twice is %v", result)
	}
}
