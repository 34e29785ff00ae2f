package tuplespace

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	zmq "github.com/pebbe/zmq4"
)

// A raw peer speaks to the server by frames of its own making.
type raw struct {
	t testing.TB
	*zmq.Socket
}

func dial(t testing.TB, kind zmq.Type, address string,
	prepare ...func(*zmq.Socket) error) raw {
	t.Helper()
	socket, err := zmq.NewSocket(kind)
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	must(t, socket.SetLinger(0))
	must(t, socket.SetRcvtimeo(20*time.Second))
	for _, f := range prepare {
		must(t, f(socket))
	}
	must(t, socket.Connect(address))
	return raw{t, socket}
}

func listen(t testing.TB, kind zmq.Type, address string) raw {
	t.Helper()
	socket, err := zmq.NewSocket(kind)
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	must(t, socket.SetLinger(0))
	must(t, socket.SetRcvtimeo(20*time.Second))
	must(t, socket.Bind(address))
	return raw{t, socket}
}

func (r raw) send(frames ...any) {
	r.t.Helper()
	_, err := r.SendMessage(frames...)
	must(r.t, err)
}

// reply returns the last frame of the next message.
func (r raw) reply() string {
	r.t.Helper()
	frames, err := r.RecvMessage(0)
	must(r.t, err)
	return frames[len(frames)-1]
}

func (r raw) ask(request string) string {
	r.t.Helper()
	r.send("", request)
	return r.reply()
}

// onLine returns a Log that sends to a channel for each line with a text.
func onLine(text string, seen chan<- bool) func(string, ...any) {
	return func(format string, args ...any) {
		if strings.Contains(fmt.Sprintf(format, args...), text) {
			seen <- true
		}
	}
}

// The log has first what a client asked for, and then what that did to others.
// It names those that have given a name.
func TestLog(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		s.stop() // to set Log
		lines := make(chan string, 100)
		s = serve(t, newAddress(), func(s2 *Server) {
			s2.space = s.space
			s2.Log = func(format string, args ...any) {
				lines <- fmt.Sprintf(format, args...)
			}
		})
		expect := func(want ...string) {
			t.Helper()
			for _, want := range want {
				if got := <-lines; !regexp.MustCompile(
					"^" + want + "$").MatchString(got) {
					t.Errorf("the log has %q, not %q", got, want)
				}
			}
		}
		ctx := soon(t)
		space, other := connect(t, s.address), connect(t, s.address)
		space.Name, other.Name = "worker 4711", "sink A"
		got := make(chan error)
		await := func(pattern ...any) {
			t.Helper()
			go func() { got <- second(other.Take(ctx, pattern...)) }()
			expect(`sink A: take \[.*\] waits`)
		}
		borrow := func(d time.Duration) *Loan {
			t.Helper()
			loan, err := space.Borrow(ctx, d, "t", Any)
			must(t, err)
			expect(`worker 4711: take gets \["t",1\], on loan [a-z2-7]{4}`)
			return loan
		}

		must(t, space.Write(ctx, "t", 1))
		expect(`worker 4711: write \["t",1\]`)
		loan := borrow(time.Hour)
		await("t", Any)
		must(t, loan.Release(ctx))
		must(t, <-got)
		expect(`worker 4711: release loan [a-z2-7]{4}`,
			`sink A: take gets \["t",1\]`)

		must(t, space.Write(ctx, "t", 1))
		expect(`worker 4711: write .*`)
		loan = borrow(time.Hour)
		await("r", Any)
		must(t, loan.Commit(ctx, Tuple{"r", 2}))
		must(t, <-got)
		expect(`worker 4711: commit loan [a-z2-7]{4}, write \["r",2\]`,
			`sink A: take gets \["r",2\]`)

		await("t", Any)
		must(t, space.Write(ctx, "t", 1))
		must(t, <-got)
		expect(`worker 4711: write \["t",1\]`, `sink A: take gets \["t",1\]`)

		must(t, space.Write(ctx, "t", 1))
		expect(`worker 4711: write .*`)
		loan = borrow(100 * time.Millisecond)
		await("t", Any)
		must(t, <-got)
		expect(`worker 4711: loan [a-z2-7]{4} has run out: \["t",1\] comes back`,
			`sink A: take gets \["t",1\]`)
		if err := loan.Commit(ctx, Tuple{1}); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		expect(`worker 4711: commit loan [a-z2-7]{4} \(too late\): ` +
			`nothing is written`)
		if err := loan.Release(ctx); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		expect(`worker 4711: release loan [a-z2-7]{4} \(too late\)`)
	})
}

