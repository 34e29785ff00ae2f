package tuplespace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"go.uber.org/goleak"

	"distsys/internal/local"
)

// A served space: its server runs until stop, or the test's end.
type served struct {
	*Server
	address string
	stop    func()
}

func serve(t testing.TB, address string, prepare ...func(*Server)) *served {
	t.Helper()
	s, err := Listen(address)
	must(t, err)
	for _, f := range prepare {
		f(s)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	stop := sync.OnceFunc(func() {
		end()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returns %v", err)
		}
	})
	t.Cleanup(stop)
	return &served{s, address, stop}
}

// onBothServers runs a test with each of the two kinds of space.
func onBothServers(t *testing.T, test func(t *testing.T, s *served),
	prepare ...func(*Server)) {
	t.Run("simple", func(t *testing.T) {
		test(t, serve(t, newAddress(), append(prepare, (*Server).UseSimple)...))
	})
	t.Run("indexed", func(t *testing.T) {
		test(t, serve(t, newAddress(), prepare...))
	})
}

func newAddress() string {
	return fmt.Sprintf("tcp://127.0.0.1:%d", local.FreePort())
}

func connect(t testing.TB, address string) *Client {
	t.Helper()
	c, err := Connect(address)
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

// soon is a context for calls that are expected to end by themselves.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func factorial(n int64) *big.Int { return new(big.Int).MulRange(1, n) }

// Every value comes back as it went in, or as what Go calls the same value.
func TestValues(t *testing.T) {
	space, ctx := connect(t, serve(t, newAddress()).address), soon(t)
	for _, c := range []struct{ in, out any }{
		{"", ""}, {"<ü世\x00\"\\>", "<ü世\x00\"\\>"}, {true, true},
		{false, false}, {0, 0}, {math.Copysign(0, -1), 0}, {uint8(7), 7}, {int64(-5), -5},
		{math.MaxInt64, math.MaxInt64}, {1.0, 1}, {1e3, 1000}, {0.1, 0.1},
		{1e21, new(big.Int).Exp(big.NewInt(10), big.NewInt(21), nil)},
		{uint64(1 << 63), new(big.Int).Lsh(big.NewInt(1), 63)},
		{factorial(30), factorial(30)}, {*factorial(30), factorial(30)},
		{factorial(1000), factorial(1000)},
		{[]any{1, "a", nil, []int{2}}, []any{1, "a", nil, []any{2}}},
		{map[string]any{"k": 1.5, "?": nil}, map[string]any{"k": 1.5,
			"?": nil}},
		{[]any{nil, map[string]any{"?": "int"}},
			[]any{nil, map[string]any{"?": "int"}}},
	} {
		must(t, space.Write(ctx, "v", c.in))
		var formal any
		tuple, err := space.Read(ctx, "v", &formal)
		must(t, err)
		if !reflect.DeepEqual(tuple, Tuple{"v", c.out}) ||
			!reflect.DeepEqual(formal, c.out) {
			t.Errorf("%T %.60v comes back as %.60v, %T %.60v", c.in, c.in,
				tuple, formal, formal)
		}
		// As an actual parameter it finds itself.
		actual := c.out
		if n, ok := actual.(*big.Int); ok {
			actual = *n
		}
		if _, found, err := space.TryTake(ctx, "v", actual); !found {
			t.Errorf("%.60v does not match itself: %v", c.in, err)
		}
	}
}

func TestFormals(t *testing.T) {
	space, ctx := connect(t, serve(t, newAddress()).address), soon(t)
	var (
		s   string
		b   bool
		i   int
		i64 int64
		n   big.Int
		f   float64
		l   []any
		o   map[string]any
		a   any
	)
	all := map[string]any{"string": &s, "bool": &b, "int": &i, "int64": &i64,
		"big": &n, "float64": &f, "list": &l, "object": &o, "any": &a}
	for _, c := range []struct {
		value any
		match string
	}{
		{"x", "string any"}, {true, "bool any"},
		{5, "int int64 big float64 any"},
		{5.5, "float64 any"}, {factorial(30), "big float64 any"},
		{[]any{1}, "list any"}, {map[string]any{"k": 1}, "object any"},
	} {
		must(t, space.Write(ctx, c.value))
		for name, formal := range all {
			tuple, found, err := space.TryRead(ctx, formal)
			must(t, err)
			if want := strings.Contains(c.match+" ", name+" "); found != want {
				t.Errorf("a formal %s matches %v: %v", name, c.value, found)
			}
			got := reflect.ValueOf(formal).Elem().Interface()
			if name == "big" {
				got = &n
			}
			if found && fmt.Sprint(got) != fmt.Sprint(tuple[0]) &&
				name != "float64" {
				t.Errorf("the formal %s is set to %v, not %v", name, got,
					tuple[0])
			}
		}
		_, err := space.Take(ctx, Any)
		must(t, err)
	}
	if f != 2.6525285981219107e32 || i != 5 || i64 != 5 {
		t.Errorf("numbers are set to %v, %v, %v", f, i, i64)
	}
}

// Equal is what is equal by value: True is not 1, as it is in Python, but
// 1.0 is.
func TestMatching(t *testing.T) {
	space, ctx := connect(t, serve(t, newAddress()).address), soon(t)
	for _, c := range []struct {
		tuple, pattern Tuple
		match          bool
	}{
		{Tuple{1}, Tuple{1.0}, true}, {Tuple{true}, Tuple{1}, false},
		{Tuple{1}, Tuple{"1"}, false}, {Tuple{false}, Tuple{0}, false},
		{Tuple{"a", 1}, Tuple{"a"}, false}, {Tuple{"a"}, Tuple{Any, Any}, false},
		{Tuple{[]any{1, 2}}, Tuple{[]any{1.0, 2.0}}, true},
		{Tuple{[]any{1, 2}}, Tuple{[]any{2, 1}}, false},
		{Tuple{[]any{1, nil}}, Tuple{[]any{1, nil}}, true},
		{Tuple{[]any{1, 2}}, Tuple{[]any{1, nil}}, false},
		{Tuple{map[string]any{"a": 1, "b": 2}},
			Tuple{map[string]any{"b": 2, "a": 1}}, true},
		{Tuple{"A"}, Tuple{"a"}, false}, {Tuple{"ä"}, Tuple{"a\u0308"}, false},
	} {
		must(t, space.Write(ctx, c.tuple...))
		_, found, err := space.TryTake(ctx, c.pattern...)
		must(t, err)
		if found != c.match {
			t.Errorf("%v matches %v: %v", c.pattern, c.tuple, found)
		}
		_, err = space.TakeAll(ctx, make(Tuple, len(c.tuple))...)
		must(t, err)
	}
}

func TestRefusedByTheClient(t *testing.T) {
	space, ctx := connect(t, serve(t, newAddress()).address), soon(t)
	var n int
	var u uint
	for _, c := range []struct {
		err  error
		says string
	}{
		{space.Write(ctx, "x", &n), "formal parameter"},
		{space.Write(ctx, "x", nil), "patterns"},
		{space.Write(ctx), "empty"},
		{space.WriteAll(ctx), "no tuples"},
		{space.Write(ctx, "\xff"), "not UTF-8"},
		{space.Write(ctx, math.NaN()), "NaN"},
		{space.Write(ctx, make(chan int)), "chan int"},
		{space.Write(ctx, map[string]any{"?": 1}), "patterns only"},
		{space.Write(ctx, strings.Repeat("x", 1<<20)), "1048576 bytes"},
		{space.WriteFor(ctx, 0, "x"), "time to live"},
		{space.Write(ctx, strings.Repeat("x", 20<<20)), "1048576 bytes"},
		{space.WriteFor(ctx, 0, "x"), "time to live"},
		{space.WriteFor(ctx, -time.Microsecond, "x"), "time to live"},
		{second(space.Take(ctx, []any(nil))), "nil"},
		{second(space.Take(ctx, map[string]any(nil))), "nil"},
		{second(space.Take(ctx)), "empty"},
		{second(space.Take(ctx, &u)), "formal parameter"},
		{second(space.Take(ctx, (*int)(nil))), "nil pointer"},
		{second(space.Take(ctx, "\xff")), "not UTF-8"},
		{second(space.Borrow(ctx, 0, "x")), "needs a time"},
		// What comes to mind first: a tuple, where its fields are expected.
		{space.Write(ctx, Tuple{1, 2}), "Write(ctx, tuple...)"},
		{space.Write(ctx, "x", Tuple{1, 2}), "[]any"},
		{space.WriteFor(ctx, time.Hour, Tuple{1}), "Tuple is no field"},
		{space.WriteAll(ctx, Tuple{Tuple{1}}), "Tuple is no field"},
		{second(space.Read(ctx, Tuple{1, Any})), "Tuple is no field"},
		{second(space.Take(ctx, Tuple{1, &n})), "Tuple is no field"},
		{second(space.TakeAll(ctx, Tuple{1, Any})), "Tuple is no field"},
		{second(space.Borrow(ctx, time.Hour, Tuple{1})), "Tuple is no field"},
		{(&Loan{client: space}).Commit(ctx, Tuple{Tuple{1}}), "is no field"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("refused with %v, which does not say %q", c.err, c.says)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Oldest first, all at once, and copies.
func TestOrderAndAll(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		space, ctx := connect(t, s.address), soon(t)
		must(t, space.WriteAll(ctx, Tuple{"n", 1}, Tuple{"n", 2}, Tuple{"m", 0}))
		must(t, space.Write(ctx, "n", 3))
		for _, want := range []int{1, 1} {
			var n int
			_, err := space.Read(ctx, "n", &n)
			if must(t, err); n != want {
				t.Errorf("read gives %d", n)
			}
		}
		all, err := space.ReadAll(ctx, "n", Any)
		if must(t, err); fmt.Sprint(all) != `[["n",1] ["n",2] ["n",3]]` {
			t.Errorf("read all gives %v", all)
		}
		all, err = space.TakeAll(ctx, Any, Any)
		if must(t, err); fmt.Sprint(all) != `[["n",1] ["n",2] ["m",0] ["n",3]]` {
			t.Errorf("take all gives %v", all)
		}
		all, err = space.TakeAll(ctx, Any, Any)
		if must(t, err); len(all) != 0 {
			t.Errorf("take all gives %v", all)
		}
		// More than fits into one reply.
		long := strings.Repeat("x", 300_000)
		for i := range 7 {
			must(t, space.Write(ctx, i, long))
		}
		all, err = space.ReadAll(ctx, Any, Any)
		if !errors.Is(err, ErrMore) || len(all) != 3 {
			t.Errorf("read all gives %d tuples, %v", len(all), err)
		}
		all, err = space.TakeAll(ctx, Any, Any)
		if must(t, err); len(all) != 7 || all[6][0] != 6 {
			t.Errorf("take all gives %d tuples", len(all))
		}
	})
}

func TestTimeToLive(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		space, ctx := connect(t, s.address), soon(t)
		must(t, space.WriteFor(ctx, time.Hour, "long"))
		must(t, space.WriteFor(ctx, time.Millisecond, "short"))
		for {
			_, found, err := space.TryRead(ctx, "short")
			if must(t, err); !found {
				break
			}
		}
		if _, found, err := space.TryRead(ctx, "long"); !found {
			t.Errorf("the other one is gone too: %v", err)
		}
	})
}

