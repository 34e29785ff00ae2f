package tuplespace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// What a server keeps for others is bounded. Each bound has an error, if the
// sender can be told.

// An envelope comes back as it was, unless it is too large to be kept.
func TestLargeEnvelopes(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	const request = `{"op":"read","pattern":[1]}`
	for _, c := range []struct {
		frames []string
		large  bool
	}{
		{[]string{strings.Repeat("x", maxEnvelope)}, false},
		{[]string{strings.Repeat("x", maxEnvelope+1)}, true},
		{[]string{strings.Repeat("x", maxEnvelope/2),
			strings.Repeat("x", maxEnvelope/2+1)}, true},
		{strings.Split("abcdefg", ""), false},
		{strings.Split("abcdefgh", ""), true},
		{strings.Split(strings.Repeat("a", 1000), ""), true},
		{[]string{strings.Repeat("x", 15<<20)}, true},
	} {
		r.send(c.frames, "", request)
		got, err := r.RecvMessage(0)
		must(t, err)
		want := append(c.frames, "", `{"status":"none"}`)
		if c.large {
			want = []string{"", `{"status":"error","error":"an envelope has ` +
				`8 frames and 1024 bytes at most"}`}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%d frames, the first %.20q, are answered %.200q",
				len(c.frames), c.frames[0], got)
		}
	}
	// As many frames, without an empty one.
	r.send(strings.Split(strings.Repeat("a", 1000), ""))
	if got := r.reply(); !strings.Contains(got, "an envelope has") {
		t.Errorf("1000 frames are answered %s", got)
	}
}

// crowd has many clients ask the same, on a connection each, and returns when
// the server has heard all of them. They read no replies.
func crowd(t *testing.T, s *served, heard <-chan bool, n int,
	request func(i int) string) []*zmq.Socket {
	t.Helper()
	own, err := zmq.NewContext()
	must(t, err)
	must(t, own.SetMaxSockets(5000))
	all := make([]*zmq.Socket, n)
	t.Cleanup(func() {
		for _, socket := range all {
			must(t, socket.Close())
		}
		must(t, own.Term())
	})
	for i := range all {
		all[i], err = own.NewSocket(zmq.REQ)
		must(t, err)
		must(t, all[i].SetLinger(0))
		must(t, all[i].Connect(s.address))
		_, err = all[i].Send(request(i), 0)
		must(t, err)
		<-heard // one after the other: else the requests take up memory
	}
	return all
}

func heapBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Patterns are bounded in number and in all that they hold.
func TestTooManyFieldsWait(t *testing.T) {
	s := serve(t, newAddress(), func(s *Server) {
		s.space.advance(time.Now())
		for range maxWaitFields / maxFields {
			s.space.wait(&wait{query: &query{pattern: make([]field, maxFields)},
				until: time.Now().Add(time.Hour)})
		}
	})
	r := dial(t, zmq.DEALER, s.address)
	got := r.ask(`{"op":"take","pattern":[1],"wait_ms":1000}`)
	if !strings.Contains(got, "too many wait") {
		t.Errorf("one more is answered %s", got)
	}
}

// A full space refuses what is written. All else goes on, and those who work
// on what is in it can commit.
func TestSpaceIsFull(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		s.stop()
		const limit = 100_000
		s = serve(t, newAddress(), func(fresh *Server) {
			fresh.space, fresh.MaxBytes = s.space, limit
		})
		r := dial(t, zmq.DEALER, s.address)
		write := `{"op":"write","tuples":[["x","` + strings.Repeat("x", 1000) +
			`"]]}`
		n := 0
		got := r.ask(write)
		for ; got == okText; n++ {
			got = r.ask(write)
		}
		if !strings.Contains(got, "the space is full: its tuples may take up 0"+
			" MiB") || n < 50 || n > 100 {
			t.Errorf("after %d tuples of 1 kB: %s", n, got)
		}
		ask := func(want, request string) string {
			t.Helper()
			got := r.ask(request)
			if !strings.Contains(got, want) {
				t.Errorf("%s is answered %.100s", request, got)
			}
			return got
		}
		ask("full", `{"op":"write","tuples":[["y","`+strings.Repeat("y", 1000)+
			`"]],"ttl_ms":1}`)
		ask(`"ok"`, `{"op":"read","pattern":["x",null]}`)
		// On loan it is not gone: nothing else fits in its place.
		borrowed := ask(`"loan"`,
			`{"op":"take","pattern":["x",null],"loan_ms":60000}`)
		ask("full", write)
		_, loan, _ := strings.Cut(borrowed, `"loan":"`)
		loan, _, _ = strings.Cut(loan, `"`)
		ask(`"ok"`, `{"op":"commit","loan":"`+loan+`","tuples":[["y","`+
			strings.Repeat("y", 2000)+`"]]}`)
		ask("full", write)
		ask(`"ok"`, `{"op":"take","pattern":["y",null]}`)
		ask(`"ok"`, write)
		ask("full", write)
		ask(`"ok"`, `{"op":"take","pattern":["x",null],"max":1000}`)
		for range n {
			ask(`"ok"`, write)
		}
		ask("full", write)
	})
}