// Nothing that strangers send does anything to a terminal, or looks like
// another line: neither in the log, nor in a tuple that is printed.
func TestNoControlCharacters(t *testing.T) {
	var lines []string
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = func(format string, args ...any) {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	})
	r := dial(t, zmq.DEALER, s.address)
	asked := 0
	for _, bad := range []string{"\x1b[2J", "\n", "\r", "\x00", "\x7f", "\u0085",
		"\u009b31m", "\u202e", "\u2066", "\u200f", "\u2028", "\u061c",
		"\U000e0001", "\ufeff", "\u00ad"} {
		for _, text := range []string{encode(bad), `"` + bad + `"`} {
			for _, request := range []string{
				`{"op":"write","tuples":[["a",T]]}`,
				`{"op":"write","tuples":[[{T:[T]}]],"client":T,"seq":N}`,
				`{"op":"read","pattern":[T]}`,
				`{"op":"read","pattern":["a",null]}`,
				`{"op":"take","pattern":["a",null],"loan_ms":60000}`,
				`{"op":"commit","loan":T}`, `{"op":"release","loan":T}`,
				`{"op":T}`, `{T:1}`, `{"op":"read","pattern":[{"?":T}]}`,
				`{"op":"write","tuples":[[1T]]}`, `T`, `{"op":"read" T`,
				strings.Replace(`{"op":"read","pattern":[1],"client":T,"seq":N}`, `T`,
					text[:len(text)-1]+`/1"`, 1),
			} {
				asked++
				r.ask(strings.NewReplacer("T", text, "N", fmt.Sprint(asked)).
					Replace(request))
			}
		}
		shown := Tuple{bad, map[string]any{bad: []any{bad}}}.String()
		if !isPlain(shown) {
			t.Errorf("a tuple is shown as %q", shown)
		}
		if got := fromJSON(shown).([]any)[0]; got != bad {
			t.Errorf("%q is shown as %s", bad, shown)
		}
	}
	r.ask(`{"op":"read","pattern":[1],"client":"a: take gets/1"}`)
	s.stop()
	for _, line := range lines {
		if !isPlain(line) {
			t.Errorf("the log has %q", line)
		}
	}
	if last := lines[asked]; len(lines) != asked+1 ||
		last != "read [1] finds nothing" {
		t.Errorf("%d lines for %d requests, the last is %q", len(lines),
			asked+1, last)
	}
}

func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
			unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
	})
}

