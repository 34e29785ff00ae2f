package tuplespace

import (
	"iter"
	"slices"
	"time"
)

// indexed is a tuple space that is fast at any size. It does what simple does
// (read that first), but looks up what simple searches for: tuples are listed
// by each of their fields (index.go), waits by their patterns (waits.go), and
// what ends by itself by its time (agenda.go).
type indexed struct {
	now    time.Time
	count  size
	index  index
	waits  waits
	loans  map[string]*loan
	agenda agenda

	lastAge uint64
}

func newIndexed() *indexed {
	return &indexed{index: index{}, waits: newWaits(),
		loans: map[string]*loan{}}
}

func (s *indexed) write(tuples []*entry, ttl time.Duration) {
	for _, t := range tuples {
		s.lastAge++
		t.age = s.lastAge
		if ttl > 0 {
			t.expires = s.now.Add(ttl)
		}
		if s.enter(t) {
			s.index.add(t)
		}
	}
	s.serve(tuples)
}

// find looks only where the tuples are that share the pattern's rarest field,
// however many others there are.
func (s *indexed) find(q *query) found {
	return s.take(q, s.index.rarest(q.pattern))
}

// take is find among some tuples.
func (s *indexed) take(q *query, tuples iter.Seq[*entry]) found {
	f := q.pick(tuples)
	if !f.taken {
		return f
	}
	for _, t := range f.tuples {
		s.remove(t)
	}
	if f.loan != "" {
		s.lend(f, q)
	}
	return f
}

// enter counts a tuple that comes, or comes back. It is false if the tuple's
// time was over meanwhile.
func (s *indexed) enter(t *entry) bool {
	if !t.expires.IsZero() {
		if !t.expires.After(s.now) {
			return false
		}
		t.expiry = s.agenda.set(t.expires, func() { s.remove(t) })
	}
	t.removed = false
	s.count.tuples++
	s.count.bytes += t.cost()
	return true
}

func (s *indexed) remove(t *entry) {
	s.agenda.cancel(t.expiry)
	t.removed = true
	s.count.tuples--
	s.count.bytes -= t.cost()
	s.index.remove(t)
}

func (s *indexed) giveBack(f found) {
	if !f.taken || f.loan != "" && !s.endLoan(f.loan) {
		return
	}
	var back []*entry
	for _, t := range f.tuples {
		if s.enter(t) {
			back = append(back, t)
		}
	}
	s.index.merge(back)
	s.serve(back)
}

// serve shows tuples that have come, or come back, to those who wait for
// them: each first to all who read, then to one taker after the other until
// one has it.
func (s *indexed) serve(tuples []*entry) {
	// What waits has found nothing before: it finds these, or nothing.
	from := func(i int) iter.Seq[*entry] {
		return func(yield func(*entry) bool) {
			for _, t := range tuples[i:] {
				if !t.removed && !yield(t) {
					return
				}
			}
		}
	}
	for i, t := range tuples {
		for _, w := range s.waits.readers(t) {
			s.cancel(w)
			w.answer(s.take(w.query, from(i)))
		}
	}
	for i, t := range tuples {
		for !t.removed {
			w := s.waits.taker(t)
			if w == nil {
				break
			}
			s.cancel(w)
			w.answer(s.take(w.query, from(i)))
		}
	}
}

func (s *indexed) wait(w *wait) {
	s.waits.add(w)
	s.count.waits++
	s.count.waitFields += len(w.pattern)
	w.over = s.agenda.set(w.until, func() {
		s.cancel(w)
		w.answer(found{})
	})
}

func (s *indexed) cancel(w *wait) {
	if w.line != nil { // nil: it has ended
		s.agenda.cancel(w.over)
		s.waits.remove(w)
		s.count.waits--
		s.count.waitFields -= len(w.pattern)
	}
}

func (s *indexed) lend(f found, q *query) {
	l := &loan{found: f, ranOut: q.ranOut, until: s.now.Add(q.loanFor)}
	s.loans[l.loan] = l
	s.count.loans++
	s.count.bytes += cost(l.tuples) // they are only away
	l.end = s.agenda.set(l.until, func() {
		l.ranOut(l.found)
		s.giveBack(l.found)
	})
}

func (s *indexed) endLoan(name string) bool {
	l := s.loans[name]
	if l == nil {
		return false
	}
	s.agenda.cancel(l.end)
	delete(s.loans, name)
	s.count.loans--
	s.count.bytes -= cost(l.tuples)
	return true
}

func (s *indexed) release(name string) bool {
	l := s.loans[name]
	if l == nil {
		return false
	}
	s.giveBack(l.found)
	return true
}

func (s *indexed) commit(name string, results []*entry) bool {
	if !s.endLoan(name) {
		return false
	}
	s.write(results, 0)
	return true
}

func (s *indexed) advance(now time.Time) {
	for len(s.agenda) > 0 && !s.agenda[0].at.After(now) {
		next := s.agenda[0]
		s.now = next.at
		s.agenda.cancel(next)
		next.ring()
	}
	s.now = now
}

func (s *indexed) next() (at time.Time, ok bool) {
	if len(s.agenda) == 0 {
		return at, false
	}
	return s.agenda[0].at, true
}

func (s *indexed) size() size { return s.count }

func (s *indexed) lent(name string) []*entry {
	if l := s.loans[name]; l != nil {
		return l.tuples
	}
	return nil
}

func (s *indexed) all() []*entry {
	all := make([]*entry, 0, s.count.tuples)
	for _, a := range s.index {
		all = slices.AppendSeq(all, a.all.each)
	}
	for _, l := range s.loans {
		all = append(all, l.tuples...)
	}
	slices.SortFunc(all, byAge)
	return all
}

func (s *indexed) restore(tuples []*entry, lastAge uint64) {
	for _, t := range tuples {
		if s.enter(t) {
			s.index.add(t)
		}
	}
	s.lastAge = lastAge
}
