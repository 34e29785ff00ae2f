package tuplespace

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab/local"
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

// play is a server until its standard input ends, or a client that makes its
// pairs when a line comes in.
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
			io.Copy(io.Discard, input)
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
	case "space":
		server, err := Listen(address)
		if err != nil {
			return err
		}
		go func() {
			io.Copy(io.Discard, input)
			os.Exit(0)
		}()
		return server.Serve(ctx)
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
	s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	used := s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	n := clients * each
	return float64(n) / took.Seconds(), used / time.Duration(2*n)
}

func BenchmarkPairs(b *testing.B) {
	for b.Loop() {
		echo, echoCPU := pairs(b, "echo", "bare", 8, 3000)
		space, spaceCPU := pairs(b, "space", "bare", 8, 3000)
		lib, libCPU := pairs(b, "space", "client", 8, 3000)
		b.ReportMetric(echo, "echo-pairs/s")
		b.ReportMetric(space, "space-pairs/s")
		b.ReportMetric(lib, "client-pairs/s")
		b.ReportMetric(float64(echoCPU.Nanoseconds()), "echo-cpu-ns/request")
		b.ReportMetric(float64(spaceCPU.Nanoseconds()), "space-cpu-ns/request")
		b.ReportMetric(float64(libCPU.Nanoseconds()), "client-cpu-ns/request")
	}
}