// What programs in other languages rely on, to the letter.
func TestOnTheWire(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		r := dial(t, zmq.DEALER, s.address)
		loan := ""
		for _, c := range [][2]string{
			{`{"op":"write","tuples":[["fac",5],["fac",1.50]]}`, `{"status":"ok"}`},
			{`{"op":"read","pattern":["fac",null]}`,
				`{"status":"ok","tuples":[["fac",5]]}`},
			{`{"op":"read","pattern":["fac",null],"max":9,"wait_ms":1000}`,
				`{"status":"ok","tuples":[["fac",5],["fac",1.50]]}`},
			{`{"op":"take","pattern":["fac",15e-1],"wait_ms":1000,"max":1}`,
				`{"status":"ok","tuples":[["fac",1.50]]}`},
			{`{"op":"take","pattern":["fac",{"?":"string"}]}`,
				`{"status":"none"}`},
			{`{"op":"take","pattern":["x"],"wait_ms":1}`,
				`{"status":"none","place":1}`},
			{`{"op":"take","pattern":["x"],"wait_ms":1,"place":1}`,
				`{"status":"none","place":1}`},
			{`{"op":"take","pattern":["x"],"wait_ms":1,"place":17}`,
				`{"status":"none","place":2}`},
			{`{"op":"take","pattern":["fac",{"?":"int64"}],"loan_ms":60000}`,
				`{"status":"ok","tuples":[["fac",5]],"loan":"LOAN"}`},
			{`{"op":"commit","loan":"LOAN","tuples":[["fac_res",120]]}`,
				`{"status":"ok"}`},
			{`{"op":"commit","loan":"LOAN"}`, `{"status":"expired"}`},
			{`{"op":"release","loan":"LOAN"}`, `{"status":"expired"}`},
			{`{"op":"take","pattern":[null,null],"loan_ms":60000}`,
				`{"status":"ok","tuples":[["fac_res",120]],"loan":"LOAN"}`},
			{`{"op":"release","loan":"LOAN"}`, `{"status":"ok"}`},
			{`{"op":"write","tuples":[["t"]],"ttl_ms":1,"wait_ms":0}`,
				`{"status":"ok"}`},
			{`{"op":"cancel","client":"c","seq":1}`, `{"status":"ok"}`},
		} {
			got := r.ask(strings.Replace(c[0], "LOAN", loan, 1))
			if _, after, ok := strings.Cut(got, `"loan":"`); ok {
				loan, _, _ = strings.Cut(after, `"`)
			}
			if want := strings.Replace(c[1], "LOAN", loan, 1); got != want {
				t.Errorf("%s is answered %s, not %s", c[0], got, want)
			}
		}
		// The envelope comes back as it was, whatever it holds.
		r.send("a", "b", "", `{"op":"read","pattern":[1]}`)
		frames, err := r.RecvMessage(0)
		must(t, err)
		if strings.Join(frames, "|") != `a|b||{"status":"none"}` {
			t.Errorf("the reply is %q", frames)
		}
	})
}

// Times may be long: the server must not wait for them in one go.
func TestLongTimes(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	for _, days := range []int64{10 * 365, 365, 30, 25} {
		ms := days * 24 * 3600 * 1000
		for _, text := range []string{
			`{"op":"write","tuples":[["long"]],"ttl_ms":MS}`,
			`{"op":"take","pattern":["long"],"loan_ms":MS}`,
			`{"op":"take","pattern":["none"],"wait_ms":MS}`,
		} {
			r.send("", strings.Replace(text, "MS", fmt.Sprint(ms), 1))
		}
		for range 2 {
			if got := r.reply(); !strings.Contains(got, `"ok"`) {
				t.Errorf("%d days are answered %s", days, got)
			}
		}
	}
}

