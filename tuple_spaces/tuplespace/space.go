package tuplespace

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Space holds tuples, and those who wait for them. It is a plain data
// structure: no sockets, no goroutines, no clock. Whoever owns it says what
// time it is, by Advance.
//
// An idea runs through it: whether a tuple matches is looked up, not searched
// for. Tuples are indexed by each of their fields, waits by their patterns.
type Space struct {
	// RanOut is told, if it is set, of loans that end by themselves.
	RanOut func(loan string, tuples Found)

	now    time.Time
	agenda agenda // tuples, waits and loans that end
	n      int    // tuples that are there
	age    uint64 // given to the last tuple
	index  map[spot]*queue[*item]

	shapes map[int]map[string]*shape // by length, then by what they ask
	waits  map[uint64]*Wait          // by place
	place  uint64                    // the last one given out

	loans    map[string]*loan
	loanName string // random: unlike those of the server before a restart
	loanSeq  int
}

// NewSpace returns an empty space.
func NewSpace() *Space {
	return &Space{
		index:    map[spot]*queue[*item]{},
		shapes:   map[int]map[string]*shape{},
		waits:    map[uint64]*Wait{},
		loans:    map[string]*loan{},
		loanName: strings.ToLower(rand.Text()[:10]),
	}
}

// An item is a tuple in the space. While it is out (taken, or on loan) it
// keeps its age, so that it can come back to its old place.
type item struct {
	fields  []field
	age     uint64
	expires time.Time // zero: never
	expiry  *alarm
	out     bool
}

func (t *item) rank() uint64 { return t.age }
func (t *item) gone() bool   { return t.out }

// A spot is where the index lists the tuples of one length that have one
// value in one position. Position -1 lists all tuples of that length.
type spot struct {
	length, position int
	key              string
}

// A Query is what read and take ask for.
type Query struct {
	Pattern []condition
	Take    bool
	Loan    time.Duration // 0: for good
	Max     int           // how many tuples at most
	Room    int           // how many bytes of text at most; but one tuple fits
}

// Found is what a query brings. Taken tuples can be given back.
type Found struct {
	items []*item
	taken bool
	loan  *loan
	More  bool // there was no room for all
}

// Empty says that nothing was found.
func (f Found) Empty() bool { return len(f.items) == 0 }

// Tuples returns the tuples as JSON arrays.
func (f Found) Tuples() []json.RawMessage {
	all := make([]json.RawMessage, len(f.items))
	for i, t := range f.items {
		for _, f := range t.fields {
			all[i] = append(append(all[i], ','), f.text...)
		}
		all[i][0] = '['
		all[i] = append(all[i], ']')
	}
	return all
}

// Advance says what time it is, and ends what ends by then: tuples with a
// time to live, waits and loans.
func (s *Space) Advance(now time.Time) {
	for len(s.agenda) > 0 && !s.agenda[0].at.After(now) {
		next := s.agenda[0]
		s.now = next.at
		s.agenda.cancel(next)
		next.ring()
	}
	s.now = now
}

// Next says when there is something to do if nobody asks meanwhile.
func (s *Space) Next() (at time.Time, ok bool) {
	if len(s.agenda) == 0 {
		return at, false
	}
	return s.agenda[0].at, true
}

// Len says how many tuples are there, not counting those on loan.
func (s *Space) Len() int { return s.n }

// Write is Linda's out: it puts tuples in, all at once. A ttl other than 0 is
// their time to live.
func (s *Space) Write(tuples [][]field, ttl time.Duration) {
	items := make([]*item, len(tuples))
	for i, fields := range tuples {
		s.age++
		items[i] = &item{fields: fields, age: s.age}
		if ttl > 0 {
			items[i].expires = s.now.Add(ttl)
		}
		s.store(items[i])
	}
	s.offer(items)
}

// Find is Linda's rdp and inp: the oldest tuples that match, if there are
// any. It looks only where the tuples are that share the pattern's rarest
// field, however many others there are.
func (s *Space) Find(q Query) (found Found) {
	rarest := s.index[spot{len(q.Pattern), -1, ""}]
	for i, c := range q.Pattern {
		if c.given() && rarest != nil {
			there := s.index[spot{len(q.Pattern), i, c.key}]
			if there == nil || there.n < rarest.n {
				rarest = there
			}
		}
	}
	if rarest == nil {
		return found
	}
	return s.pick(q, rarest.each)
}

