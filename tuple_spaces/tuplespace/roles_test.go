package tuplespace

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/local"
)

// Servers and clients that are measured or attacked are processes of their
// own: this test program, started with a role.
const roleVar = "TUPLESPACE_ROLE"

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(roleVar)); len(words) > 0 {
		if err := play(words[0], words[1], words[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// play plays a role, until it is interrupted or done.
func play(role, address string, words []string) error {
	switch role {
	case "echo":
		return bareServer(address, func(message [][]byte) [][][]byte {
			return [][][]byte{message}
		})
	case "passer":
		return bareServer(address, passer())
	case "space":
		return spaceServer(address, words)
	case "bare":
		return bareClient(address, words[0])
	case "attacker":
		return attacker(address, words[0])
	case "takers":
		return takers(address, words[0])
	case "client":
		return ourClient(address, words[0])
	}
	return errors.New("no role " + role)
}

// bareServer is a server that does nothing but send messages for messages.
func bareServer(address string, f func(message [][]byte) [][][]byte) error {
	socket, err := zmq.NewSocket(zmq.ROUTER)
	if err != nil {
		return err
	}
	if err := socket.Bind(address); err != nil {
		return err
	}
	go func() { // the bare library does not hear Ctrl-C
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt)
		<-stop
		os.Exit(0)
	}()
	fmt.Println("listening")
	for {
		message, err := socket.RecvMessageBytes(0)
		if err != nil {
			return err
		}
		for _, reply := range f(message) {
			if _, err := socket.SendMessage(reply); err != nil {
				return err
			}
		}
	}
}

// passer passes on what one client sends to another, which has said that it
// waits. It prints a line when one does.
func passer() func(message [][]byte) [][][]byte {
	var waits [][]byte
	return func(message [][]byte) [][][]byte {
		if string(message[2]) == "wait" {
			waits = message
			fmt.Println("waits")
			return nil
		}
		passed := [][]byte{waits[0], nil, message[2]}
		message[2] = []byte("ok")
		return [][][]byte{passed, message}
	}
}

// spaceServer is a tuple space, set up as the real program sets it up, with n
// tuples in it and m clients that wait to read others. It prints a line when
// another one waits.
func spaceServer(address string, words []string) error {
	s, err := Listen(address)
	if err != nil {
		return err
	}
	debug.SetGCPercent(400)
	n, m := 0, 0
	for _, word := range words {
		if word == "simple" {
			s.UseSimple()
		}
		if path, ok := strings.CutPrefix(word, "journal="); ok {
			if _, err := s.UseJournal(path); err != nil {
				return err
			}
		}
		fmt.Sscanf(word, "n=%d", &n)
		fmt.Sscanf(word, "m=%d", &m)
	}
	s.space.advance(time.Now())
	var tuples []any
	if slices.Contains(words, "with-stray") {
		tuples = append(tuples, "stray")
	}
	for i := range n {
		tuples = append(tuples, i)
	}
	for _, x := range tuples {
		tuple, err := newEntry(raws([]any{"n", x}))
		if err != nil {
			return err
		}
		s.space.write([]*entry{tuple}, 0)
	}
	if slices.Contains(words, "taken") { // as many as do not yet halve the list
		pattern, err := newPattern([]json.RawMessage{json.RawMessage(`"n"`),
			json.RawMessage(`{"?":"int"}`)})
		if err != nil {
			return err
		}
		s.space.find(&query{pattern: pattern, take: true, max: n * 2 / 5,
			room: 1 << 30})
	}
	for i := range m {
		pattern, err := newPattern(raws([]any{"go", i, "x"}))
		if err != nil {
			return err
		}
		s.space.wait(&wait{query: &query{pattern: pattern, max: 1},
			until: time.Now().Add(time.Hour)})
	}
	if m > 0 {
		s.Log = func(format string, args ...any) {
			if line := fmt.Sprintf(format, args...); strings.HasSuffix(line, "waits") {
				fmt.Println("waits")
			}
		}
	}
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	fmt.Println("listening")
	if err := s.Serve(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

const (
	writeText = `{"op":"write","tuples":[["fac",5]],"client":"4711","seq":%d}`
	takeText  = `{"op":"take","pattern":["fac",null],"wait_ms":2000,` +
		`"client":"4711","seq":%d}`
)

// bareClient sends the requests of our clients as fixed text, as many pairs
// as each line of its input says. It does not read the replies.
func bareClient(address, id string) error {
	socket, err := zmq.NewSocket(zmq.REQ)
	if err != nil {
		return err
	}
	if err := socket.Connect(address); err != nil {
		return err
	}
	ask := func(text string, seq int) error {
		text = strings.Replace(text, "4711", id, 1)
		if _, err := socket.Send(fmt.Sprintf(text, seq), 0); err != nil {
			return err
		}
		_, err := socket.RecvBytes(0)
		return err
	}
	seq := 0
	return inRounds(func() error {
		seq += 2
		if err := ask(writeText, seq); err != nil {
			return err
		}
		return ask(takeText, seq+1)
	})
}

// takers are many clients that wait to take a tuple.
func takers(address, words string) error {
	n, err := strconv.Atoi(words)
	if err != nil {
		return err
	}
	sockets := make([]*zmq.Socket, n) // without a reference they are closed
	for i := range sockets {
		if sockets[i], err = zmq.NewSocket(zmq.REQ); err != nil {
			return err
		}
		if err := sockets[i].Connect(address); err != nil {
			return err
		}
		_, err := sockets[i].Send(`{"op":"take","pattern":["frozen",null],`+
			`"wait_ms":10000}`, 0)
		if err != nil {
			return err
		}
	}
	fmt.Println("waiting")
	_, err = io.Copy(io.Discard, os.Stdin) // until the end
	runtime.KeepAlive(sockets)
	return err
}

func ourClient(address, id string) error {
	space, err := Connect(address)
	if err != nil {
		return err
	}
	space.Name = "client " + id
	ctx := context.Background()
	return inRounds(func() error {
		if err := space.Write(ctx, "fac", 5); err != nil {
			return err
		}
		var n int
		_, err := space.Take(ctx, "fac", &n)
		return err
	})
}

// inRounds reads numbers, and does something as often as each of them says.
func inRounds(f func() error) error {
	if err := f(); err != nil { // connects
		return err
	}
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		n, err := strconv.Atoi(input.Text())
		if err != nil {
			return err
		}
		for range n {
			if err := f(); err != nil {
				return err
			}
		}
		fmt.Println("done")
	}
	return nil
}

// A process plays a role.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	address  string
	isClient bool
	in       io.WriteCloser
	out      *bufio.Scanner
}

// begin starts a process, and waits for its first line. It ends it, in the
// end.
func begin(t testing.TB, role, address string, words ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0]), address: address,
		isClient: role == "bare" || role == "client"}
	if strings.HasSuffix(role, "/server") { // the real program
		p.cmd = exec.Command(role, "-bind", address)
	}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s", roleVar, role,
		address, strings.Join(words, " ")))
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = local.OwnGroup()
	in, err := p.cmd.StdinPipe()
	must(t, err)
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	p.in, p.out = in, bufio.NewScanner(out)
	must(t, p.cmd.Start())
	t.Cleanup(func() { p.end() })
	p.line()
	if strings.HasSuffix(role, "/server") {
		go io.Copy(io.Discard, out) // what it prints is read
	}
	return p
}

// line waits for the next line that the process prints.
func (p *process) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatal("a process has ended: ", p.cmd.Env[len(p.cmd.Env)-1])
	}
	return p.out.Text()
}

// end ends the process: a client by the end of its input, a server by Ctrl-C.
func (p *process) end() {
	if p.cmd.ProcessState != nil {
		return
	}
	p.in.Close()
	if !p.isClient {
		p.cmd.Process.Signal(os.Interrupt)
	}
	late := time.AfterFunc(10*time.Second, func() { p.cmd.Process.Kill() })
	p.cmd.Wait()
	late.Stop()
}

// cpu ends the process, and returns the processor time that it has used.
func (p *process) cpu() time.Duration {
	p.end()
	state := p.cmd.ProcessState
	return state.UserTime() + state.SystemTime()
}