// A request that comes again is answered again, not done again.
func TestRepeatedRequests(t *testing.T) {
	waits := make(chan bool, 10)
	onBothServers(t, func(t *testing.T, s *served) {
		one, two := dial(t, zmq.DEALER, s.address), dial(t, zmq.DEALER, s.address)
		same := func(want, text string) {
			t.Helper()
			for _, r := range []raw{one, one, two} {
				if got := r.ask(text); got != want {
					t.Errorf("%s is answered %s, not %s", text, got, want)
				}
			}
		}
		look := func(want string) {
			t.Helper()
			got := two.ask(`{"op":"read","pattern":[null],"max":99}`)
			if got != want {
				t.Errorf("there is %s, not %s", got, want)
			}
		}
		ok, none := `{"status":"ok"}`, `{"status":"none"}`
		tuple := func(n int) string {
			return fmt.Sprintf(`{"status":"ok","tuples":[[%d]]}`, n)
		}
		same(ok, `{"op":"write","tuples":[[1]],"client":"c","seq":1}`)
		look(tuple(1))
		same(tuple(1), `{"op":"take","pattern":[null],"client":"c","seq":2}`)
		look(none)
		if got := one.ask(`{"op":"write","tuples":[[2]],"client":"c","seq":1}`); !strings.Contains(got, "seq 1 comes after 2") {
			t.Errorf("a lower number is answered %s", got)
		}
		// Cancelled: the tuple is back, once, at its old place.
		same(ok, `{"op":"write","tuples":[[9]],"client":"d","seq":1}`)
		same(ok, `{"op":"cancel","client":"c","seq":2}`)
		look(`{"status":"ok","tuples":[[1],[9]]}`)
		// A request that comes after its cancellation is not done.
		same(ok, `{"op":"take","pattern":[null],"client":"c","seq":2}`)
		same(ok, `{"op":"cancel","client":"c","seq":5}`)
		same(ok, `{"op":"take","pattern":[null],"client":"c","seq":5}`)
		look(`{"status":"ok","tuples":[[1],[9]]}`)
		// One that has been used is not put back by a late cancel of it.
		same(tuple(1), `{"op":"take","pattern":[null],"client":"c","seq":6}`)
		same(none, `{"op":"read","pattern":["x"],"client":"c","seq":7}`)
		same(ok, `{"op":"cancel","client":"c","seq":6}`)
		same(ok, `{"op":"cancel","client":"c","seq":9}`)
		same(ok, `{"op":"cancel","client":"c","seq":9}`)
		look(tuple(9))
		// On loan: the cancel ends the loan.
		one.ask(`{"op":"take","pattern":[9],"loan_ms":60000,"client":"c",` +
			`"seq":10}`)
		same(ok, `{"op":"cancel","client":"c","seq":10}`)
		look(tuple(9))

		// While it waits: the answer goes to where it asked last, at its place.
		wait := `{"op":"take","pattern":["w"],"wait_ms":10000,"client":"c",` +
			`"seq":11}`
		one.send("1", "", wait)
		<-waits
		other := dial(t, zmq.DEALER, s.address)
		other.send("", `{"op":"take","pattern":["w"],"wait_ms":10000}`)
		<-waits
		two.send("2", "", wait)
		three := dial(t, zmq.DEALER, s.address)
		three.ask(`{"op":"write","tuples":[["w"]]}`)
		frames, err := two.RecvMessage(0)
		if err != nil || frames[0] != "2" {
			t.Errorf("the tuple goes to %q, %v", frames, err)
		}
		three.ask(`{"op":"write","tuples":[["w"]]}`)
		if got := other.reply(); got != `{"status":"ok","tuples":[["w"]]}` {
			t.Errorf("the second in line gets %s", got)
		}
		// Any request from a connection ends the wait before it.
		other.send("", `{"op":"take","pattern":["w"],"wait_ms":10000}`)
		other.ask(`{"op":"write","tuples":[["w"]]}`)
		if got := other.ask(`{"op":"take","pattern":["w"]}`); got !=
			`{"status":"ok","tuples":[["w"]]}` {
			t.Errorf("the wait that had ended was served: %s", got)
		}
	}, func(s *Server) { s.Log = onLine(" waits", waits) })
}

// A string is the same however it is written: programs in other languages
// escape other characters than Go does.
func TestSpellings(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	for _, same := range [][]string{
		{`"<&>"`, `"\u003c\u0026\u003e"`, `"\u003C&>"`},
		{"\"\u2028\u2029\"", `"\u2028\u2029"`}, {`"A/"`, `"\u0041\/"`},
		{`"ü世"`, `"\u00fc\u4e16"`}, {`"\ud83d\ude00"`, `"😀"`},
		{`["<"]`, `["\u003c"]`}, {`{"<":"\u0026"}`, `{ "\u003c" : "&" }`},
	} {
		for _, one := range same {
			for _, other := range same {
				r.ask(`{"op":"write","tuples":[[` + one + `]]}`)
				got := r.ask(`{"op":"take","pattern":[` + other + `]}`)
				if !strings.Contains(got, `"ok"`) {
					t.Errorf("%s is not %s: %s", one, other, got)
				}
			}
		}
	}
}

