package tuplespace

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/local"
)

// A benchmark's processes are this test program, started with a role.
const roleVar = "TUPLESPACE_ROLE"

func TestMain(m *testing.M) {
	if role := strings.Fields(os.Getenv(roleVar)); len(role) > 0 {
		if err := play(role[0], role[1], role[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const (
	writeText = `{"op":"write","tuples":[["fac",5]],"client":"4711","seq":%d}`
	takeText  = `{"op":"take","pattern":["fac",null],"wait_ms":2000,` +
		`"client":"4711","seq":%d}`
)

// play is a server until it is interrupted, or a client that makes its pairs
// when a line comes in.
func play(role, address, n string) error {
	times, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	ctx := context.Background()
	input := bufio.NewReader(os.Stdin)
	switch role {
	case "echo":
		socket, err := zmq.NewSocket(zmq.ROUTER)
		if err != nil {
			return err
		}
		if err := socket.Bind(address); err != nil {
			return err
		}
		go func() {
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, os.Interrupt)
			<-stop
			os.Exit(0)
		}()
		for {
			message, err := socket.RecvMessageBytes(0)
			if err != nil {
				return err
			}
			if _, err := socket.SendMessage(message); err != nil {
				return err
			}
		}
	case "bare": // requests as JSON text, replies unread
		socket, err := zmq.NewSocket(zmq.REQ)
		if err != nil {
			return err
		}
		if err := socket.Connect(address); err != nil {
			return err
		}
		ask := func(text string, seq int) error {
			text = strings.Replace(text, "4711", strconv.Itoa(os.Getpid()), 1)
			if _, err := socket.Send(fmt.Sprintf(text, seq), 0); err != nil {
				return err
			}
			_, err := socket.RecvBytes(0)
			return err
		}
		if err := ask(`{"op":"read","pattern":[null],"seq":%d}`, 0); err != nil {
			return err
		}
		fmt.Println("ready")
		if _, err := input.ReadString('\n'); err != nil {
			return err
		}
		for i := range times {
			if err := ask(writeText, 2*i); err != nil {
				return err
			}
			if err := ask(takeText, 2*i+1); err != nil {
				return err
			}
		}
	case "client":
		space, err := Connect(address)
		if err != nil {
			return err
		}
		if _, _, err := space.TryRead(ctx, Any); err != nil {
			return err
		}
		fmt.Println("ready")
		if _, err := input.ReadString('\n'); err != nil {
			return err
		}
		for range times {
			var n int
			if err := space.Write(ctx, "fac", 5); err != nil {
				return err
			}
			if _, err := space.Take(ctx, "fac", &n); err != nil {
				return err
			}
		}
	}
	return nil
}

type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func begin(b *testing.B, role, address string, n int) *process {
	p := &process{cmd: exec.Command(os.Args[0])}
	if strings.HasSuffix(role, "server") { // the real program, built
		p.cmd = exec.Command(role, "-quiet", "-bind", address)
	}
	p.cmd.Env = append(os.Environ(), fmt.Sprint(roleVar, "=", role, " ",
		address, " ", n))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = local.OwnGroup()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return p
}

// pairs has clients make write and take pairs, and returns how many they make
// in a second, and the server's CPU time for each request.
func pairs(b *testing.B, server, client string, clients, each int) (
	perSecond float64, cpu time.Duration) {
	address := fmt.Sprintf("tcp://127.0.0.1:%d", local.FreePort())
	s := begin(b, server, address, 0)
	all := make([]*process, clients)
	for i := range all {
		all[i] = begin(b, client, address, each)
	}
	for _, c := range all {
		if _, err := c.out.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	begun := time.Now()
	for _, c := range all {
		fmt.Fprintln(c.in)
	}
	for _, c := range all {
		if err := c.cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(begun)
	must(b, s.cmd.Process.Signal(os.Interrupt))
	if err := s.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	used := s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	n := clients * each
	return float64(n) / took.Seconds(), used / time.Duration(2*n)
}

// BenchmarkPairs has clients, processes of their own, write a tuple and take
// it. Beside it, in the same run, are clients that send the same bytes with
// the bare library's calls: to a bare server that sends back what it gets, and
// to ours. It shows pairs per second, how ours compares with the bare ones,
// and the server's CPU time for each request.
func BenchmarkPairs(b *testing.B) {
	server := filepath.Join(b.TempDir(), "server")
	build := exec.Command("go", "build", "-o", server, "../server")
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, text)
	}
	for _, clients := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			var all [3]float64
			var used [3]time.Duration
			for b.Loop() {
				for i, c := range [][2]string{{"echo", "bare"},
					{server, "bare"}, {server, "client"}} {
					n, cpu := pairs(b, c[0], c[1], clients, 40_000/clients)
					all[i] += n
					used[i] += cpu
				}
			}
			n := float64(b.N)
			b.ReportMetric(all[0]/n, "echo-pairs/s")
			b.ReportMetric(all[2]/n, "space-pairs/s")
			b.ReportMetric(all[2]/all[0], "space/echo")
			b.ReportMetric(all[1]/all[0], "server-only/echo")
			b.ReportMetric(float64(used[0].Nanoseconds())/n, "echo-cpu-ns")
			b.ReportMetric(float64(used[2].Nanoseconds())/n, "space-cpu-ns")
			b.ReportMetric(float64(used[2])/float64(used[0]), "cpu/echo-cpu")
			b.ReportMetric(0, "ns/op") // would count the processes' start
		})
	}
}

