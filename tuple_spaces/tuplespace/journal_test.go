package tuplespace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// unserved is a server without a socket, which has read a journal.
func unserved(path string) (s *Server, skipped int64, err error) {
	s = &Server{MaxBytes: maxBytes, space: newIndexed(),
		waiting: map[string]*caller{}, sessions: newSessions(),
		unread: newUnread()}
	skipped, err = s.UseJournal(path)
	return s, skipped, err
}

// quickDir returns a folder for many small files. In memory, if there is such a
// folder: the disk would take long for thousands of them.
func quickDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "distsys-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// state is all that a journal keeps: the tuples with their places and times,
// and each client's last request.
func (s *Server) state() string {
	var text strings.Builder
	for _, t := range s.space.all() {
		fmt.Fprintf(&text, "%s\n", t.append(nil))
	}
	for client, e := range s.sessions.byClient {
		last := e.Value.(*session)
		if last.changes() != nil {
			fmt.Fprintln(&text, client, last.seq, last.answer)
		}
	}
	lines := strings.Split(text.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// recovered returns the state that a journal leads to.
func recovered(t *testing.T, path string) (state string, skipped int64) {
	t.Helper()
	s, skipped, err := unserved(path)
	must(t, err)
	must(t, s.journal.close())
	return s.state(), skipped
}

// serveJournal serves a space that has a journal.
func serveJournal(t testing.TB, path string) *served {
	return serve(t, newAddress(), func(s *Server) {
		must(t, second(s.UseJournal(path)))
	})
}

// smallJournal has a bit of everything.
func smallJournal(t *testing.T) (path string, text []byte) {
	path = filepath.Join(quickDir(t), "journal")
	s := serveJournal(t, path)
	raw := dial(t, zmq.DEALER, s.address)
	for i, request := range []string{
		`{"op":"write","tuples":[["fac",5],["fac","ü\n\"",[1,null]]]`,
		`{"op":"take","pattern":["fac",5]`,
		`{"op":"cancel"`, // it gives that back
		`{"op":"write","tuples":[["short"]],"ttl_ms":3600000`,
		`{"op":"take","pattern":["fac",null],"loan_ms":3600000`,
		`{"op":"take","pattern":["fac",null,null],"max":9`,
	} {
		if strings.Contains(request, "cancel") {
			i-- // of the request before
		}
		reply := raw.ask(fmt.Sprintf(`%s,"client":"a/\"x","seq":%d}`, request, i))
		if !strings.Contains(reply, `"ok"`) {
			t.Fatal(reply)
		}
		if _, loan, ok := strings.Cut(reply, `"loan":"`); ok {
			loan, _, _ = strings.Cut(loan, `"`)
			other := dial(t, zmq.DEALER, s.address)
			got := other.ask(`{"op":"commit","loan":"` + loan +
				`","tuples":[["fac_res",120]],"client":"b/y","seq":7}`)
			if got != okText {
				t.Fatal(got)
			}
		}
	}
	s.stop()
	text, err := os.ReadFile(path)
	must(t, err)
	return path, text
}

// A journal that was cut off at whatever byte leads to what its whole records
// say, and is a whole journal again.
func TestJournalCutOffAnywhere(t *testing.T) {
	path, text := smallJournal(t)
	state, whole := "", 0 // of the records that are whole
	changed := 0
	for n := range len(text) + 1 {
		must(t, os.WriteFile(path, text[:n], 0o600))
		got, skipped := recovered(t, path)
		if n > 0 && text[n-1] == '\n' { // one more is whole
			if got != state {
				changed++
			}
			state, whole = got, n
		}
		first := bytes.IndexByte(text, '\n') + 1
		if got != state || n > first && int(skipped) != n-whole {
			t.Fatalf("cut off after %d bytes, %d of them are skipped:\n%s\n"+
				"not %d:\n%s", n, skipped, got, n-whole, state)
		}
		if again, skipped := recovered(t, path); again != got || skipped != 0 {
			t.Fatalf("cut off after %d bytes, and read again:\n%s\nnot:\n%s",
				n, again, got)
		}
	}
	// What is to be there in the end, and whether each request has counted.
	for _, want := range []string{`,"short"]`, `,0,"fac_res",120]`,
		"b/y 7 " + okText, `a/"x 5 {"status":"ok","tuples":[["fac","ü\n\"",` +
			`[1,null]]]}`} {
		if !strings.Contains(state, want) {
			t.Errorf("there is no %s in:\n%s", want, state)
		}
	}
	if strings.Contains(state, `"fac",5]`) || changed != 6 ||
		strings.Contains(state, `,0,"short"]`) { // it expires
		t.Errorf("%d changes lead to:\n%s", changed, state)
	}
}

// A journal in which one byte is wrong is refused and left as it is, unless
// that is in the last record: then it may be that its writer was killed.
func TestJournalDamagedAnywhere(t *testing.T) {
	path, text := smallJournal(t)
	last := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	for n := range text {
		if n == last-1 {
			continue // without that line's end, two are the last one
		}
		damaged := slices.Clone(text)
		damaged[n] ^= 1
		must(t, os.WriteFile(path, damaged, 0o600))
		s, skipped, err := unserved(path)
		if err == nil {
			must(t, s.journal.close())
		}
		if n >= last {
			if err != nil || int(skipped) != len(text)-last {
				t.Fatalf("byte %d: %d bytes are skipped, %v", n, skipped, err)
			}
			continue
		}
		after, readErr := os.ReadFile(path)
		must(t, readErr)
		if err == nil || !bytes.Equal(after, damaged) {
			t.Fatalf("byte %d is wrong, and the error is %v", n, err)
		}
	}
}

// What is no journal gets one line that says so, and stays as it is.
func TestNoJournal(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	used := file("used", "")
	other, _, err := unserved(used)
	must(t, err)
	defer other.journal.close()
	file("crowded.new", "my thesis")
	unknown := journalMagic + "1\n" + string(appendRecord(nil, []change{{op: "take",
		removed: []*entry{{age: 3}}}}))
	for _, c := range []struct{ path, want string }{
		{dir, "is a directory"},
		{"/dev/null", "not a regular file"},
		{filepath.Join(dir, "none", "j"), "no such file or directory"},
		{file("thesis", "my thesis"), "no journal of a tuple space; nothing"},
		{file("future", journalMagic+"2\nx"), `version "2", and this server`},
		{file("unknown", unknown), "byte 21: tuple 3 is removed, but not there"},
		{used, "in use by another server"},
		{file("crowded", ""), "crowded.new is no journal"},
	} {
		before, _ := os.ReadFile(c.path) // a folder has none
		_, _, err := unserved(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, not %s", c.path, err, c.want)
		}
		after, _ := os.ReadFile(c.path)
		if !bytes.Equal(before, after) {
			t.Errorf("%s was %q, and is %q", c.path, before, after)
		}
	}
	if os.Getuid() == 0 {
		return // root may do everything
	}
	path := file("secret", "")
	must(t, os.Chmod(path, 0))
	if _, _, err := unserved(path); !errors.Is(err, os.ErrPermission) {
		t.Errorf("without rights: %v", err)
	}
}

// When the disk is full the server ends, rather than acknowledge what it
// cannot keep.
func TestJournalDiskFull(t *testing.T) {
	s, err := Listen(newAddress())
	must(t, err)
	must(t, second(s.UseJournal(filepath.Join(t.TempDir(), "journal"))))
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err) // only Linux has it
	}
	must(t, s.journal.close())
	s.journal.file = full
	address, err := s.Address()
	must(t, err)
	client := dial(t, zmq.REQ, address)
	client.send(`{"op":"write","tuples":[["x"]]}`)
	err = s.Serve(context.Background())
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Serve returns %v", err)
	}
	if _, err := client.RecvMessage(zmq.DONTWAIT); !isAgain(err) {
		t.Errorf("there is a reply: %v", err)
	}
}