// malformed has what a server must survive, and a part of what it says.
var malformed = [][2]string{
	// What stops the original: Python's pickle, commands unknown or cut off.
	{"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05hello\x94.", "UTF-8"},
	{"(lp0\nVWRITE\np1\na.", "JSON"},
	{"", "JSON"}, {" ", "JSON"}, {"{", "JSON"}, {`{"op":"wri`, "JSON"},
	{`{"op":"write","tuples":[["a",1]`, "JSON"},
	{`{"op":"EVAL"}`, `no op "EVAL"`}, {`{}`, "no op"}, {"null", "no op"},
	{`{"op":"take"}`, "pattern is empty"},
	{`{"op":"take","pattern":5}`, "number does not belong here: pattern"},
	{`{"op":"read","pattern":"x"}`, "string does not belong here: pattern"},
	// Others.
	{"5", "number does not belong here"}, {"[]", "array does not belong"},
	{`"x"`, "string does not belong"}, {"{}{}", "something follows"}, {"\xff", "UTF-8"},
	{`{"op":"read","pattern":[1]} x`, "something follows"},
	{`{"op":"read","pattern":[1]}]`, "something follows"},
	{`{"op":"read","patern":[1]}`, `unknown field "patern"`},
	{`{"op":5}`, "does not belong here: op"},
	{`{"op":"write"}`, "no tuples"}, {`{"op":"write","tuples":[]}`, "no tuples"},
	{`{"op":"write","tuples":[[]]}`, "tuple 0: the tuple is empty"},
	{`{"op":"write","tuples":[[1],5]}`, "does not belong here: tuples"},
	{`{"op":"write","tuples":["fac",5]}`, "does not belong here: tuples"},
	{`{"op":"write","tuples":[[1,null]]}`, "patterns only"},
	{`{"op":"write","tuples":[[{"?":"int"}]]}`, "patterns only"},
	{`{"op":"write","tuples":[[{"?":null}]]}`, "patterns only"},
	{`{"op":"write","tuples":[[{"\u003f":"int"}]]}`, "patterns only"},
	{`{"op":"write","tuples":[[{"?":1e400}]]}`, "patterns only"},
	{`{"op":"read","pattern":[{"?":""}]}`, "no type"},
	{`{"op":"read","pattern":[{"?":1e400}]}`, `no type "1e400"`},
	{`{"op":"read","pattern":[]}`, "pattern is empty"},
	{`{"op":"read","pattern":[{"?":"integer"}]}`, `no type "integer"`},
	{`{"op":"read","pattern":[{"?":5}]}`, `no type "5"`},
	{`{"op":"read","pattern":[1],"wait_ms":-1}`, "0 or more"},
	{`{"op":"read","pattern":[1],"wait_ms":1.5}`, "does not belong"},
	{`{"op":"read","pattern":[1],"wait_ms":1e99}`, "does not belong"},
	{`{"op":"read","pattern":[1],"wait_ms":"1"}`, "does not belong"},
	{`{"op":"read","pattern":[1],"max":-1}`, "0 or more"},
	{`{"op":"read","pattern":[1],"place":-1}`, "does not belong here: place"},
	{`{"op":"read","pattern":[1],"loan_ms":5}`, "only a take"},
	{`{"op":"take","pattern":[1],"loan_ms":9223372036854775807}`, "loan_ms"},
	{`{"op":"write","tuples":[[1]],"ttl_ms":-5}`, "ttl_ms"},
	{`{"op":"release","loan":"x\nserver 1: forged"}`, "no control"},
	{`{"op":"commit","loan":"` + strings.Repeat("x", 101) + `"}`, "100 bytes"},
	{`{"op":"commit"}`, "loan's name"}, {`{"op":"release"}`, "loan's name"},
	{`{"op":"commit","loan":"x","tuples":[[]]}`, "empty"},
	{`{"op":"cancel"}`, "client's name"},
	{`{"op":"cancel","client":"x","seq":-1}`, "0 or more"},
	{`{"op":"cancel","client":"` + strings.Repeat("x", 101) + `"}`, "100 bytes"},
	// Too much.
	{`{"wait_ms":` + strings.Repeat("1", 1<<19) + `}`, "does not belong"},
	{`{"` + strings.Repeat("x", 1<<19) + `":1}`, "unknown field"},
	{`{"op":"write","tuples":[["` + strings.Repeat("x", 1<<20) + `"]]}`,
		"1048576 bytes"},
	{`{"op":"write","tuples":[[1` + strings.Repeat(",1", 1000) + `]]}`,
		"1001 fields; at most 1000"},
	{`{"op":"read","pattern":[1` + strings.Repeat(",null", 1000) + `]}`,
		"1001 fields; at most 1000"},
	{`{"op":"write","tuples":[[` + strings.Repeat("[", 33) +
		strings.Repeat("]", 33) + `]]}`, "nested more than 32"},
	{`{"op":"write","tuples":[[` + strings.Repeat(`{"a":`, 33) + "1" +
		strings.Repeat("}", 33) + `]]}`, "nested more than 32"},
	{`{"op":"write","tuples":[[` + strings.Repeat("[", 400_000) +
		strings.Repeat("]", 400_000) + `]]}`, "depth"},
	{`{"op":"write","tuples":[[` + strings.Repeat("1", 1_000_001) + `]]}`,
		"too long: at most 1000000 digits"},
	{`{"op":"write","tuples":[[[1e1001]]]}`, "too long"},
	{`{"op":"write","tuples":[[1e-1001]]}`, "too long"},
	{`{"op":"read","pattern":[1e99999999999999999999]}`, "too long"},
}