// A request holds so many values, and no more, so that it does not keep
// others waiting. Commas in a text are none.
func TestTooManyValues(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	for _, c := range [][2]string{
		{`[1` + strings.Repeat(`],[1`, maxValues) + `]`, "20000 values"},
		{`[1` + strings.Repeat(`],[1`, maxValues/2) + `]`, `"ok"`},
		{`[[` + strings.Repeat(`1,`, maxValues) + `1]]`, "20000 values"},
		{`["` + strings.Repeat(`,`, 10*maxValues) + `"]`, `"ok"`},
		{`["\"` + strings.Repeat(`\\,`, 10*maxValues) + `"]`, `"ok"`},
	} {
		got := r.ask(`{"op":"write","tuples":[` + c[0] + `]}`)
		if !strings.Contains(got, c[1]) {
			t.Errorf("%.40s... is answered %.100s", c[0], got)
		}
	}
}

// Many tuples are taken in several replies: our client does not notice.
func TestTakeAllInParts(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		const n = 2*maxTaken + 1
		r := dial(t, zmq.DEALER, s.address)
		for range 3 {
			r.ask(`{"op":"write","tuples":[[1` +
				strings.Repeat(`],[1`, n/3-1) + `]]}`)
		}
		got := r.ask(fmt.Sprintf(`{"op":"take","pattern":[1],"max":%d,`+
			`"client":"c","seq":1}`, n))
		var first reply
		must(t, json.Unmarshal([]byte(got), &first))
		if len(first.Tuples) != maxTaken || !first.More {
			t.Errorf("the first reply has %d tuples, more: %v",
				len(first.Tuples), first.More)
		}
		r.ask(`{"op":"cancel","client":"c","seq":1}`)
		all, err := connect(t, s.address).TakeAll(soon(t), 1)
		if must(t, err); len(all) != n {
			t.Errorf("%d of %d were taken", len(all), n)
		}
	})
}

// A large tuple that many wait for is not sent to all of them at once, if they
// do not take it: all would need a copy. The others get it when they ask.
func TestUnreadRepliesAreBounded(t *testing.T) {
	const readers, length = 100, 1000 << 10
	most := maxUnreadBytes / length
	waits, done := make(chan bool, 1), make(chan bool, 1000)
	given, gone := 0, 0
	s := serve(t, newAddress(), func(s *Server) {
		waiting := onLine(" waits", waits)
		s.Log = func(format string, args ...any) {
			waiting(format, args...)
			switch line := fmt.Sprintf(format, args...); {
			case strings.Contains(line, "read gets"):
				given++
			case strings.Contains(line, "is gone"):
				gone++
			case strings.Contains(line, `"done"`):
				done <- true
			}
		}
	})
	read := `{"op":"read","pattern":["large",null],"wait_ms":10000}`
	all := crowd(t, s, waits, readers, func(int) string { return read })
	r := dial(t, zmq.DEALER, s.address)
	r.ask(`{"op":"write","tuples":[["large","` + strings.Repeat("x", length) +
		`"]]}`)
	r.ask(`{"op":"write","tuples":[["done"]]}`)
	<-done
	if given != most || given+gone != readers {
		t.Errorf("given to %d of %d, %d are gone", given, readers, gone)
	}
	// Who takes it, and asks for something else, makes room for another.
	var refused *zmq.Socket
	for _, socket := range all {
		must(t, socket.SetRcvtimeo(20*time.Second))
		if refused == nil {
			_, err := socket.RecvBytes(0)
			must(t, err)
			_, err = socket.Send(`{"op":"read","pattern":["done"]}`, 0)
			must(t, err)
			_, err = socket.RecvBytes(0)
			must(t, err)
			refused = socket
		}
	}
	if got := r.ask(read); len(got) < length {
		t.Errorf("another is answered %.100s", got)
	}
}