func TestLoan(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		space, ctx := connect(t, s.address), soon(t)
		must(t, space.WriteAll(ctx, Tuple{"t", 1}, Tuple{"t", 2}))
		borrow := func(d time.Duration, want int) *Loan {
			t.Helper()
			loan, err := space.Borrow(ctx, d, "t", Any)
			if must(t, err); loan.Tuple[1] != want {
				t.Errorf("borrowed %v, not %d", loan.Tuple, want)
			}
			return loan
		}
		released := borrow(time.Hour, 1)
		borrowed := borrow(time.Hour, 2)
		must(t, released.Release(ctx))
		must(t, borrowed.Release(ctx))
		for _, err := range []error{released.Release(ctx), released.Commit(ctx)} {
			if !errors.Is(err, ErrExpired) {
				t.Errorf("after release: %v", err)
			}
		}
		committed := borrow(time.Hour, 1)
		late := borrow(time.Millisecond, 2)
		must(t, committed.Commit(ctx, Tuple{"r", 2}, Tuple{"r", 3}))
		again, err := space.Take(ctx, "t", Any) // waits until it has run out
		if must(t, err); again[1] != 2 {
			t.Errorf("took %v", again)
		}
		if err := late.Commit(ctx, Tuple{"r", 1}); !errors.Is(err, ErrExpired) {
			t.Errorf("a late commit: %v", err)
		}
		all, err := space.TakeAll(ctx, Any, Any)
		if must(t, err); fmt.Sprint(all) != `[["r",2] ["r",3]]` {
			t.Errorf("in the end there are %v", all)
		}
	})
}