// What came and went does not stay in the file. The new file is the server's,
// too.
func TestJournalIsCompacted(t *testing.T) {
	path := filepath.Join(quickDir(t), "journal")
	s := serveJournal(t, path)
	space, ctx := connect(t, s.address), soon(t)
	must(t, space.Write(ctx, "stays"))
	must(t, second(space.Borrow(ctx, time.Hour, "stays")))
	large := strings.Repeat("x", maxRequest/2)
	longest := int64(0)
	for range 36 { // 18 MiB, and as much is to be gone
		must(t, space.Write(ctx, "goes", large))
		must(t, second(space.Take(ctx, "goes", Any)))
		info, err := os.Stat(path)
		must(t, err)
		longest = max(longest, info.Size())
	}
	if longest > shortEnough+2*maxRequest {
		t.Errorf("the journal has grown to %d bytes", longest)
	}
	if _, _, err := unserved(path); err == nil ||
		!strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server: %v", err)
	}
	s.stop()
	if state, _ := recovered(t, path); !strings.Contains(state, `"stays"]`) {
		t.Errorf("what was on loan is gone: %.200s", state)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Size() > 3*maxRequest {
		t.Errorf("after compaction it has %d bytes", info.Size())
	}
}

// A request that comes again after a restart is not done again. What was on
// loan is there, and its loan is not.
func TestRequestsComeAgainAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	var s *served
	ask := func(request string) string {
		t.Helper()
		if s != nil {
			s.stop()
		}
		s = serveJournal(t, path)
		return dial(t, zmq.DEALER, s.address).ask(request)
	}
	const (
		write  = `{"op":"write","tuples":[["a",1]],"client":"x","seq":1}`
		take   = `{"op":"take","pattern":["a",null],"client":"x","seq":2}`
		cancel = `{"op":"cancel","client":"x","seq":2}`
		borrow = `{"op":"take","pattern":["a",1],"loan_ms":60000,` +
			`"client":"x","seq":3}`
		all = `{"op":"read","pattern":["a",null],"max":9}`
	)
	one := `{"status":"ok","tuples":[["a",1]]}`
	for i, c := range []struct{ request, reply string }{
		{write, okText}, {write, okText}, {write, okText}, {all, one},
		{take, one}, {take, one}, {all, `{"status":"none"}`},
		{cancel, okText}, {cancel, okText}, {take, okText}, {all, one},
	} {
		if got := ask(c.request); got != c.reply {
			t.Fatalf("%d: %s is answered %s, not %s", i, c.request, got, c.reply)
		}
	}
	reply, err := parseReply([]byte(ask(borrow)))
	must(t, err)
	commit := `{"op":"commit","loan":"` + reply.Loan + `","tuples":[["b"]]}`
	if got := ask(commit); got != expiredText {
		t.Errorf("a commit of an old loan is answered %s", got)
	}
	if got := ask(all); got != one {
		t.Errorf("what was on loan: %s", got)
	}
}