// fill puts n tuples ("n", i) into a space.
func fill(n int) func(*Server) {
	return func(s *Server) {
		for i := range n {
			fields, err := newTuple(raws([]any{"n", i}))
			if err != nil {
				panic(err)
			}
			s.space.Write([][]field{fields}, 0)
		}
	}
}

// BenchmarkTakeLast writes one tuple more than n and takes that, which shares
// its first field with all of the others. The bare counterpart is two echoes.
func BenchmarkTakeLast(b *testing.B) {
	ctx := context.Background()
	b.Run("echo", func(b *testing.B) {
		ask := echo(b)
		for b.Loop() {
			ask(fmt.Sprintf(writeText, 1))
			ask(fmt.Sprintf(takeText, 1))
		}
	})
	for _, n := range []int{0, 1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("n=", n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			space := connect(b, serve(b, newAddress(), fill(n)).address)
			runtime.GC()
			runtime.ReadMemStats(&after)
			for b.Loop() {
				must(b, space.Write(ctx, "n", n))
				if _, found, err := space.TryTake(ctx, "n", n); !found {
					b.Fatal(err)
				}
			}
			if n > 0 {
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/
					float64(n), "B/tuple")
			}
		})
	}
}

// echo begins a bare server that sends back what it gets, in this process,
// and returns how to ask it.
func echo(b *testing.B) func(text string) {
	address := newAddress()
	own, err := zmq.NewContext()
	must(b, err)
	router, err := own.NewSocket(zmq.ROUTER)
	must(b, err)
	must(b, router.Bind(address))
	done := make(chan bool)
	go func() {
		defer close(done)
		defer router.Close()
		for {
			message, err := router.RecvMessageBytes(0)
			if err != nil {
				return // the context has ended
			}
			if _, err := router.SendMessage(message); err != nil {
				return
			}
		}
	}()
	socket, err := own.NewSocket(zmq.REQ)
	must(b, err)
	must(b, socket.Connect(address))
	b.Cleanup(func() {
		must(b, socket.Close())
		must(b, own.Term())
		<-done
	})
	return func(text string) {
		_, err := socket.Send(text, 0)
		must(b, err)
		_, err = socket.RecvBytes(0)
		must(b, err)
	}
}

// BenchmarkWakeUp measures from the call of a write until a take that waits
// for that tuple returns, while m others wait to read something else. The
// bare counterpart is a ROUTER that hands what one client sends to another.
func BenchmarkWakeUp(b *testing.B) {
	ctx := context.Background()
	b.Run("bare", func(b *testing.B) {
		address := newAddress()
		router, err := zmq.NewSocket(zmq.ROUTER)
		must(b, err)
		b.Cleanup(func() { router.Close() })
		must(b, router.Bind(address))
		waiting := make(chan bool)
		go func() {
			var waits []string
			for {
				message, err := router.RecvMessage(0)
				if err != nil {
					return // closed
				}
				if message[2] == "wait" {
					waits = message
					waiting <- true
					continue
				}
				_, err = router.SendMessage(waits[0], "", message[2])
				must(b, err)
				_, err = router.SendMessage(message[0], "", "ok")
				must(b, err)
				if message[2] == "end" {
					return
				}
			}
		}()
		taker, writer := dial(b, zmq.REQ, address), dial(b, zmq.REQ, address)
		took := make(chan bool)
		for b.Loop() {
			_, err = taker.Send("wait", 0)
			must(b, err)
			go func() { taker.reply(); took <- true }()
			<-waiting
			_, err = writer.Send("tuple", 0)
			must(b, err)
			writer.reply()
			<-took
		}
		_, err = taker.Send("wait", 0)
		must(b, err)
		<-waiting
		_, err = writer.Send("end", 0)
		must(b, err)
		writer.reply()
	})
	for _, m := range []int{1, 10, 100, 1000, 9000} {
		b.Run(fmt.Sprint("m=", m), func(b *testing.B) {
			waits := make(chan bool, 1)
			s := serve(b, newAddress(), func(s *Server) {
				s.space.Advance(time.Now())
				for i := range m {
					pattern, err := newPattern(raws([]any{"go", i, "x"}))
					must(b, err)
					s.space.Wait(&Wait{Query: Query{Pattern: pattern, Max: 1},
						Until: time.Now().Add(time.Hour)})
				}
				s.Log = func(format string, _ ...any) {
					if strings.HasSuffix(format, "waits") {
						waits <- true
					}
				}
			})
			taker, writer := connect(b, s.address), connect(b, s.address)
			took := make(chan error)
			for b.Loop() {
				go func() { took <- second(taker.Take(ctx, "go", -1, Any)) }()
				<-waits
				must(b, writer.Write(ctx, "go", -1, "y"))
				must(b, <-took)
			}
		})
	}
}

// BenchmarkBatch writes tuples a hundred at a time and takes them all. The
// bare counterpart sends a message of the same size there and back, twice.
func BenchmarkBatch(b *testing.B) {
	const batch = 100
	ctx := context.Background()
	var tuples []Tuple
	for i := range batch {
		tuples = append(tuples, Tuple{"fac", i})
	}
	text := encode(map[string]any{"op": "write", "tuples": tuples})
	b.Run("echo", func(b *testing.B) {
		ask := echo(b)
		for b.Loop() {
			ask(text)
			ask(text)
		}
		b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "tuples/s")
	})
	b.Run("space", func(b *testing.B) {
		space := connect(b, serve(b, newAddress()).address)
		for b.Loop() {
			must(b, space.WriteAll(ctx, tuples...))
			all, err := space.TakeAll(ctx, "fac", Any)
			if err != nil || len(all) != batch {
				b.Fatal(len(all), err)
			}
		}
		b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "tuples/s")
	})
}
