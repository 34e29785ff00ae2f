package tuplespace

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"distsys/internal/lab/labtest"
)

// A space that is as simple as can be, to compare with: a list of tuples, a
// list of those who wait, and a search through the whole of them.
type model struct {
	now    time.Time
	tuples []*modelTuple // by age
	waits  []*modelWait  // by place
	age    int
	place  uint64
	log    []string
}

type modelTuple struct {
	values  []any
	age     int
	expires time.Time
}

type modelWait struct {
	name       string
	pattern    []any
	take, dead bool
	max        int
	place      uint64
	until      time.Time
	loan       time.Duration
	taken      []*modelTuple
	loanUntil  time.Time // zero: not on loan
	answered   bool
}

// equal compares values as people do: numbers by their size.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && rat(a).Cmp(rat(b)) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if other, ok := b[k]; !ok || !equal(a[k], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("not a number: " + n)
	}
	return r
}

func modelMatches(pattern, values []any) bool {
	return slices.EqualFunc(pattern, values, func(p, v any) bool {
		if p == nil {
			return true
		}
		object, _ := p.(map[string]any)
		if name, ok := object["?"]; ok && len(object) == 1 {
			n, isNumber := v.(json.Number)
			switch name {
			case "number":
				return isNumber
			case "int":
				return isNumber && rat(n).IsInt()
			case "int64":
				return isNumber && rat(n).IsInt() && rat(n).Num().IsInt64()
			case "string":
				return reflect.TypeOf(v) == reflect.TypeFor[string]()
			case "bool":
				return reflect.TypeOf(v) == reflect.TypeFor[bool]()
			case "array":
				return reflect.TypeOf(v) == reflect.TypeFor[[]any]()
			case "object":
				return reflect.TypeOf(v) == reflect.TypeFor[map[string]any]()
			}
		}
		return equal(p, v)
	})
}

func (m *model) find(w *modelWait) (found []*modelTuple) {
	for _, t := range m.tuples {
		if len(found) < w.max && modelMatches(w.pattern, t.values) {
			found = append(found, t)
		}
	}
	return found
}

func (m *model) remove(tuples []*modelTuple) {
	m.tuples = slices.DeleteFunc(m.tuples, func(t *modelTuple) bool {
		return slices.Contains(tuples, t)
	})
}

func (m *model) insert(tuples []*modelTuple) {
	for _, t := range tuples {
		if t.expires.IsZero() || t.expires.After(m.now) {
			m.tuples = append(m.tuples, t)
		}
	}
	slices.SortFunc(m.tuples, func(a, b *modelTuple) int {
		return a.age - b.age
	})
}

// advance lets end what ends, one after the other.
func (m *model) advance(now time.Time, all []*modelWait) {
	for {
		next, end := now, func() {}
		due := func(at time.Time, f func()) {
			if !at.IsZero() && !at.After(next) {
				next, end = at, f
			}
		}
		for _, t := range m.tuples {
			due(t.expires, func() { m.remove([]*modelTuple{t}) })
		}
		for _, w := range m.waits {
			due(w.until, func() { m.answer(w, nil) })
		}
		for _, w := range all {
			due(w.loanUntil, func() { m.back(w) })
		}
		m.now = next
		end()
		if next.Equal(now) {
			return
		}
	}
}

func (m *model) back(w *modelWait) {
	back := w.taken
	w.taken, w.loanUntil = nil, time.Time{}
	m.insert(back)
	m.offer(back)
}

func (m *model) answer(w *modelWait, found []*modelTuple) {
	var ages []int
	for _, t := range found {
		ages = append(ages, t.age)
	}
	m.log = append(m.log, fmt.Sprint(w.name, " gets ", ages))
	w.answered = true
	m.waits = slices.DeleteFunc(m.waits, func(x *modelWait) bool {
		return x == w
	})
}

func (m *model) offer(tuples []*modelTuple) {
	for _, t := range tuples {
		for _, w := range slices.Clone(m.waits) {
			if slices.Contains(m.tuples, t) && !w.take &&
				modelMatches(w.pattern, t.values) {
				m.answer(w, m.find(w))
			}
		}
	}
	for _, t := range tuples {
		for _, w := range slices.Clone(m.waits) {
			if slices.Contains(m.tuples, t) && w.take &&
				modelMatches(w.pattern, t.values) {
				found := m.find(w)
				m.answer(w, found)
				if !w.dead {
					m.remove(found)
					m.taken(w, found)
				}
			}
		}
	}
}