func TestMalformedMessages(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	bystander := dial(t, zmq.DEALER, s.address)
	bystander.send("", `{"op":"take","pattern":["canary"],"wait_ms":10000}`)
	for _, c := range malformed {
		var got reply
		text := r.ask(c[0])
		must(t, json.Unmarshal([]byte(text), &got))
		if got.Status != "error" || !strings.Contains(got.Error, c[1]) ||
			len(got.Error) > 300 {
			t.Errorf("%.60q is answered %s; it should say %q", c[0], text, c[1])
		}
	}
	// Frames that are missing, or too many.
	for _, frames := range [][]any{{""}, {"", ""}, {"x"}, {"x", "y"},
		{`{"op":"read","pattern":[1]}`}, {"", `{"op":"read"}`, "z"},
		{"", "", ""}, {"x", "", "y", "z"}} {
		r.send(frames...)
		if got := r.reply(); !strings.Contains(got, `"status":"error"`) {
			t.Errorf("the frames %q are answered %s", frames, got)
		}
	}
	// At the bounds, but not beyond.
	for _, field := range []string{strings.Repeat("[", 32) +
		strings.Repeat("]", 32), strings.Repeat("1", 1_000_000), "1e1000", "1e-1000",
		`"` + strings.Repeat("x", 1<<20-50) + `"`,
		"1" + strings.Repeat(",1", 999)} {
		text := `{"op":"write","tuples":[[` + field + `]]}`
		if got := r.ask(text); got != `{"status":"ok"}` {
			t.Errorf("%.60s is answered %s", text, got)
		}
	}
	r.ask(`{"op":"write","tuples":[["canary"]]}`)
	if got := bystander.reply(); !strings.Contains(got, "canary") {
		t.Errorf("another client, meanwhile, gets %s", got)
	}
}

// What is far too large is cut off by ZeroMQ; the others do not notice.
func TestFarTooLarge(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	r.send("", strings.Repeat("x", 16<<20+1))
	other := dial(t, zmq.REQ, s.address)
	_, err := other.Send(`{"op":"read","pattern":[1]}`, 0)
	must(t, err)
	if got := other.reply(); got != `{"status":"none"}` {
		t.Errorf("another client gets %s", got)
	}
}

func TestTooManyWaitsAndLoans(t *testing.T) {
	s := serve(t, newAddress(), func(s *Server) {
		s.space.advance(time.Now())
		until := time.Now().Add(time.Hour)
		for range maxWaiting {
			s.space.wait(&wait{query: &query{pattern: fields(t, `["w"]`)},
				until: until})
		}
		for i := range maxLoans {
			s.space.write([]*entry{newTuple(t, fmt.Sprint(`["l",`, i, `]`))}, 0)
			s.space.find(&query{pattern: fields(t, `["l",null]`), take: true,
				max: 1, loan: fmt.Sprint(i), loanFor: time.Hour})
		}
	})
	r := dial(t, zmq.DEALER, s.address)
	r.ask(`{"op":"write","tuples":[["free"]]}`)
	for _, c := range [][2]string{
		{`{"op":"take","pattern":["x"],"wait_ms":1000}`, "too many wait"},
		{`{"op":"take","pattern":["free"],"loan_ms":1000}`, "too many loans"},
		{`{"op":"take","pattern":["x"]}`, "none"},
		{`{"op":"take","pattern":["free"]}`, "ok"},
	} {
		if got := r.ask(c[0]); !strings.Contains(got, c[1]) {
			t.Errorf("%s is answered %s", c[0], got)
		}
	}
}