// Calls that end because nobody waits for them any more lose no tuple, and
// take none twice: neither those that wait, nor those whose tuple is on its
// way at that very moment. Half of them are on loan.
func TestCancelledCallsLoseNothing(t *testing.T) {
	onBothServers(t, func(t *testing.T, s *served) {
		ctx := soon(t)
		writer, taker := connect(t, s.address), connect(t, s.address)
		const tuples, takers = 2000, 8
		got := make([]atomic.Int32, tuples)
		var taken, cancelled atomic.Int32
		var all sync.WaitGroup
		for i := range takers {
			all.Add(1)
			go func() {
				defer all.Done()
				for taken.Load() < tuples && ctx.Err() == nil {
					// Long enough for some, too short for others.
					d := time.Duration(rand.IntN(400)) * time.Microsecond
					short, cancel := context.WithTimeout(ctx, d)
					var n int
					var err error
					if i%2 == 0 {
						_, err = taker.Take(short, "n", &n)
					} else {
						var loan *Loan
						loan, err = taker.Borrow(short, time.Hour, "n", &n)
						if err == nil {
							err = loan.Commit(ctx)
						}
					}
					cancel()
					if err == nil {
						got[n].Add(1)
						taken.Add(1)
					} else if !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
						return
					} else {
						cancelled.Add(1)
					}
				}
			}()
		}
		for n := range tuples {
			must(t, writer.Write(ctx, "n", n))
		}
		all.Wait()
		for n := range got {
			if times := got[n].Load(); times != 1 {
				t.Errorf("tuple %d was taken %d times", n, times)
			}
		}
		t.Logf("%d calls ended without a tuple", cancelled.Load())
		if cancelled.Load() == 0 {
			t.Error("no call was cancelled")
		}
	})
}