func (m *model) taken(w *modelWait, found []*modelTuple) {
	if w.taken = found; w.loan > 0 && len(found) > 0 {
		w.loanUntil = m.now.Add(w.loan)
	}
}

var (
	values = rapid.OneOf(fewValues, manyValues)
	// Few, so that they meet; many, to see that they are told apart.
	fewValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{`1`, `1.0`, `"a"`}).
			Draw(t, "value"))
	})
	manyValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{
			`"a"`, `"b"`, `"\u0061"`, `"1"`, `""`, `"<&>"`, `"ü"`,
			`true`, `false`, `0`, `-0`, `0e9`, `1`, `1.0`, `1e0`, `10e-1`,
			`10`, `1e1`, `100E-1`, `2.5`, `25e-1`, `-1`,
			`123456789012345678901234567890`, `1234567890123456789012345678900`,
			`123456789012345678901234567890e1`, `1e30`, `1e-30`,
			`9223372036854775807`, `9223372036854775808`,
			`-9223372036854775808`, `[]`, `[1]`, `[1.0]`, `["a",null]`,
			`{"k":1,"j":[2]}`, `{"j":[2e0],"k":1.00}`, `{}`, `{"?":1,"k":2}`,
		}).Draw(t, "value"))
	})
	wildcardValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{`null`, `null`,
			`{"?":"int64"}`, `{"?":"int"}`, `{"?":"number"}`, `{"?":"string"}`,
			`{"?":"bool"}`, `{"?":"array"}`, `{"?":"object"}`,
		}).Draw(t, "wildcard"))
	})
	someTuples = rapid.SliceOfN(rapid.SliceOfN(values, 1, 2), 1, 3)
	patterns   = rapid.SliceOfN(rapid.OneOf(values, wildcardValues), 1, 2)
)

func fromJSON(text string) (value any) {
	if err := decode([]byte(text), &value); err != nil {
		panic(err)
	}
	return value
}

