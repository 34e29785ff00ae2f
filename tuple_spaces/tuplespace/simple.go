package tuplespace

import (
	"cmp"
	"slices"
	"time"
)

// simple is a tuple space as one would explain it: a list of tuples, a list
// of those who wait, and a search through the whole of them. With many tuples
// it is slow: the indexed space does the same without a search.
type simple struct {
	now    time.Time
	tuples []*entry // the oldest first
	waits  []*wait  // who has waited longest first
	loans  []*loan

	lastAge, lastPlace uint64
}

// write puts tuples at the end of the list, and shows them to those who wait.
func (s *simple) write(tuples []*entry, ttl time.Duration) {
	for _, t := range tuples {
		s.lastAge++
		t.age = s.lastAge
		if ttl > 0 {
			t.expires = s.now.Add(ttl)
		}
	}
	s.tuples = append(s.tuples, tuples...)
	s.serve(tuples)
}

// serve shows tuples that have come, or come back, to those who wait: first to
// all who want to read them, since a take would hide them from the others.
func (s *simple) serve(tuples []*entry) {
	for _, take := range []bool{false, true} {
		for _, t := range tuples {
			for _, w := range slices.Clone(s.waits) {
				if w.take == take && matches(w.pattern, t.fields) &&
					slices.Contains(s.tuples, t) { // and not yet taken
					s.cancel(w)
					w.answer(s.find(w.query))
				}
			}
		}
	}
}

// find searches the list from its beginning. What it takes is out of the list
// at once: so nobody else can take it, too.
func (s *simple) find(q *query) found {
	f := q.pick(slices.Values(s.tuples))
	if f.taken {
		s.remove(f.tuples)
	}
	if f.loan != "" {
		s.loans = append(s.loans, &loan{found: f, ranOut: q.ranOut,
			until: s.now.Add(q.loanFor)})
	}
	return f
}

// remove goes through both lists once: the oldest come first in both.
func (s *simple) remove(tuples []*entry) {
	s.tuples = slices.DeleteFunc(s.tuples, func(t *entry) bool {
		found := len(tuples) > 0 && t == tuples[0]
		if found {
			tuples = tuples[1:]
		}
		return found
	})
}

// wait puts a wait in line. A client that only renews its wait has its old
// place, unless someone else has that, or nobody ever had it.
func (s *simple) wait(w *wait) {
	taken := slices.ContainsFunc(s.waits, func(other *wait) bool {
		return other.place == w.place
	})
	if taken || w.place == 0 || w.place > s.lastPlace {
		s.lastPlace++
		w.place = s.lastPlace
	}
	s.waits = append(s.waits, w)
	slices.SortFunc(s.waits, func(a, b *wait) int {
		return cmp.Compare(a.place, b.place)
	})
}

func (s *simple) cancel(w *wait) {
	s.waits = slices.DeleteFunc(s.waits, func(other *wait) bool {
		return other == w
	})
}

// giveBack puts tuples that were taken back to their places. If they are on
// loan, the loan ends. If it has ended already they are not to come back
// twice, or after a commit.
func (s *simple) giveBack(f found) {
	if !f.taken || f.loan != "" && !s.endLoan(f.loan) {
		return
	}
	for _, t := range f.tuples {
		if t.expires.IsZero() || t.expires.After(s.now) {
			s.tuples = append(s.tuples, t)
		}
	}
	slices.SortFunc(s.tuples, byAge)
	s.serve(f.tuples)
}

func (s *simple) release(name string) bool {
	l := s.loanOf(name)
	if l == nil {
		return false
	}
	s.giveBack(l.found)
	return true
}

func (s *simple) commit(name string, results []*entry) bool {
	if !s.endLoan(name) {
		return false
	}
	s.write(results, 0)
	return true
}

func (s *simple) loanOf(name string) *loan {
	for _, l := range s.loans {
		if l.loan == name {
			return l
		}
	}
	return nil
}

func (s *simple) endLoan(name string) bool {
	l := s.loanOf(name)
	s.loans = slices.DeleteFunc(s.loans, func(other *loan) bool {
		return other == l
	})
	return l != nil
}

// advance ends one thing after the other, until what comes next is later than
// now.
func (s *simple) advance(now time.Time) {
	at, end := s.nextEnd()
	for end != nil && !at.After(now) {
		s.now = at
		end()
		at, end = s.nextEnd()
	}
	s.now = now
}

func (s *simple) next() (at time.Time, ok bool) {
	at, end := s.nextEnd()
	return at, end != nil
}

// nextEnd returns what ends next by itself, and when.
func (s *simple) nextEnd() (at time.Time, end func()) {
	isNext := func(other time.Time) bool {
		if other.IsZero() || end != nil && !other.Before(at) {
			return false
		}
		at = other
		return true
	}
	for _, t := range s.tuples {
		if isNext(t.expires) {
			end = func() { s.remove([]*entry{t}) }
		}
	}
	for _, w := range s.waits {
		if isNext(w.until) {
			end = func() {
				s.cancel(w)
				w.answer(found{})
			}
		}
	}
	for _, l := range s.loans {
		if isNext(l.until) {
			end = func() {
				l.ranOut(l.found)
				s.giveBack(l.found)
			}
		}
	}
	return at, end
}

func (s *simple) size() size {
	n := size{tuples: len(s.tuples), waits: len(s.waits), loans: len(s.loans)}
	n.bytes = cost(s.tuples)
	for _, l := range s.loans {
		n.bytes += cost(l.tuples)
	}
	for _, w := range s.waits {
		n.waitFields += len(w.pattern)
	}
	return n
}

func (s *simple) lent(name string) []*entry {
	if l := s.loanOf(name); l != nil {
		return l.tuples
	}
	return nil
}

func (s *simple) all() []*entry {
	all := slices.Clone(s.tuples)
	for _, l := range s.loans {
		all = append(all, l.tuples...)
	}
	slices.SortFunc(all, byAge)
	return all
}

func (s *simple) restore(tuples []*entry, lastAge uint64) {
	s.giveBack(found{tuples: tuples, taken: true})
	s.lastAge = lastAge
}
