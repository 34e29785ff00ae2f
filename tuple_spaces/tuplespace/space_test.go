package tuplespace

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A side is one of two spaces that are to do the same.
type side struct {
	space
	log   []string
	waits map[string]*wait
	found map[string]*found // by who has got it
	owed  []string          // who is gone, and did not get what it was given
}

// give is what a server does with what was found: it sends that, and gives it
// back if it cannot be delivered.
func (s *side) give(name string, dead bool, f found) {
	s.log = append(s.log, fmt.Sprintln(name, "gets", agesOf(f.tuples), f.more))
	s.found[name] = &f
	if dead {
		s.owed = append(s.owed, name)
	}
}

func agesOf(tuples []*entry) (ages []int) {
	for _, t := range tuples {
		ages = append(ages, int(t.age))
	}
	return ages
}

// flush gives back what could not be delivered, which may be given to others
// that are gone, too.
func (s *side) flush() {
	for len(s.owed) > 0 {
		f := s.found[s.owed[0]]
		delete(s.found, s.owed[0])
		s.owed = s.owed[1:]
		s.giveBack(*f)
	}
}

// Whatever happens, in whatever order, the simple space and the indexed one
// give everybody the same.
func TestBothSpacesAreEqual(t *testing.T) {
	if !isSet("rapid.checks") { // more than rapid makes by itself
		must(t, flag.Set("rapid.checks", "300"))
		must(t, flag.Set("rapid.steps", "100"))
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1e9, 0)
		both := []*side{{space: &simple{}}, {space: newIndexed()}}
		for _, s := range both {
			s.waits, s.found = map[string]*wait{}, map[string]*found{}
			s.advance(now)
		}
		names := 0 // of those who asked
		// No two things end at the same time: their order is not promised.
		serial := time.Duration(0)
		seconds := func(name string, min int) time.Duration {
			n := rapid.IntRange(min, 4).Draw(t, name)
			if n == 0 {
				return 0
			}
			serial++
			return time.Duration(n)*time.Second + serial
		}
		who := func(of func(*side) []string) string {
			some := of(both[0])
			if len(some) == 0 {
				t.Skip("none")
			}
			slices.Sort(some)
			return rapid.SampledFrom(some).Draw(t, "who")
		}
		taken := func(s *side) (names []string) {
			for name, f := range s.found {
				if f.taken {
					names = append(names, name)
				}
			}
			return names
		}
		loans := func(s *side) (loans []string) {
			for _, name := range taken(s) {
				if loan := s.found[name].loan; loan != "" {
					loans = append(loans, loan)
				}
			}
			return append(loans, "no such loan")
		}
		entries := func(texts []string) (all []*entry) {
			for _, text := range texts {
				all = append(all, newTuple(t, text))
			}
			return all
		}
		written := rapid.SliceOfN(rapid.Map(tuples, func(values []any) string {
			return encode(values)
		}), 1, 3)

		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				texts, ttl := written.Draw(t, "tuples"), seconds("ttl", 0)
				for _, s := range both {
					s.write(entries(texts), ttl)
				}
			},
			"find": func(t *rapid.T) {
				names++
				name := fmt.Sprint("finder ", names)
				q := query{
					pattern: fields(t, encode(patterns.Draw(t, "pattern"))),
					take:    rapid.Bool().Draw(t, "take"),
					max:     rapid.IntRange(1, 3).Draw(t, "max"),
					room:    rapid.SampledFrom([]int{1, 20, 1 << 20}).Draw(t, "room"),
				}
				if q.loanFor = seconds("loan", 0); q.take && q.loanFor > 0 {
					q.loan = "loan of " + name
				}
				dead := rapid.IntRange(0, 3).Draw(t, "dead") == 0
				waits := rapid.Bool().Draw(t, "waits")
				until := now.Add(seconds("until", 1))
				place := uint64(rapid.IntRange(0, 9).Draw(t, "place"))
				for _, s := range both {
					q := q
					q.ranOut = func(f found) {
						s.log = append(s.log, f.loan+" runs out\n")
					}
					f := s.find(&q)
					s.give(name, dead, f)
					if len(f.tuples) == 0 && waits {
						w := &wait{query: &q, place: place, until: until}
						w.answer = func(f found) {
							delete(s.waits, name)
							s.give(name, dead, f)
						}
						s.wait(w)
						s.waits[name] = w
						s.log = append(s.log, fmt.Sprintln(name, "waits at", w.place))
					}
				}
			},
			"cancel": func(t *rapid.T) {
				name := who(func(s *side) (names []string) {
					for name := range s.waits {
						names = append(names, name)
					}
					return names
				})
				for _, s := range both {
					s.cancel(s.waits[name])
					delete(s.waits, name)
				}
			},
			"commit": func(t *rapid.T) {
				loan, texts := who(loans), written.Draw(t, "tuples")
				for _, s := range both {
					done := s.commit(loan, entries(texts))
					s.log = append(s.log, fmt.Sprintln("commit", loan, done))
				}
			},
			"release": func(t *rapid.T) {
				loan := who(loans)
				for _, s := range both {
					done := s.release(loan)
					s.log = append(s.log, fmt.Sprintln("release", loan, done))
				}
			},
			"give back": func(t *rapid.T) {
				name := who(taken)
				for _, s := range both {
					f := s.found[name]
					delete(s.found, name)
					s.giveBack(*f)
				}
			},
			"advance": func(t *rapid.T) {
				now = now.Add(time.Second)
				for _, s := range both {
					s.advance(now)
				}
			},
			"": func(t *rapid.T) {
				a, b := both[0], both[1]
				a.flush()
				b.flush()
				if !slices.Equal(a.log, b.log) {
					t.Fatalf("the simple space:\n%vthe indexed one:\n%v", a.log,
						b.log)
				}
				if !slices.Equal(agesOf(a.all()), agesOf(b.all())) {
					t.Fatalf("all: %v and %v", agesOf(a.all()), agesOf(b.all()))
				}
				if a.size() != b.size() {
					t.Fatalf("sizes: %+v and %+v", a.size(), b.size())
				}
				atA, okA := a.next()
				if atB, okB := b.next(); !atA.Equal(atB) || okA != okB {
					t.Fatalf("the next end: %v and %v", atA, atB)
				}
			},
		})
	})
}

