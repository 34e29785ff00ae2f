package tuplespace

import (
	"cmp"
	"slices"
)

// A ranked thing has a place in a queue, which it keeps for ever.
type ranked interface {
	rank() uint64
	isRemoved() bool
}

func (t *entry) rank() uint64    { return t.age }
func (t *entry) isRemoved() bool { return t.removed }

func (w *wait) rank() uint64    { return w.place }
func (w *wait) isRemoved() bool { return w.line == nil }

// A queue holds things in the order of their rank. What is removed is only
// marked, and stays in the list until it is swept. So to remove something
// costs nothing to speak of, and neither does to put it back in its old place,
// as a tuple whose loan has run out.
//
// The list is swept when half of it is marked, or when searches have walked
// over as many marked ones as it is long. So sweeping costs no more than what
// went before it.
type queue[T ranked] struct {
	list   []T
	first  int // those before it are removed
	len    int // how many are not removed
	walked int // how many removed ones were walked over
}

// add puts x in at its rank: at the end, as a rule.
func (q *queue[T]) add(x T) {
	q.len++
	if last := len(q.list) - 1; last < 0 || x.rank() > q.list[last].rank() {
		q.list = append(q.list, x)
		return
	}
	i, found := slices.BinarySearchFunc(q.list, x.rank(),
		func(other T, rank uint64) int {
			return cmp.Compare(other.rank(), rank)
		})
	if found {
		q.list[i] = x // it is still there, marked
	} else {
		q.list = slices.Insert(q.list, i, x)
	}
	q.first = min(q.first, i)
}

// merge is add for many, which come in order. To make room for each of them
// would move all behind it each time.
func (q *queue[T]) merge(some []T) {
	if len(some) == 1 {
		q.add(some[0])
		return
	}
	q.len += len(some)
	all := make([]T, 0, q.len)
	for _, x := range q.list {
		for len(some) > 0 && some[0].rank() <= x.rank() {
			all, some = append(all, some[0]), some[1:]
		}
		last := len(all) - 1 // may be x, which was still there
		if !x.isRemoved() && (last < 0 || all[last].rank() != x.rank()) {
			all = append(all, x)
		}
	}
	q.list, q.first, q.walked = append(all, some...), 0, 0
}

// remove is called when one of the queue has been marked as removed.
func (q *queue[T]) remove() {
	q.len--
	if q.len < len(q.list)/2 {
		q.sweep()
		return
	}
	for q.first < len(q.list) && q.list[q.first].isRemoved() {
		q.first++
	}
}

func (q *queue[T]) sweep() {
	q.list = slices.DeleteFunc(q.list, T.isRemoved)
	q.first, q.walked = 0, 0
	if cap(q.list) > 4*len(q.list) {
		q.list = slices.Clip(slices.Clone(q.list))
	}
}

// each goes through those that are there, in order. They may be removed only
// afterwards.
func (q *queue[T]) each(yield func(T) bool) {
	for _, x := range q.list[q.first:] {
		if x.isRemoved() {
			q.walked++
		} else if !yield(x) {
			break
		}
	}
	if q.walked > len(q.list) {
		q.sweep()
	}
}