// Clients that come, wait and vanish without a word leave nothing behind, and
// swallow nothing.
func TestVanishedClients(t *testing.T) {
	waits := make(chan bool, 1000)
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = onLine(" waits", waits)
	})
	const rounds, each = 20, 250
	for round := range rounds {
		own, err := zmq.NewContext()
		must(t, err)
		var sockets []*zmq.Socket
		for i := range each {
			socket, err := own.NewSocket(zmq.REQ)
			must(t, err)
			sockets = append(sockets, socket)
			must(t, socket.SetLinger(0))
			must(t, socket.Connect(s.address))
			pattern := []string{`["v"]`, `["v",null]`}[i%2]
			_, err = socket.Send(fmt.Sprintf(`{"op":"take","pattern":%s,`+
				`"wait_ms":10000,"client":"c%d-%d","seq":1}`, pattern, round,
				i), 0)
			must(t, err)
		}
		for range each {
			<-waits
		}
		for _, socket := range sockets {
			must(t, socket.Close())
		}
		must(t, own.Term())
	}
	r := dial(t, zmq.DEALER, s.address)
	r.ask(`{"op":"write","tuples":[["v"],["v",1]]}`)
	for _, pattern := range []string{`["v"]`, `["v",1]`} {
		got := r.ask(`{"op":"take","pattern":` + pattern + `}`)
		if got != `{"status":"ok","tuples":[`+pattern+`]}` {
			t.Errorf("a tuple was swallowed: %s", got)
		}
	}
	s.stop()
	isEmpty(t, s.space.(*indexed))
	if len(s.waiting) > 0 {
		t.Errorf("%d connections are still waiting", len(s.waiting))
	}
	// What is remembered of them goes after some minutes.
	all := &s.sessions
	if len(all.byClient) != rounds*each {
		t.Errorf("%d sessions", len(all.byClient))
	}
	all.get("new", time.Now().Add(keepReplies))
	if len(all.byClient) != 1 || all.recent.Len() != 1 || all.kept != 0 {
		t.Errorf("%d sessions of %d bytes are still kept", len(all.byClient),
			all.kept)
	}
}

// A client that takes no replies stops nobody, and what could not be sent to
// it is not lost. It is told no more for a while, and then again.
func TestUnreadReplies(t *testing.T) {
	gone := make(chan bool, 1000)
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = onLine("its client is gone", gone)
	})
	writer := dial(t, zmq.DEALER, s.address)
	const tuples = 250
	long := strings.Repeat("x", 40_000)
	for i := range tuples {
		writer.ask(fmt.Sprintf(`{"op":"write","tuples":[["u",%d,"%s"]]}`, i,
			long))
	}
	r := dial(t, zmq.DEALER, s.address, func(socket *zmq.Socket) error {
		return socket.SetRcvhwm(1)
	})
	for range tuples {
		r.send("", `{"op":"take","pattern":["u",null,null]}`)
	}
	<-gone
	left := 0
	for strings.Contains(writer.ask(`{"op":"take","pattern":["u",null,null]}`),
		`"ok"`) {
		left++
	}
	for taken := 0; taken+left < tuples; {
		if got := r.reply(); strings.Contains(got, "xxx") {
			taken++
		} else if got != `{"status":"none"}` {
			t.Fatalf("%d given, %d left, then %.80s", taken, left, got)
		}
	}
	if left == 0 || left == tuples {
		t.Errorf("%d of %d were left", left, tuples)
	}
	if tries := len(gone); tries > tuples/5 { // once in a while
		t.Errorf("%d more replies could not be sent", tries)
	}
	must(t, r.SetRcvtimeo(50*time.Millisecond))
	for { // until it is heard again
		r.send("", `{"op":"read","pattern":["x"]}`)
		if _, err := r.RecvMessage(0); err == nil {
			break
		}
	}
}