// Whatever happens, in whatever order, the space and the simple one agree on
// every answer.
func TestModel(t *testing.T) {
	if !isSet("rapid.checks") { // more than rapid makes by itself
		must(t, flag.Set("rapid.checks", "500"))
		must(t, flag.Set("rapid.steps", "100"))
	}
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(1e9, 0)
		s, m := NewSpace(), &model{now: start}
		s.Advance(start)
		var log []string
		ages := func(items []*item) (ages []int) {
			for _, x := range items {
				ages = append(ages, int(x.age))
			}
			return ages
		}
		type pair struct {
			wait  *Wait
			found Found
			model *modelWait
		}
		var all []*pair // who waited, or got something
		write := func(tuples [][]any, ttl time.Duration) (news []*modelTuple) {
			for _, values := range tuples {
				m.age++
				x := &modelTuple{values: values, age: m.age}
				if ttl > 0 {
					x.expires = m.now.Add(ttl)
				}
				news = append(news, x)
			}
			m.insert(news)
			m.offer(news)
			return news
		}
		fields := func(tuples [][]any) (list [][]field) {
			for _, values := range tuples {
				x, err := newTuple(raws(values))
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, x)
			}
			return list
		}
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
		pick := func(ok func(*pair) bool) *pair {
			some := slices.Clone(all)
			some = slices.DeleteFunc(some, func(p *pair) bool { return !ok(p) })
			if len(some) == 0 {
				t.Skip("none")
			}
			return rapid.SampledFrom(some).Draw(t, "which")
		}
		onLoan := func(p *pair) bool { return p.found.loan != nil }

		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				tuples, ttl := someTuples.Draw(t, "tuples"), seconds("ttl", 0)
				s.Write(fields(tuples), ttl)
				write(tuples, ttl)
			},
			"find": func(t *rapid.T) {
				p := &pair{model: &modelWait{
					name:    fmt.Sprint("finder ", len(all)),
					pattern: patterns.Draw(t, "pattern"),
					take:    rapid.Bool().Draw(t, "take"),
					max:     rapid.IntRange(1, 3).Draw(t, "max"),
					loan:    seconds("loan", 0),
					until:   m.now.Add(seconds("until", 1)),
					dead:    rapid.IntRange(0, 3).Draw(t, "dead") == 0,
				}}
				all = append(all, p)
				w := p.model
				pattern, err := newPattern(raws(w.pattern))
				if err != nil {
					t.Fatal(err)
				}
				q := Query{pattern, w.take, w.loan, w.max, 1 << 20}
				found := m.find(w)
				p.found = s.Find(q)
				if w.take {
					m.remove(found)
					m.taken(w, found)
				}
				m.answer(w, found)
				log = append(log, fmt.Sprint(w.name, " gets ",
					ages(p.found.items)))
				if len(found) > 0 || !rapid.Bool().Draw(t, "waits") {
					return
				}
				w.answered = false
				p.wait = &Wait{Query: q, Until: w.until,
					Answer: func(f Found) bool {
						log = append(log, fmt.Sprint(w.name, " gets ",
							ages(f.items)))
						if w.dead {
							return false
						}
						p.found = f
						return true
					}}
				if rapid.Bool().Draw(t, "old place") {
					w.place = uint64(rapid.IntRange(1, 9).Draw(t, "place"))
				}
				p.wait.Place = w.place
				s.Wait(p.wait)
				if taken := slices.ContainsFunc(m.waits,
					func(x *modelWait) bool { return x.place == w.place },
				); taken || w.place == 0 || w.place > m.place {
					m.place++
					w.place = m.place
				}
				if p.wait.Place != w.place {
					t.Fatalf("place %d, the model says %d", p.wait.Place,
						w.place)
				}
				m.waits = append(m.waits, w)
				slices.SortFunc(m.waits, func(a, b *modelWait) int {
					return int(a.place) - int(b.place)
				})
			},
			"stop waiting": func(t *rapid.T) {
				p := pick(func(p *pair) bool {
					return p.wait != nil && !p.model.answered
				})
				s.StopWait(p.wait)
				p.model.answered = true
				m.waits = slices.DeleteFunc(m.waits, func(w *modelWait) bool {
					return w == p.model
				})
			},
			"commit": func(t *rapid.T) {
				p, tuples := pick(onLoan), someTuples.Draw(t, "tuples")
				holds := p.model.taken != nil
				if s.Commit(p.found.loan.name, fields(tuples)) != holds {
					t.Errorf("a commit is not %v", holds)
				}
				if holds {
					p.model.taken, p.model.loanUntil = nil, time.Time{}
					write(tuples, 0)
				}
			},
			"release or give back": func(t *rapid.T) {
				p := pick(func(p *pair) bool {
					return p.found.taken && (p.found.loan != nil ||
						p.model.taken != nil)
				})
				there := p.model.taken != nil
				if p.found.loan != nil && rapid.Bool().Draw(t, "release") {
					if s.Release(p.found.loan.name) != there {
						t.Errorf("a release is not %v", there)
					}
				} else {
					s.GiveBack(p.found)
				}
				m.back(p.model)
			},
			"advance": func(t *rapid.T) {
				now := m.now.Add(time.Second)
				var waits []*modelWait
				for _, p := range all {
					waits = append(waits, p.model)
				}
				s.Advance(now)
				m.advance(now, waits)
			},
			"": func(t *rapid.T) {
				if !slices.Equal(log, m.log) {
					t.Fatalf("the space says\n%q\nthe model\n%q", log, m.log)
				}
				if s.Len() != len(m.tuples) || s.Waiting() != len(m.waits) {
					t.Fatalf("%d tuples and %d waits, the model has %d and %d",
						s.Len(), s.Waiting(), len(m.tuples), len(m.waits))
				}
			},
		})
	})
}

