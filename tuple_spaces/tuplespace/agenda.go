package tuplespace

import (
	"container/heap"
	"time"
)

// A timer calls a function at a time, unless it is cancelled.
type timer struct {
	at    time.Time
	ring  func()
	index int // in the agenda; -1: it has rung, or was cancelled
}

// An agenda has the timers, the next one first. It has no clock: its owner
// looks at the first one.
type agenda []*timer

func (a *agenda) set(at time.Time, ring func()) *timer {
	x := &timer{at: at, ring: ring}
	heap.Push(a, x)
	return x
}

func (a *agenda) cancel(x *timer) {
	if x != nil && x.index >= 0 {
		heap.Remove(a, x.index)
	}
}

// The methods that container/heap asks for.

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}
func (a *agenda) Push(x any) {
	x.(*timer).index = len(*a)
	*a = append(*a, x.(*timer))
}
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = nil
	*a, x.index = (*a)[:last], -1
	return x
}