// onBoth runs a test on each of the two kinds of space.
func onBoth(t *testing.T, test func(t *testing.T, s space)) {
	t.Run("simple", func(t *testing.T) { test(t, &simple{}) })
	t.Run("indexed", func(t *testing.T) { test(t, newIndexed()) })
}

// start is when these tests start.
var start = time.Unix(1e9, 0)

// waitFor waits for an hour to read or take one tuple.
func waitFor(t tester, s space, take bool, pattern string,
	answer func(f found)) *wait {
	w := &wait{query: &query{pattern: fields(t, pattern), take: take, max: 1},
		until: start.Add(time.Hour), answer: answer}
	s.wait(w)
	return w
}

// Those who wait for different patterns stand in one line: a tuple that two of
// them want goes to who has waited longer, after all who only read it.
func TestLongestWaitingFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, s space) {
		s.advance(start)
		var order []string
		wait := func(name string, take bool, pattern string) *wait {
			return waitFor(t, s, take, pattern, func(found) {
				order = append(order, name)
			})
		}
		wait("taker 1", true, `[null]`)
		renewed := wait("renewed", true, `[1]`)
		wait("reader 1", false, `[{"?":"int"}]`)
		wait("taker 2", true, `[{"?":"number"}]`)
		wait("reader 2", false, `[null]`)
		wait("other", true, `[2]`)
		s.cancel(renewed)
		s.wait(renewed)
		for range 4 {
			s.write([]*entry{newTuple(t, `[1]`)}, 0)
		}
		want := []string{"reader 1", "reader 2", "taker 1", "renewed",
			"taker 2"}
		if left := s.size(); !slices.Equal(order, want) || left.tuples != 1 ||
			left.waits != 1 {
			t.Errorf("served in the order %q, not %q; left: %+v", order, want,
				s.size())
		}
	})
}

// A tuple reaches those who wait on each of the patterns that it matches,
// however long its fields are.
func TestEveryPatternIsServed(t *testing.T) {
	onBoth(t, func(t *testing.T, s space) {
		s.advance(start)
		for _, long := range []string{"x", strings.Repeat("x", 100_000)} {
			const length = 8
			tuple := `[` + strings.Repeat(`,"`+long+`"`, length)[1:] + `]`
			written, all := newTuple(t, tuple), fields(t, tuple)
			answered := 0
			for i := range 1 << length { // each gives other fields
				pattern := slices.Clone(all)
				w := &wait{query: &query{pattern: pattern, max: 1},
					until:  start.Add(time.Hour),
					answer: func(f found) { answered += len(f.tuples) }}
				for j := range pattern {
					if i>>j&1 == 0 {
						pattern[j] = field{kind: isString}
					}
				}
				s.wait(w)
			}
			s.write([]*entry{newTuple(t, `["x",1,2,3,4,5,6,7]`)}, 0)
			if answered != 0 {
				t.Errorf("%d get what does not match", answered)
			}
			s.write([]*entry{written}, 0)
			if answered != 1<<length {
				t.Errorf("%d of %d were answered", answered, 1<<length)
			}
		}
	})
}

// Those who wait get what has come, and nothing else that is there.
func TestServedBesideOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, s space) {
		s.advance(start)
		for range 10_000 {
			s.write([]*entry{newTuple(t, `["x","other"]`)}, 0)
		}
		const waiting = 100
		answered := 0
		for range waiting {
			w := waitFor(t, s, false, `["x",{"?":"int"}]`, func(f found) {
				answered += len(f.tuples)
			})
			w.max, w.room = 5, 1<<20
		}
		s.write([]*entry{newTuple(t, `["x",1]`), newTuple(t, `["x",2]`)}, 0)
		if answered != 2*waiting {
			t.Errorf("%d tuples for %d that waited for two", answered, waiting)
		}
	})
}

// Who takes from behind a tuple that is never taken does not walk over more
// and more that have been removed: the lists are swept.
func TestSweptBehindAStrayTuple(t *testing.T) {
	s := newIndexed()
	s.advance(start)
	const n, taken = 20_000, 8_000 // not yet half of the list
	s.write([]*entry{newTuple(t, `["n","stray"]`)}, 0)
	for i := range n {
		s.write([]*entry{newTuple(t, fmt.Sprintf(`["n",%d]`, i))}, 0)
	}
	q := &query{pattern: fields(t, `["n",{"?":"int"}]`), take: true, max: 1}
	for range taken {
		s.find(q)
	}
	list := s.index[2].all // the one that is searched
	if removed := len(list.list) - list.len; removed > taken/10 {
		t.Errorf("%d of %d that were taken are still in the list", removed,
			taken)
	}
}

// isEmpty fails if a space that should be empty has kept anything.
func isEmpty(t *testing.T, s *indexed) {
	t.Helper()
	if s.size() != (size{}) || len(s.index)+len(s.agenda)+
		len(s.waits.bySignature) > 0 {
		t.Errorf("left behind: %+v, %d index entries, %d timers, %d "+
			"signatures", s.size(), len(s.index), len(s.agenda),
			len(s.waits.bySignature))
	}
}

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}