// Waiters on different patterns stand in one line: a tuple that two of them
// want goes to the one that has waited longer, after all who only read it.
func TestLongestWaitingFirst(t *testing.T) {
	s := NewSpace()
	var order []string
	wait := func(name string, take bool, place uint64, pattern string) *Wait {
		w := waitFor(t, pattern)
		w.Take, w.Place, w.Until = take, place, s.now.Add(time.Hour)
		w.Answer = func(Found) bool {
			order = append(order, name)
			return true
		}
		s.Wait(w)
		return w
	}
	wait("taker 1", true, 0, `[null]`)
	first := wait("renewed", true, 0, `[1]`)
	wait("reader 1", false, 0, `[{"?":"int"}]`)
	wait("taker 2", true, 0, `[{"?":"number"}]`)
	wait("reader 2", false, 0, `[null]`)
	wait("other", true, 0, `[2]`)
	s.StopWait(first)
	wait("renewed", true, first.Place, `[1]`)
	for range 4 {
		s.Write([][]field{tuple(t, `[1]`)}, 0)
	}
	want := []string{"reader 1", "reader 2", "taker 1", "renewed", "taker 2"}
	if !slices.Equal(order, want) || s.Len() != 1 || s.Waiting() != 1 {
		t.Errorf("served in the order %q, not %q; %d tuples, %d wait", order,
			want, s.Len(), s.Waiting())
	}
}

// What comes and goes leaves nothing behind, whether it ends by itself, is
// ended, is served or cannot be reached.
func TestNothingIsLeftBehind(t *testing.T) {
	s := NewSpace()
	now := time.Unix(1e9, 0)
	s.Advance(now)
	const n = 100_000
	answered := 0
	for round, pattern := range []string{`["x",null]`, `["x",%d]`,
		`[%d,{"?":"string"}]`, `[null,null,%d]`} {
		var waits []*Wait
		for i := range n / 4 {
			if strings.Contains(pattern, "%d") {
				waits = append(waits, waitFor(t, fmt.Sprintf(pattern, i)))
			} else {
				waits = append(waits, waitFor(t, pattern))
			}
			w := waits[i]
			w.Take, w.Until = i%2 == 0, now.Add(time.Duration(i)*time.Second)
			w.Answer = func(f Found) bool {
				answered++
				return f.Empty() // who is given something is gone
			}
			s.Wait(w)
		}
		switch round {
		case 0: // a tuple that nobody can be given stays
			s.Write([][]field{tuple(t, `["x",1]`)}, 0)
			if s.Waiting() > 0 || s.Len() != 1 {
				t.Errorf("%d wait, %d tuples", s.Waiting(), s.Len())
			}
			s.Find(Query{waitFor(t, pattern).Pattern, true, 0, 1, 1})
		case 1:
			rand.Shuffle(len(waits), func(i, j int) {
				waits[i], waits[j] = waits[j], waits[i]
			})
			for _, w := range waits {
				s.StopWait(w)
				s.StopWait(w) // twice does no harm
			}
		default: // their time is over
			now = now.Add(n * time.Second)
			s.Advance(now)
		}
	}
	if answered != 3*n/4 {
		t.Errorf("%d answers", answered)
	}
	// Tuples: taken, run out, and on loan.
	for i := range n {
		ttl := time.Duration(i%2) * time.Minute
		s.Write([][]field{tuple(t, fmt.Sprintf(`["t",%d,%d]`, i%2, i))}, ttl)
	}
	s.Find(Query{waitFor(t, `["t",0,null]`).Pattern, true, 0, n, 1 << 30})
	lent := s.Find(Query{waitFor(t, `["t",null,null]`).Pattern, true,
		time.Hour, n / 4, 1 << 30})
	s.Advance(now.Add(time.Minute))
	if s.Len() != 0 || len(lent.items) != n/4 {
		t.Errorf("%d tuples are left, %d on loan", s.Len(), len(lent.items))
	}
	if !s.Release(lent.loan.name) || s.Release(lent.loan.name) {
		t.Error("a loan does not end once")
	}
	empty(t, s)
}