// pick is Find among those that each goes through.
func (s *Space) pick(q Query, each func(func(*item) bool)) (found Found) {
	room := q.Room
	each(func(t *item) bool {
		if !matches(q.Pattern, t.fields) {
			return true
		}
		for _, f := range t.fields {
			room -= len(f.text) + 1
		}
		if room < 2 && !found.Empty() {
			found.More = true
			return false
		}
		found.items = append(found.items, t)
		return len(found.items) < q.Max
	})
	if found.taken = q.Take && !found.Empty(); found.taken {
		for _, t := range found.items {
			s.remove(t)
		}
		if q.Loan > 0 {
			found.loan = s.lend(found.items, q.Loan)
		}
	}
	return found
}

// GiveBack undoes a take that did not reach its taker, or that the taker does
// not want any more: the tuples are at their old places again, and whoever
// waits for them gets them.
func (s *Space) GiveBack(found Found) {
	if s.undo(found) {
		s.offer(found.items)
	}
}

func (s *Space) undo(found Found) bool {
	if !found.taken {
		return false
	}
	if found.loan != nil {
		if s.loans[found.loan.name] == nil {
			return false // it has ended: they are back, or used
		}
		s.end(found.loan)
	}
	back := map[spot][]*item{}
	for _, t := range found.items {
		if s.enter(t) {
			for spot := range t.spots {
				back[spot] = append(back[spot], t)
			}
		}
	}
	for spot, items := range back {
		s.list(spot).merge(items)
	}
	return true
}

func (s *Space) store(t *item) {
	if s.enter(t) {
		for spot := range t.spots {
			s.list(spot).add(t)
		}
	}
}

// enter is false where the tuple's time was over while it was out.
func (s *Space) enter(t *item) bool {
	if !t.expires.IsZero() {
		if !t.expires.After(s.now) {
			return false
		}
		t.expiry = s.agenda.set(t.expires, func() { s.remove(t) })
	}
	t.out = false
	s.n++
	return true
}

func (s *Space) list(at spot) *queue[*item] {
	there := s.index[at]
	if there == nil {
		there = &queue[*item]{}
		s.index[at] = there
	}
	return there
}

func (s *Space) remove(t *item) {
	t.out = true
	s.agenda.cancel(t.expiry)
	s.n--
	for spot := range t.spots {
		there := s.index[spot]
		if there.left(); there.n == 0 {
			delete(s.index, spot)
		}
	}
}

// spots goes through where the index lists the tuple.
func (t *item) spots(yield func(spot) bool) {
	if !yield(spot{len(t.fields), -1, ""}) {
		return
	}
	for i, f := range t.fields {
		if !yield(spot{len(t.fields), i, f.key}) {
			return
		}
	}
}

// A loan is a take that is not for good yet. A process that takes a tuple can
// die before it has used it: no server can know that. So the tuple comes back
// if the borrower does not commit in time. Rinda and JavaSpaces call this a
// lease or a transaction.
type loan struct {
	name  string
	items []*item
	end   *alarm
}

func (s *Space) lend(items []*item, d time.Duration) *loan {
	s.loanSeq++
	l := &loan{name: fmt.Sprint(s.loanName, "-", s.loanSeq), items: items}
	l.end = s.agenda.set(s.now.Add(d), func() {
		if s.RanOut != nil {
			s.RanOut(l.name, Found{items: l.items})
		}
		s.Release(l.name)
	})
	s.loans[l.name] = l
	return l
}

// Release ends a loan: the tuples come back to their old places. It is false
// where there is no such loan, as after it ran out.
func (s *Space) Release(name string) bool {
	l := s.loans[name]
	if l == nil {
		return false
	}
	s.GiveBack(Found{items: l.items, taken: true, loan: l})
	return true
}

// Commit ends a loan for good, and writes what has come of it, in one step.
// Where there is no such loan it is false, and nothing is written: someone
// else may have the tuples by then.
func (s *Space) Commit(name string, results [][]field) bool {
	l := s.loans[name]
	if l == nil {
		return false
	}
	s.end(l)
	s.Write(results, 0)
	return true
}

func (s *Space) end(l *loan) {
	s.agenda.cancel(l.end)
	delete(s.loans, l.name)
}

// A Wait is a query that found nothing, and waits: Linda's rd and in. It ends
// by one call of Answer: with tuples, or empty when its time is over.
type Wait struct {
	Query
	Place uint64 // in the line: those who waited longest are served first
	Until time.Time
	// Answer gives the tuples, and says whether that was possible.
	Answer func(Found) bool

	over  *alarm
	group *group
}

func (w *Wait) rank() uint64 { return w.Place }
func (w *Wait) gone() bool   { return w.group == nil }