// waitingServer is a server with a journal, which does what it is asked to
// when the test calls handle. One client has spoken to it: there.
func waitingServer(t *testing.T) (s *Server, there raw) {
	s, err := Listen(newAddress())
	must(t, err)
	must(t, second(s.UseJournal(filepath.Join(t.TempDir(), "journal"))))
	ended, end := context.WithCancel(context.Background())
	end()
	t.Cleanup(func() { s.Serve(ended) })
	address, err := s.Address()
	must(t, err)
	there = dial(t, zmq.DEALER, address, func(r *zmq.Socket) error {
		return r.SetIdentity("there")
	})
	there.send("", `{"op":"write","tuples":[["a",1]]}`)
	frames, err := s.receive(0)
	must(t, err)
	s.now = time.Now()
	s.handle(frames)
	must(t, s.flush())
	there.reply()
	return s, there
}

// copied returns the state that a server would find that is started now.
func copied(t *testing.T, s *Server) string {
	t.Helper()
	text, err := os.ReadFile(s.journal.path)
	must(t, err)
	path := filepath.Join(t.TempDir(), "copy")
	must(t, os.WriteFile(path, text, 0o600))
	state, _ := recovered(t, path)
	return state
}

const takeOnce = `{"op":"take","pattern":["a",1],"client":"x","seq":1}`