// A tuple reaches those who wait on each of the patterns that it matches,
// however long its fields are.
func TestEveryPatternIsServed(t *testing.T) {
	for _, long := range []string{"x", strings.Repeat("x", 100_000)} {
		s := NewSpace()
		s.Advance(time.Now())
		const fields = 8
		text := strings.Repeat(`,"`+long+`"`, fields)
		written := tuple(t, `[`+text[1:]+`]`)
		answered := 0
		for i := range 1 << fields { // each gives other fields
			w := waitFor(t, `[0,1,2,3,4,5,6,7]`)
			for j := range w.Pattern {
				w.Pattern[j] = condition{key: written[j].key}
				if i>>j&1 == 0 {
					w.Pattern[j] = condition{kind: isString}
				}
			}
			w.Until = s.now.Add(time.Hour)
			w.Answer = func(found Found) bool {
				answered += len(found.items)
				return true
			}
			s.Wait(w)
		}
		s.Write([][]field{tuple(t, `["x",1,2,3,4,5,6,7]`)}, 0)
		if answered != 0 {
			t.Errorf("%d get what does not match", answered)
		}
		s.Write([][]field{written}, 0)
		if answered != 1<<fields {
			t.Errorf("%d of %d were answered", answered, 1<<fields)
		}
	}
}

// Those that wait get what has come, and nothing else that is there.
func TestServedBesideOthers(t *testing.T) {
	s := NewSpace()
	s.Advance(time.Now())
	s.Write(slices.Repeat([][]field{tuple(t, `["x","other"]`)}, 50_000), 0)
	const waiting = 100
	answered := 0
	for range waiting {
		w := waitFor(t, `["x",{"?":"int"}]`)
		w.Until, w.Max, w.Room = s.now.Add(time.Hour), 5, 1<<20
		w.Answer = func(found Found) bool {
			answered += len(found.items)
			return true
		}
		s.Wait(w)
	}
	s.Write([][]field{tuple(t, `["x",1]`), tuple(t, `["x",2]`)}, 0)
	if answered != 2*waiting {
		t.Errorf("%d tuples for %d that waited for two", answered, waiting)
	}
}

// Many that come back are at their old places, whatever is behind them.
func TestManyComeBack(t *testing.T) {
	s := NewSpace()
	s.Advance(time.Now())
	const n = 50_000
	many := slices.Repeat([][]field{tuple(t, `["m"]`)}, 3*n)
	s.Write(many, 0)
	q := Query{waitFor(t, `["m"]`).Pattern, true, 0, 2 * n, 1 << 30}
	found := s.Find(q) // more than half: the lists are swept
	s.GiveBack(found)
	q.Max = 3 * n
	again := s.Find(q)
	for i, item := range again.items {
		if item.age != uint64(i+1) {
			t.Fatalf("tuple %d is at place %d", item.age, i)
		}
	}
	// Some of them are still in the lists, and some have expired.
	s.GiveBack(again)
	q.Max = 10
	some := s.Find(q)
	some.items[3].expires = s.now
	s.GiveBack(some)
	q.Max = 3 * n
	if all := s.Find(q); len(all.items) != 3*n-1 || s.Len() != 0 {
		t.Errorf("%d came back", len(all.items))
	}
	empty(t, s)
}

func tuple(t testing.TB, text string) []field {
	t.Helper()
	fields, err := newTuple(raws(fromJSON(text).([]any)))
	must(t, err)
	return fields
}

func raws(values []any) (texts []json.RawMessage) {
	for _, value := range values {
		texts = append(texts, json.RawMessage(encode(value)))
	}
	return texts
}

func waitFor(t testing.TB, text string) *Wait {
	t.Helper()
	pattern, err := newPattern(raws(fromJSON(text).([]any)))
	must(t, err)
	return &Wait{Query: Query{Pattern: pattern, Max: 1, Room: 1}}
}

// empty fails where a space that should be empty has kept anything.
func empty(t *testing.T, s *Space) {
	t.Helper()
	shapes := 0
	for _, some := range s.shapes {
		shapes += len(some)
	}
	if s.Len()+len(s.index)+len(s.agenda)+shapes+s.Waiting()+len(s.loans) > 0 {
		t.Errorf("left behind: %d tuples, %d index entries, %d alarms, "+
			"%d shapes, %d waits, %d loans", s.Len(), len(s.index),
			len(s.agenda), shapes, s.Waiting(), len(s.loans))
	}
}

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

var must = labtest.Must
