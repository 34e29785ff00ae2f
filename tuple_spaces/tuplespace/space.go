package tuplespace

import (
	"iter"
	"time"
)

// A space is what the server needs of a tuple space. There are two: simple is
// the idea, as short as can be, and indexed is fast at any size. A test holds
// them equal, whatever happens in whatever order.
//
// A space is a plain data structure. It has no socket, no goroutine and no
// clock: its owner calls advance with the time.
type space interface {
	// write is Linda's out: it puts tuples in, all at once. A ttl other than 0
	// is their time to live. Who waits for them gets them.
	write(tuples []*entry, ttl time.Duration)

	// find is Linda's rdp and inp: it returns the oldest tuples that match, if
	// there are any.
	find(q *query) found

	// wait is Linda's rd and in, after a find that has found nothing. It puts
	// the wait in line: at the place that it had before, or at the end.
	wait(w *wait)
	// cancel ends a wait without an answer.
	cancel(w *wait)

	// giveBack undoes a take: the tuples are at their old places again, and
	// who waits for them gets them.
	giveBack(f found)
	// release is giveBack by the name of a loan. It is false if there is no
	// such loan, as after it has run out.
	release(loan string) bool
	// commit ends a loan for good, and writes what has come of it, in one
	// step. If there is no such loan it is false, and nothing is written:
	// someone else may have the tuples by then.
	commit(loan string, results []*entry) bool

	// advance says what time it is. What ends by then ends: tuples with a time
	// to live, waits and loans.
	advance(now time.Time)
	// next returns when something ends, if nothing else happens.
	next() (at time.Time, ok bool)

	size() size

	// For a journal: lent returns the tuples on a loan; all those that are in
	// the space or on loan, the oldest first. restore puts such tuples into an
	// empty space, at the places that they have. Later ones come after lastAge.
	lent(loan string) []*entry
	all() []*entry
	restore(tuples []*entry, lastAge uint64)
}

// An entry is a tuple in a space. (The word is JavaSpaces'.)
type entry struct {
	text   string // as JSON
	fields []field

	age     uint64    // its place among the others; it keeps that for ever
	expires time.Time // zero: never

	// For the indexed space only.
	removed bool // taken, on loan or expired; it may come back
	expiry  *timer
}

// A query is what read and take ask for.
type query struct {
	pattern []field
	take    bool
	max     int // how many tuples at most
	room    int // how many bytes of JSON at most; but one tuple always fits

	// A take can be on loan, which has a name. ranOut is called when the loan
	// runs out, before its tuples come back.
	loan    string // "": for good
	loanFor time.Duration
	ranOut  func(f found)
}

// found is what a query finds.
type found struct {
	tuples []*entry
	taken  bool   // out of the space: they can be given back
	loan   string // the name of the loan that they are on
	more   bool   // there was no room for all
}

// length is how many bytes of JSON the tuples are.
func (f *found) length() (bytes int) {
	for _, t := range f.tuples {
		bytes += len(t.text) + len(",")
	}
	return bytes
}

// A wait is a query that has found nothing yet. It ends with one call of
// answer: with tuples, or with none when its time is over.
type wait struct {
	*query
	place  uint64 // in line: who has waited longest is served first
	until  time.Time
	answer func(f found)

	// For the indexed space only.
	line *line
	over *timer
}

// A loan is a take that is not for good yet. A process that takes a tuple can
// die before it has used it: no server can know that. So the tuple comes back
// if the borrower does not commit in time. Rinda and JavaSpaces call this a
// lease or a transaction.
type loan struct {
	found
	ranOut func(f found)
	until  time.Time
	end    *timer // for the indexed space only
}

// size is how much there is in a space.
type size struct {
	tuples     int // not counting those on loan
	bytes      int // what they take up, with those on loan
	waits      int
	waitFields int // in their patterns
	loans      int
}

// cost is how many bytes of memory a tuple takes up, about: its text, and its
// places in the lists.
func (t *entry) cost() int { return 100 + 150*len(t.fields) + len(t.text) }

func cost(tuples []*entry) (bytes int) {
	for _, t := range tuples {
		bytes += t.cost()
	}
	return bytes
}

// pick returns those of some tuples that a query asks for. The oldest come
// first.
func (q *query) pick(tuples iter.Seq[*entry]) (f found) {
	room := q.room
	for t := range tuples {
		if !matches(q.pattern, t.fields) {
			continue
		}
		if room -= len(t.text) + len(","); room < 0 && len(f.tuples) > 0 {
			f.more = true
			break
		}
		f.tuples = append(f.tuples, t)
		if len(f.tuples) == q.max {
			break
		}
	}
	if q.take && len(f.tuples) > 0 {
		f.taken, f.loan = true, q.loan
	}
	return f
}