// What could not be delivered is in the journal again, at once.
func TestUndeliveredIsInJournal(t *testing.T) {
	s, _ := waitingServer(t)
	s.handle([][]byte{[]byte("gone"), nil, []byte(takeOnce)})
	must(t, s.flush())
	if got, want := copied(t, s), "\n[1,0,\"a\",1]"; got != want {
		t.Errorf("the journal leads to:\n%s\nnot:\n%s", got, want)
	}
}

// In a batch a request can come again before its first reply is sent. If that
// cannot be delivered, its tuple must not be given twice.
func TestRequestComesAgainInBatch(t *testing.T) {
	s, there := waitingServer(t)
	for _, who := range []string{"gone", "there"} {
		s.handle([][]byte{[]byte(who), nil, []byte(takeOnce)})
	}
	must(t, s.flush())
	reply := `{"status":"ok","tuples":[["a",1]]}`
	if got := there.reply(); got != reply || s.Len() != 0 {
		t.Errorf("the client gets %s, and %d tuples are there", got, s.Len())
	}
	if got, want := copied(t, s), "\nx 1 "+reply; got != want {
		t.Errorf("the journal leads to:\n%s\nnot:\n%s", got, want)
	}
}

// A server is killed over and over while clients write and take. In the end
// everything is there that was written and not taken, and once.
func TestServerIsKilled(t *testing.T) {
	kills := 3
	if os.Getenv("DISTSYS_ALL") != "" {
		kills = 20
	}
	path := filepath.Join(t.TempDir(), "journal")
	address := newAddress()
	s := begin(t, "space", address, "journal="+path)
	const clients = 4
	var lock sync.Mutex
	balance := map[int]int{} // of each tuple: written, not taken
	taken, done := 0, make(chan bool)
	acked := make(chan bool, 1000)
	stop := make(chan bool)
	ctx := context.Background()
	for id := range clients {
		space := connect(t, address)
		go func() {
			defer func() { done <- true }()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case acked <- true:
				}
				n := i*clients + id
				if err := space.Write(ctx, "n", n); err != nil {
					t.Error(err)
				}
				var got int
				var found bool
				var err error
				if i%3 > 0 {
					_, found, err = space.TryTake(ctx, "n", &got)
				}
				if err != nil {
					t.Error(err)
				}
				lock.Lock()
				balance[n]++
				if found {
					balance[got]--
					taken++
				}
				lock.Unlock()
			}
		}()
	}
	for range kills {
		for range 200 {
			<-acked
		}
		must(t, s.cmd.Process.Kill())
		s.cmd.Wait() // it was killed
		s = begin(t, "space", address, "journal="+path)
	}
	close(stop)
	for range clients {
		<-done
	}
	left := 0
	for n, times := range balance {
		left += times
		if times < 0 || times > 1 {
			t.Errorf("tuple %d was taken %d times", n, 1-times)
		}
	}
	space := connect(t, address)
	there := 0
	for {
		var n int
		_, found, err := space.TryTake(ctx, "n", &n)
		must(t, err)
		if !found {
			break
		}
		there++
		if balance[n]--; balance[n] < 0 {
			t.Errorf("tuple %d came back", n)
		}
	}
	if there != left || taken == 0 {
		t.Errorf("%d of %d tuples are there, %d were taken", there, left, taken)
	}
}
