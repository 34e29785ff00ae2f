//go:build !race

package tuplespace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// The tests in this file do the same things very often, and see how much is
// left of them. The race detector would find nothing in that which it does not
// find in the other tests, and takes five times as long. make test runs these
// tests without it.

// What comes and goes leaves nothing behind in the indexed space, whether it
// ends by itself, is cancelled, is served or is given back.
func TestNothingIsLeftBehind(t *testing.T) {
	s := newIndexed()
	now := start
	s.advance(now)
	const n = 100_000
	answered := 0
	for round, pattern := range []string{`["x",null]`, `["x",%d]`,
		`[%d,{"?":"string"}]`, `[null,null,%d]`} {
		var waits []*wait
		var given []found
		for i := range n / 4 {
			text := strings.Replace(pattern, "%d", fmt.Sprint(i), 1)
			w := &wait{query: &query{pattern: fields(t, text), take: i%2 == 0,
				max: 1}, until: now.Add(time.Duration(i) * time.Second)}
			w.answer = func(f found) {
				answered++
				given = append(given, f)
			}
			waits = append(waits, w)
			s.wait(w)
		}
		switch round {
		case 0: // a tuple that can be given to nobody stays
			s.write([]*entry{newTuple(t, `["x",1]`)}, 0)
			for len(given) > 0 {
				f := given[0]
				given = given[1:]
				s.giveBack(f)
			}
			if left := s.size(); left.tuples != 1 || left.waits != 0 {
				t.Errorf("left: %+v", s.size())
			}
			s.find(&query{pattern: fields(t, pattern), take: true, max: 1})
		case 1:
			rand.Shuffle(len(waits), func(i, j int) {
				waits[i], waits[j] = waits[j], waits[i]
			})
			for _, w := range waits {
				s.cancel(w)
				s.cancel(w) // twice does no harm
			}
		default: // their time is over
			now = now.Add(n * time.Second)
			s.advance(now)
		}
	}
	if answered != 3*n/4 {
		t.Errorf("%d answers", answered)
	}
	// Tuples: taken, run out, and on loan.
	for i := range n {
		ttl := time.Duration(i%2) * time.Minute
		s.write([]*entry{newTuple(t, fmt.Sprintf(`["t",%d,%d]`, i%2, i))}, ttl)
	}
	s.find(&query{pattern: fields(t, `["t",0,null]`), take: true, max: n,
		room: 1 << 30})
	lent := s.find(&query{pattern: fields(t, `["t",null,null]`), take: true,
		max: n / 4, room: 1 << 30, loan: "lent", loanFor: time.Hour})
	s.advance(now.Add(time.Minute))
	if left := s.size(); left.tuples != 0 || left.loans != 1 ||
		left.bytes != cost(lent.tuples) || len(lent.tuples) != n/4 {
		t.Errorf("left: %+v, and %d on loan", s.size(), len(lent.tuples))
	}
	if !s.release("lent") || s.release("lent") {
		t.Error("a loan does not end once")
	}
	isEmpty(t, s)
}

// Many that come back are at their old places, whatever is behind them.
func TestManyComeBack(t *testing.T) {
	s := newIndexed()
	s.advance(start)
	const n = 50_000
	for range 3 * n {
		s.write([]*entry{newTuple(t, `["m"]`)}, 0)
	}
	take := func(max int) found {
		return s.find(&query{pattern: fields(t, `["m"]`), take: true, max: max,
			room: 1 << 30})
	}
	s.giveBack(take(2 * n)) // more than half: the lists are swept
	again := take(3 * n)
	for i, tuple := range again.tuples {
		if tuple.age != uint64(i+1) {
			t.Fatalf("tuple %d is at place %d", tuple.age, i)
		}
	}
	// Some of them are still in the lists, and one has expired.
	s.giveBack(again)
	some := take(10)
	some.tuples[3].expires = s.now
	s.giveBack(some)
	if all := take(3 * n); len(all.tuples) != 3*n-1 || s.size() != (size{}) {
		t.Errorf("%d came back; left: %+v", len(all.tuples), s.size())
	}
	isEmpty(t, s)
}

// What is remembered of clients is bounded in number and in size.
func TestSessionsAreBounded(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	take := `{"op":"take","pattern":[1],"client":"t","seq":1}`
	r.ask(`{"op":"write","tuples":[[1],[1]]}`)
	r.ask(take)
	long := strings.Repeat("x", 1<<19)
	ask := func(op string) {
		for i := range 140 {
			r.ask(`{"op":"write","tuples":[["` + long + `"]]}`)
			r.ask(fmt.Sprintf(`{"op":"%s","pattern":[{"?":"string"}],`+
				`"client":"%s%d","seq":1}`, op, op, i))
		}
	}
	ask("read") // leaves room for what must not be done again
	r.ask(take)
	if got := r.ask(`{"op":"take","pattern":[1]}`); !strings.Contains(got,
		`"ok"`) {
		t.Errorf("a repeated take has taken two: %s", got)
	}
	ask("take")
	s.stop()
	all := &s.sessions
	if all.kept < maxKept/2 || all.kept > maxKept+maxReply {
		t.Errorf("%d bytes are kept", all.kept)
	}
	for i := range 2 * maxReplies {
		all.get(fmt.Sprint(i), time.Now())
	}
	if n := len(all.byClient); n > maxReplies+1 || n != all.recent.Len() ||
		all.kept != 0 {
		t.Errorf("%d sessions, %d bytes", n, all.kept)
	}
}

// Who waits for a long text keeps a few bytes at the server, not the text.
func TestWaitsAreSmall(t *testing.T) {
	waits := make(chan bool, 1)
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = onLine(" waits", waits)
	})
	long := strings.Repeat("x", maxRequest-200)
	before := heapBytes()
	const n = 100
	crowd(t, s, waits, n, func(i int) string {
		return fmt.Sprintf(`{"op":"take","pattern":["%d%s",null],`+
			`"wait_ms":10000,"client":"c%d","seq":1}`, i, long, i)
	})
	if each := (heapBytes() - before) / n; each > 10_000 {
		t.Errorf("a wait takes up %d bytes", each)
	}
	r := dial(t, zmq.DEALER, s.address)
	// The last, since a wait ends after 10 s, and this may take longer.
	r.ask(fmt.Sprintf(`{"op":"write","tuples":[["%d%s",1]]}`, n-1, long))
	if got := r.ask(`{"op":"take","pattern":[null,1]}`); got !=
		`{"status":"none"}` {
		t.Errorf("a wait is not served: %.100s", got)
	}
}
