package pipeline

import (
	"slices"
	"sort"
)

// numbers is a set of order numbers. It is kept as spans: if all orders of a
// run have arrived, that is one span, however many they are.
type numbers struct {
	spans []span // in order, with a gap between each and the next
	again []any  // some of those that were added more than once
	full  bool   // some could not be kept
}

type span struct{ first, last int }

// some is how many numbers a line shows.
const some = 20

// add adds a number. If a new span is needed, but may not be begun, the set
// is full, and no longer says what is missing.
func (n *numbers) add(id int, mayBegin bool) {
	// The first span that ends where the number could join it, or later.
	i := sort.Search(len(n.spans), func(i int) bool {
		return n.spans[i].last >= id-1
	})
	there := i < len(n.spans)
	switch {
	case there && n.spans[i].first <= id && id <= n.spans[i].last:
		n.again = atMostSome(n.again, id)
	case there && n.spans[i].last == id-1:
		n.spans[i].last = id
		if i+1 < len(n.spans) && n.spans[i+1].first == id+1 {
			n.spans[i].last = n.spans[i+1].last
			n.spans = slices.Delete(n.spans, i+1, i+2)
		}
	case there && n.spans[i].first == id+1:
		n.spans[i].first = id
	case mayBegin:
		n.spans = slices.Insert(n.spans, i, span{id, id})
	default:
		n.full = true
	}
}

// missing returns numbers below the highest that are not in the set.
func (n *numbers) missing() (missing []any) {
	next := 0
	for _, s := range n.spans {
		for ; next < s.first && len(missing) <= some; next++ {
			missing = atMostSome(missing, next)
		}
		next = s.last + 1
	}
	return missing
}

// atMostSome appends a number, or a final "..." if there are some already.
func atMostSome(list []any, id int) []any {
	switch {
	case len(list) < some:
		return append(list, id)
	case len(list) == some:
		return append(list, "...")
	}
	return list
}