// A tuple that is on its way when the call ends goes back to its place. Here
// the way is through the test, which keeps the reply to itself.
func TestTupleOnItsWayGoesBack(t *testing.T) {
	s := serve(t, newAddress())
	direct, ctx := connect(t, s.address), soon(t)
	must(t, direct.WriteAll(ctx, Tuple{"n", 1}, Tuple{"n", 2}))
	between := newAddress()
	client := listen(t, zmq.ROUTER, between)
	server := dial(t, zmq.DEALER, s.address)

	short, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	taker := connect(t, between)
	go func() { ended <- second(taker.Take(short, "n", Any)) }()
	for i, want := range []string{`"take"`, `"cancel"`} {
		frames, err := client.RecvMessage(0)
		must(t, err)
		request := frames[len(frames)-1]
		if !strings.Contains(request, want) {
			t.Fatalf("request %d is %s", i, request)
		}
		got := server.ask(request)
		if i == 0 && got != `{"status":"ok","tuples":[["n",1]]}` {
			t.Errorf("the reply that does not arrive is %s", got)
		}
		cancel()
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the take ends with %v", err)
	}
	all, err := direct.ReadAll(ctx, "n", Any)
	if must(t, err); fmt.Sprint(all) != `[["n",1] ["n",2]]` {
		t.Errorf("left are %v", all)
	}
}