// What is remembered of unread replies is bounded, too, and is forgotten.
func TestUnreadIsForgotten(t *testing.T) {
	u, now := newUnread(), time.Unix(1e9, 0)
	for i := range maxUnreadBytes / largeReply {
		if !u.add(fmt.Sprint(i), largeReply, now) {
			t.Fatalf("no room after %d", i)
		}
	}
	if u.add("x", largeReply, now.Add(unreadFor)) {
		t.Error("there is room for one more")
	}
	if !u.add("x", largeReply-1, now) {
		t.Error("there is no room for a small one")
	}
	u.asked("0", now)
	if !u.add("x", largeReply, now) || u.add("x", largeReply, now) {
		t.Error("there is not just room for who has asked again")
	}
	if !u.add("y", largeReply, now.Add(unreadFor+1)) ||
		u.bytes != largeReply || len(u.byConnection) != 1 {
		t.Errorf("%d bytes of %d connections are kept", u.bytes,
			len(u.byConnection))
	}
	for i := range 3 * maxPaused {
		u.stuck(fmt.Sprint(i), now)
	}
	if len(u.paused) > maxPaused {
		t.Errorf("%d connections are paused", len(u.paused))
	}
	u.stuck("z", now)
	if u.asked("z", now) || !u.asked("z", now.Add(pause)) {
		t.Error("a pause does not end")
	}
}

// Nobody can guess the name of another's loan.
func TestLoanNames(t *testing.T) {
	s := serve(t, newAddress())
	r := dial(t, zmq.DEALER, s.address)
	seen := map[string]bool{}
	name := regexp.MustCompile(`"loan":"([a-z2-7]{16})"`)
	const n = 100
	for range n {
		r.ask(`{"op":"write","tuples":[["t"]]}`)
		got := r.ask(`{"op":"take","pattern":["t"],"loan_ms":60000}`)
		match := name.FindStringSubmatch(got)
		if match == nil {
			t.Fatalf("a loan: %s", got)
		}
		seen[match[1][:4]], seen[match[1][12:]] = true, true
	}
	if len(seen) < 2*n-5 { // of a million
		t.Errorf("only %d different beginnings and ends", len(seen))
	}
}

// Takers that are frozen, so that nobody sees that they do not listen, are
// gone after some seconds: then they get nothing any more.
func TestFrozenTakers(t *testing.T) {
	waits, lines := make(chan bool, 100), make(chan string, 100)
	var monitor *zmq.Socket
	s := serve(t, newAddress(), func(s *Server) {
		must(t, s.socket.Monitor("inproc://monitor", zmq.EVENT_DISCONNECTED))
		var err error
		monitor, err = s.zmq.NewSocket(zmq.PAIR)
		must(t, err)
		must(t, monitor.SetLinger(0))
		must(t, monitor.SetRcvtimeo(20*time.Second))
		must(t, monitor.Connect("inproc://monitor"))
		waiting := onLine(" waits", waits)
		s.Log = func(format string, args ...any) {
			waiting(format, args...)
			if line := fmt.Sprintf(format, args...); strings.HasPrefix(line, "take") {
				lines <- line
			}
		}
	})
	t.Cleanup(func() { monitor.Close() }) // before the server's context ends
	const takers = 20
	p := begin(t, "takers", s.address, fmt.Sprint(takers))
	for range takers {
		<-waits
		<-lines
	}
	must(t, p.cmd.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { p.cmd.Process.Kill() })
	frozen := time.Now()
	for range takers {
		_, _, _, err := monitor.RecvEvent(0)
		must(t, err)
	}
	t.Logf("gone after %v", time.Since(frozen))
	r := dial(t, zmq.DEALER, s.address)
	for i := range takers {
		r.ask(fmt.Sprintf(`{"op":"write","tuples":[["frozen",%d]]}`, i))
		if got := <-lines; !strings.HasSuffix(got, "its client is gone") {
			t.Errorf("a frozen taker: %s", got)
		}
	}
	got := r.ask(`{"op":"take","pattern":["frozen",null],"max":100}`)
	if n := strings.Count(got, "frozen"); n != takers {
		t.Errorf("%d of %d tuples are left", n, takers)
	}
}

// Of a message of very many frames only the first ones are kept.
func TestManyFrames(t *testing.T) {
	address := newAddress()
	s, err := Listen(address) // and do not let it serve
	must(t, err)
	dial(t, zmq.DEALER, address).send(strings.Split(strings.Repeat("x", 1000),
		""), "", `{"op":"read","pattern":[1]}`)
	frames, err := s.receive(0)
	if must(t, err); len(frames) > maxFrames+3 {
		t.Errorf("%d frames are kept", len(frames))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Serve(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