// A shape is what a set of patterns have in common: which fields they give,
// and the types of the others. A tuple can match only one pattern of each
// shape, so a write looks at one group of waits for each shape, however many
// wait on other patterns.
type shape struct {
	name    string
	pattern []condition // of these, only whether there is a key counts
	groups  map[string]*group
}

// A group is the waits on one pattern.
type group struct {
	shape           *shape
	name            string
	readers, takers queue[*Wait]
}

// Wait puts a wait in line: at its old place where it had one.
func (s *Space) Wait(w *Wait) {
	if s.waits[w.Place] != nil || w.Place == 0 || w.Place > s.place {
		s.place++
		w.Place = s.place
	}
	s.waits[w.Place] = w
	w.over = s.agenda.set(w.Until, func() {
		s.StopWait(w)
		w.Answer(Found{})
	})

	var kinds, name strings.Builder
	for _, c := range w.Pattern {
		if c.given() {
			kinds.WriteByte(0)
			name.WriteString(c.key + "\n")
		} else {
			kinds.WriteByte(byte(c.kind))
		}
	}
	shapes := s.shapes[len(w.Pattern)]
	if shapes == nil {
		shapes = map[string]*shape{}
		s.shapes[len(w.Pattern)] = shapes
	}
	sh := shapes[kinds.String()]
	if sh == nil {
		sh = &shape{kinds.String(), w.Pattern, map[string]*group{}}
		shapes[sh.name] = sh
	}
	w.group = sh.groups[name.String()]
	if w.group == nil {
		w.group = &group{shape: sh, name: name.String()}
		sh.groups[w.group.name] = w.group
	}
	w.line().add(w)
}

func (w *Wait) line() *queue[*Wait] {
	if w.Take {
		return &w.group.takers
	}
	return &w.group.readers
}

// StopWait ends a wait without an answer, and leaves nothing of it behind.
func (s *Space) StopWait(w *Wait) {
	if w.group == nil {
		return
	}
	s.agenda.cancel(w.over)
	delete(s.waits, w.Place)
	g, line := w.group, w.line()
	w.group = nil
	line.left()
	if g.readers.n+g.takers.n > 0 {
		return
	}
	delete(g.shape.groups, g.name)
	if len(g.shape.groups) == 0 {
		delete(s.shapes[len(w.Pattern)], g.shape.name)
	}
}

// Waiting says how many wait.
func (s *Space) Waiting() int { return len(s.waits) }

// offer shows tuples that have come, or come back, to those who wait for
// them: each first to all who read, then to one taker after the other until
// one has it. A taker that cannot be reached any more is passed over.
func (s *Space) offer(items []*item) {
	items = slices.DeleteFunc(slices.Clone(items), (*item).gone) // expired
	// What waits has found nothing before: it finds these, or nothing.
	from := func(i int) func(func(*item) bool) {
		return func(f func(*item) bool) {
			for _, t := range items[i:] {
				if !t.gone() && !f(t) {
					return
				}
			}
		}
	}
	for i, t := range items {
		var readers []*Wait
		for _, g := range s.waitingFor(t) {
			g.readers.each(func(w *Wait) bool {
				readers = append(readers, w)
				return true
			})
		}
		slices.SortFunc(readers, longest)
		for _, w := range readers {
			s.StopWait(w)
			w.Answer(s.pick(w.Query, from(i)))
		}
	}
	for i, t := range items {
		for !t.out {
			var first *Wait
			for _, g := range s.waitingFor(t) {
				g.takers.each(func(w *Wait) bool {
					if first == nil || longest(w, first) < 0 {
						first = w
					}
					return false // the others came later
				})
			}
			if first == nil {
				break
			}
			s.StopWait(first)
			if found := s.pick(first.Query, from(i)); !first.Answer(found) {
				s.undo(found)
			}
		}
	}
}

func longest(a, b *Wait) int { return cmp.Compare(a.Place, b.Place) }

// waitingFor returns the groups of waits that a tuple matches.
func (s *Space) waitingFor(t *item) (groups []*group) {
	var name strings.Builder
shapes:
	for _, sh := range s.shapes[len(t.fields)] {
		name.Reset()
		for i, c := range sh.pattern {
			if c.given() {
				name.WriteString(t.fields[i].key + "\n")
			} else if c.kind&t.fields[i].kind == 0 {
				continue shapes
			}
		}
		if g := sh.groups[name.String()]; g != nil {
			groups = append(groups, g)
		}
	}
	return groups
}