// A reply that no server of ours would give is an error, and no more.
func TestStrangeReplies(t *testing.T) {
	address := newAddress()
	server := listen(t, zmq.ROUTER, address)
	space, ctx := connect(t, address), soon(t)
	for _, reply := range []string{"", "null", "{}", "5", "\xff",
		`{"status":"ok"}`, `{"status":"fine"}`, `{"status":"expired"}`,
		`{"status":"error","error":"x"}`, `{"status":"ok","tuples":[null]}`,
		`{"status":"ok","tuples":[[]]}`, `{"status":"ok","tuples":[["x"]]}`,
		`{"status":"ok","tuples":[["x",1,2]]}`} {
		ended := make(chan error)
		go func() {
			var n int
			ended <- second(space.Borrow(ctx, time.Second, "x", &n))
		}()
		frames, err := server.RecvMessage(0)
		must(t, err)
		server.send(frames[:len(frames)-1], reply)
		if err := <-ended; err == nil {
			t.Errorf("%s is taken for a reply", reply)
		}
	}
}

// A call that nobody answers ends at once with its context, whether there
// is a server that does not answer, or none.
func TestContextEndsACall(t *testing.T) {
	cancelled := make(chan bool, 10)
	s := serve(t, newAddress(), func(s *Server) {
		s.Log = onLine("cancel", cancelled)
	})
	for _, address := range []string{s.address, newAddress(),
		"tcp://no-such-host.invalid:1"} {
		space := connect(t, address)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- second(space.Take(ctx, "x")) }()
		select {
		case err := <-ended:
			t.Errorf("a take ends with %v", err)
		case <-time.After(10 * time.Millisecond): // so that it has begun
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled take ends with %v", err)
		}
		if _, err := space.Take(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("a take that is cancelled already ends with %v", err)
		}
	}
	// At once, and not when the wait at the server was over.
	select {
	case <-cancelled:
	case <-soon(t).Done():
		t.Error("the server has heard of no cancelled call")
	}
}

// Close ends what waits, and leaves no goroutine and no socket.
func TestClose(t *testing.T) {
	// What ZeroMQ and Go open once, and keep, is not counted.
	first := connect(t, serve(t, newAddress()).address)
	must(t, first.Write(soon(t), 1))
	before := openFiles(t)
	ignore := goleak.IgnoreCurrent()
	s := serve(t, newAddress())
	space, err := Connect(s.address)
	must(t, err)
	const calls = 20
	ended := make(chan error)
	waiting := make(chan bool, calls)
	for range calls {
		go func() {
			waiting <- true
			ended <- second(space.Take(context.Background(), "x"))
		}()
	}
	for range calls {
		<-waiting
	}
	must(t, space.Close())
	for range calls {
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("a call ends with %v", err)
		}
	}
	if err := space.Write(context.Background(), 1); !errors.Is(err,
		ErrClosed) {
		t.Errorf("a write on a closed client: %v", err)
	}
	s.stop()
	goleak.VerifyNone(t, ignore)
	if after := openFiles(t); after > before {
		t.Errorf("%d files are open, %d before", after, before)
	}
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Logf("open files are not counted: %v", err)
	}
	return len(files)
}

// Clients go on when the server is restarted: those that wait, and those that
// ask while there is none.
func TestServerRestart(t *testing.T) {
	s := serve(t, newAddress())
	ctx := soon(t)
	space, other := connect(t, s.address), connect(t, s.address)
	must(t, space.Write(ctx, "there"))
	took := make(chan error)
	go func() { took <- second(space.Take(ctx, "later")) }()
	s.stop()
	wrote := make(chan error)
	go func() { wrote <- other.Write(ctx, "later") }()
	serve(t, s.address)
	must(t, <-wrote)
	must(t, <-took)
	if _, found, err := space.TryRead(ctx, "there"); found {
		t.Errorf("a tuple outlives its server: %v", err)
	}
}