// A client that takes no replies can still give back what it was given.
func TestCancelOfAnUnreadReply(t *testing.T) {
	gone := make(chan bool, 1000)
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = onLine("its client is gone", gone)
	})
	other := dial(t, zmq.DEALER, s.address)
	other.ask(`{"op":"write","tuples":[["given"],["large","` +
		strings.Repeat("x", 1<<19) + `"]]}`)
	r := dial(t, zmq.DEALER, s.address, func(socket *zmq.Socket) error {
		return socket.SetRcvhwm(1)
	})
	r.ask(`{"op":"take","pattern":["given"],"client":"c","seq":1}`)
	for range 100 {
		r.send("", `{"op":"read","pattern":["large",null]}`)
	}
	<-gone
	r.send("", `{"op":"cancel","client":"c","seq":1}`)
	got := other.ask(`{"op":"take","pattern":["given"],"wait_ms":10000}`)
	if got != `{"status":"ok","tuples":[["given"]]}` {
		t.Errorf("it does not come back: %s", got)
	}
}

// Every request has its reply, however fast they come: ZeroMQ can say that
// there is no room when there is, until it has looked again. Here there is
// room for two replies.
func TestNoReplyIsLost(t *testing.T) {
	address := newAddress()
	serve(t, newAddress(), func(s *Server) {
		must(t, s.socket.SetSndhwm(2))
		must(t, s.socket.Bind(address)) // beside the other one
	})
	r := dial(t, zmq.DEALER, address)
	for range 5000 {
		if got := r.ask(`{"op":"read","pattern":[1]}`); got !=
			`{"status":"none"}` {
			t.Fatal(got)
		}
	}
}

// FuzzServer sends the server what it likes, in up to three frames.
//
//	go test -fuzz FuzzServer ./tuple_spaces/tuplespace
func FuzzServer(f *testing.F) {
	for _, c := range malformed {
		if len(c[0]) < 1000 {
			f.Add([]byte(""), []byte(c[0]), []byte(""), false)
		}
	}
	for _, text := range []string{
		`{"op":"write","tuples":[["fac",5,[true,null,{"k":1.5e3}]]]}`,
		`{"op":"take","pattern":["fac",{"?":"int"},null],"loan_ms":5}`,
		`{"op":"read","pattern":[null],"max":5,"client":"c","seq":1}`,
		`{"op":"commit","loan":"x","tuples":[[1]]}`,
		`{"op":"cancel","client":"c","seq":2}`,
	} {
		f.Add([]byte(""), []byte(text), []byte("z"), true)
	}
	s := serve(f, newAddress())
	sender, other := dial(f, zmq.DEALER, s.address), dial(f, zmq.DEALER,
		s.address)
	n := 0
	f.Fuzz(func(t *testing.T, first, second, third []byte, three bool) {
		r, canary := raw{t, sender.Socket}, raw{t, other.Socket}
		frames := []any{first, second}
		if three {
			frames = append(frames, third)
		}
		r.send(frames...)
		n++
		end := fmt.Sprint("end ", n) // ends a wait, if that was one
		r.send("", fmt.Sprintf(`{"op":%q}`, end))
		for got := ""; !strings.Contains(got, end); {
			got = r.reply()
			var some reply
			must(t, json.Unmarshal([]byte(got), &some))
			if (some.Status == "error") != (some.Error != "") {
				t.Errorf("%q is answered %s", frames, got)
			}
		}
		got := canary.ask(`{"op":"write","tuples":[["c",1,2,3,4,5,6,7]]}`)
		again := canary.ask(`{"op":"take","pattern":["c",1,2,3,4,5,6,7]}`)
		if got != `{"status":"ok"}` ||
			again != `{"status":"ok","tuples":[["c",1,2,3,4,5,6,7]]}` {
			t.Errorf("the space is not what it was: %s %s", got, again)
		}
	})
}
