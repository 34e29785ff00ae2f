package tuplespace

import (
	"container/heap"
	"slices"
	"time"
)

// A ranked thing has a place in a queue, which it keeps when it leaves.
type ranked interface {
	rank() uint64
	gone() bool
}

// A queue holds things in the order of their rank. What leaves is left where
// it is, marked as gone, and swept out when half of the queue has gone. So
// leaving costs nothing to speak of, and so does coming back to one's old
// place, as a tuple does whose loan ran out.
type queue[T ranked] struct {
	all   []T
	first int // those before are gone
	n     int // how many are not gone
}

// merge is add for many, which come in order. To make room for each of them
// would move all behind it each time.
func (q *queue[T]) merge(some []T) {
	if len(some) == 1 {
		q.add(some[0])
		return
	}
	q.n += len(some)
	all := make([]T, 0, q.n)
	for _, x := range q.all {
		for len(some) > 0 && some[0].rank() <= x.rank() {
			all, some = append(all, some[0]), some[1:]
		}
		last := len(all) - 1 // may be x, which had been left where it was
		if !x.gone() && (last < 0 || all[last].rank() != x.rank()) {
			all = append(all, x)
		}
	}
	q.all, q.first = append(all, some...), 0
}

// add puts x in at its rank: at the end, as a rule.
func (q *queue[T]) add(x T) {
	q.n++
	if len(q.all) == 0 || x.rank() > q.all[len(q.all)-1].rank() {
		q.all = append(q.all, x)
		return
	}
	i, found := slices.BinarySearchFunc(q.all, x.rank(),
		func(x T, rank uint64) int {
			if x.rank() < rank {
				return -1
			}
			return int(min(x.rank()-rank, 1))
		})
	if found {
		q.all[i] = x
	} else {
		q.all = slices.Insert(q.all, i, x)
	}
	q.first = min(q.first, i)
}

// left is told that one of the queue has gone.
func (q *queue[T]) left() {
	q.n--
	if q.n < len(q.all)/2 {
		q.all = slices.DeleteFunc(q.all, func(x T) bool { return x.gone() })
		q.first = 0
		if cap(q.all) > 4*len(q.all) {
			q.all = slices.Clip(slices.Clone(q.all))
		}
		return
	}
	for q.first < len(q.all) && q.all[q.first].gone() {
		q.first++
	}
}

// each calls f for those who are there, in order, until it returns false.
func (q *queue[T]) each(f func(x T) bool) {
	for _, x := range q.all[q.first:] {
		if !x.gone() && !f(x) {
			return
		}
	}
}

// An alarm is something that happens at a time, unless it is cancelled.
type alarm struct {
	at    time.Time
	ring  func()
	index int
}

// An agenda has the alarms, the next one first.
type agenda []*alarm

func (a *agenda) set(at time.Time, ring func()) *alarm {
	x := &alarm{at: at, ring: ring}
	heap.Push(a, x)
	return x
}

func (a *agenda) cancel(x *alarm) {
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
	x.(*alarm).index = len(*a)
	*a = append(*a, x.(*alarm))
}
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = nil
	*a, x.index = (*a)[:last], -1
	return x
}
