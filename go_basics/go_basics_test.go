package gobasics_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

const (
	serverProgram = "go_basics/sockets/server"
	clientProgram = "go_basics/sockets/client"
)

func TestMain(m *testing.M) { labtest.Main(m, "go_basics") }

func TestExperiments(t *testing.T) {
	t.Parallel()
	labtest.Experiments(t, "go_basics/sockets", "byte-stream")
}

func TestStory(t *testing.T) {
	t.Parallel()
	run := labtest.New(t).Start("go_basics/sockets/run")
	if run.Wait() != 0 || !strings.Contains(run.Text(),
		`: received 13 bytes: "Hello, world!"`) {
		t.Errorf("the story is %q", run.Text())
	}
}

func TestSpawn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		name string
	}{
		{nil, "bob"}, {[]string{"Zoë Q."}, "Zoë Q."},
		{[]string{"--", "-h"}, "-h"},
	} {
		spawn := labtest.New(t).Start("go_basics/ipc/spawn", c.args...)
		if status := spawn.Wait(); status != 0 {
			t.Errorf("status %d", status)
		}
		text := spawn.Text()
		ids := regexp.MustCompile(`^spawn (\d+): parent: ` +
			`my parent is process (\d+), I am process (\d+)\n` +
			`spawn (\d+): child: hello ` + regexp.QuoteMeta(c.name) + `\n` +
			`spawn (\d+): child: ` +
			`my parent is process (\d+), I am process (\d+)\n` +
			`spawn (\d+): parent: the child has ended$`,
		).FindStringSubmatch(text)
		if ids == nil {
			t.Errorf("spawn %q printed %q", c.args, text)
			continue
		}
		ours, parent := fmt.Sprint(os.Getpid()), fmt.Sprint(spawn.PID())
		child := ids[7]
		want := []string{parent, ours, parent, child, child, parent, child,
			parent}
		if !slices.Equal(ids[1:], want) || child == parent || child == ours {
			t.Errorf("the test is %s, the parent %s: %q", ours, parent, text)
		}
	}
}

func TestPipe(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	run := l.Start("go_basics/ipc/run")
	if status := run.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	text := run.Text()
	client := regexp.MustCompile(`(?m)^client (\d+): ` +
		`sent a list of a number, a text and a map$`).FindStringSubmatch(text)
	server := regexp.MustCompile(`(?m)^server (\d+): ` +
		`waiting for a list$`).FindStringSubmatch(text)
	if client == nil || server == nil || client[1] == server[1] ||
		client[1] == fmt.Sprint(run.PID()) ||
		server[1] == fmt.Sprint(run.PID()) {
		t.Fatalf("no two children: %q", text)
	}
	for _, value := range []string{"42, as float64", "hello world, as string",
		"map[key:value], as map[string]interface {}"} {
		if n := lab.Count("server "+server[1]+": received "+value, run); n != 1 {
			t.Errorf("%d times %q in %q", n, value, text)
		}
	}
	if n := len(run.Lines()); n != 5 {
		t.Errorf("%d lines: %q", n, text)
	}
}

// startRole starts ipc/run as one of its children, with the test at the other
// end of the pipe. Where there is a line to wait for, it waits for that.
func startRole(t *testing.T, role, line string) (child *exec.Cmd,
	pipe *os.File, stdout *bufio.Reader, stderr *bytes.Buffer) {
	t.Helper()
	syscall.ForkLock.RLock() // no other test starts a process in between
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	pipe = os.NewFile(uintptr(ends[0]), "the test's end")
	theirs := os.NewFile(uintptr(ends[1]), "the child's end")
	t.Cleanup(func() { pipe.Close() })
	defer theirs.Close()

	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	t.Cleanup(cancel)
	child = exec.CommandContext(ctx,
		filepath.Join(os.Getenv(lab.BinVar), "go_basics/ipc/run"))
	child.Env = append(os.Environ(), "IPC_ROLE="+role)
	child.ExtraFiles = []*os.File{theirs}
	stderr = &bytes.Buffer{}
	child.Stderr = stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stdout = bufio.NewReader(output)
	if line != "" {
		got, err := stdout.ReadString('\n')
		want := fmt.Sprintf("%s %d: %s\n", role, child.Process.Pid, line)
		if err != nil || got != want {
			t.Errorf("%q instead of %q, %v", got, want, err)
		}
	}
	return child, pipe, stdout, stderr
}

// What goes through the pipe is JSON, which other languages read as well.
func TestPipeCarriesJSON(t *testing.T) {
	t.Parallel()
	child, pipe, _, stderr := startRole(t, "client",
		"sent a list of a number, a text and a map")
	sent, err := io.ReadAll(pipe)
	want := `[42,"hello world",{"key":"value"}]` + "\n"
	if err != nil || string(sent) != want {
		t.Errorf("the client sends %q, %v", sent, err)
	}
	if err := child.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("the client ended with %v, %s", err, stderr)
	}
}

// A client that dies before it has sent all, or sends something else.
func TestPipeServerRefuses(t *testing.T) {
	t.Parallel()
	for sent, says := range map[string]string{
		"":              "receive: EOF",
		`[42, "hell`:    "receive: unexpected EOF",
		"nonsense":      "receive: invalid character",
		`{"no":"list"}`: "receive: json: cannot unmarshal object",
	} {
		child, pipe, _, stderr := startRole(t, "server", "waiting for a list")
		if _, err := io.WriteString(pipe, sent); err != nil {
			t.Fatal(err)
		}
		if err := pipe.Close(); err != nil {
			t.Fatal(err)
		}
		err := child.Wait()
		begins := fmt.Sprintf("server %d: %s", child.Process.Pid, says)
		if child.ProcessState.ExitCode() != 1 ||
			!strings.HasPrefix(stderr.String(), begins) ||
			strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("sent %q, the server says %q, %v", sent, stderr, err)
		}
	}
}

func TestPipeServerStops(t *testing.T) {
	t.Parallel()
	child, _, stdout, stderr := startRole(t, "server", "waiting for a list")
	if err := child.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stdout)
	want := fmt.Sprintf("server %d: stopped\n", child.Process.Pid)
	if err != nil || string(rest) != want {
		t.Errorf("after Ctrl-C it prints %q, %v", rest, err)
	}
	if err := child.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("it ended with %v, %s", err, stderr)
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	channels := labtest.New(t).Start("go_basics/channels")
	status := channels.Wait()
	prefix := fmt.Sprintf("channels %d: ", channels.PID())
	want := prefix + strings.Join([]string{
		`server: received 42, as int`,
		`server: received hello world, as string`,
		`server: received map[key:value], as map[string]interface {}`,
		`server: received "Hello, world"`,
		`client: received "Hello, world!"`,
		`server: the client has closed`,
		`client: the server has closed`,
	}, "\n"+prefix)
	if status != 0 || channels.Text() != want {
		t.Errorf("status %d, %q", status, channels.Text())
	}
}

// address returns one that nobody uses.
func address(l *lab.Lab) string {
	return strings.TrimPrefix(l.Address(), "tcp://")
}

// serve starts a socket server on an address of its own.
func serve(l *lab.Lab) (server *lab.Process, at string) {
	at = address(l)
	server = l.Start(serverProgram, "-bind", at)
	server.WaitFor("listening on " + at)
	return server, at
}

// dial connects the test itself to a server.
func dial(t *testing.T, at string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// listen has the test itself listen.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	listener, err := net.Listen("tcp", address(labtest.New(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.(*net.TCPListener)
}

// accept waits for a client of that listener.
func accept(t *testing.T, listener *net.TCPListener) *net.TCPConn {
	t.Helper()
	err := listener.SetDeadline(time.Now().Add(lab.Patience))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listener.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestEcho(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	for _, c := range []struct {
		args            []string
		received, print string // by the server, by the client
	}{
		{nil, `12 bytes: "Hello, world"`, `13 bytes: "Hello, world!"`},
		{[]string{"Grüße 🐇"}, `12 bytes: "Grüße 🐇"`, `13 bytes: "Grüße 🐇!"`},
		{[]string{"-repeat", "3", "ab"}, `6 bytes: "ababab"`,
			`7 bytes: "ababab!"`},
		// TCP cannot carry an empty message: nothing arrives.
		{[]string{""}, "", `0 bytes: ""`},
	} {
		server, at := serve(l)
		client := l.Start(clientProgram,
			append([]string{"-connect", at}, c.args...)...)
		status := client.Wait()
		lines := client.Lines()
		if status != 0 || lines[len(lines)-1] !=
			fmt.Sprintf("client %d: received %s", client.PID(), c.print) {
			t.Errorf("client %q: status %d, %q", c.args, status, lines)
		}
		status = server.Wait()
		lines = server.Lines()
		if status != 0 || !strings.HasSuffix(lines[len(lines)-1],
			": the client has closed") || c.received != "" && lab.Count(
			fmt.Sprintf("server %d: received %s", server.PID(), c.received),
			server) != 1 {
			t.Errorf("the server to %q: status %d, %q", c.args, status, lines)
		}
	}
}

// Each chunk that the server reads comes back with a ! added: here each chunk
// is read before the next is sent.
func TestEveryChunkIsAnswered(t *testing.T) {
	t.Parallel()
	server, at := serve(labtest.New(t))
	conn := dial(t, at)
	for _, chunk := range []string{"one", "\x00\xff", "!", "x\n"} {
		if _, err := io.WriteString(conn, chunk); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, len(chunk)+1)
		if _, err := io.ReadFull(conn, answer); err != nil ||
			string(answer) != chunk+"!" {
			t.Errorf("%q was answered with %q, %v", chunk, answer, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if status := server.Wait(); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
}

const large = 10 << 20 // 10 MiB

func TestLargeMessage(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	server, at := serve(l)
	client := l.Start(clientProgram, "-connect", at,
		"-repeat", fmt.Sprint(large), "x")
	if client.Wait() != 0 || server.Wait() != 0 {
		t.Error("client or server has failed")
	}
	chunks := lab.Count("received", server)
	if chunks < large/1024 || client.LastNumber("received ") != large+chunks {
		t.Errorf("received in %d chunks, and %d bytes came back", chunks,
			client.LastNumber("received "))
	}
}

// The same, and whether every byte comes back in its place.
func TestLargeMessageComesBackAsItIs(t *testing.T) {
	t.Parallel()
	_, at := serve(labtest.New(t))
	conn := dial(t, at)
	message := []byte(strings.Repeat("0123456789abcdefg", large/17+1))
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(message)
		sent <- errors.Join(err, conn.CloseWrite())
	}()
	answer, err := io.ReadAll(conn)
	if err := errors.Join(err, <-sent); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(answer, []byte("!"), nil), message) {
		t.Error("another message came back")
	}
}

// One connection after the other: this server accepts one and no more.
func TestSecondClientIsNotServed(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	server, at := serve(l)
	first := dial(t, at)
	server.WaitFor("accepted")
	second := l.Start(clientProgram, "-connect", at)
	second.WaitFor("sent") // it is connected, but nobody reads
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if status := server.Wait(); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	if status := second.Wait(); status != 1 || len(second.Stderr()) != 1 {
		t.Errorf("the second client: status %d, %q", status, second.Stderr())
	}
	if n := lab.Count("received", server); n != 0 {
		t.Errorf("the server has received %d times", n)
	}
}

// A client that crashes with an answer unread resets the connection.
func TestConnectionReset(t *testing.T) {
	t.Parallel()
	server, at := serve(labtest.New(t))
	conn := dial(t, at)
	server.WaitFor("accepted")
	if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
		t.Fatal(err)
	}
	if status := server.Wait(); status != 1 || len(server.Stderr()) != 1 ||
		!strings.Contains(server.Stderr()[0], "connection reset by peer") {
		t.Errorf("the server: status %d, %q", status, server.Stderr())
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	at := address(labtest.New(t))
	labtest.Refused(t, clientProgram, []string{"-connect", at},
		"no server listens at "+at, "go run ./go_basics/sockets/server")
}

func TestBadAddress(t *testing.T) {
	t.Parallel()
	_, taken := serve(labtest.New(t))
	labtest.Refused(t, serverProgram, []string{"-bind", taken},
		taken, "address already in use", "the port is taken")
	for at, says := range map[string]string{
		"no-such-host.invalid:12350": "lookup no-such-host.invalid",
		"no..such..host:12350":       "lookup no..such..host: no such host",
		"12350":                      "missing port in address",
		"127.0.0.1":                  "missing port in address",
		"127.0.0.1:99999":            "invalid port",
		"127.0.0.1:echo-o":           "unknown port",
		"tcp://127.0.0.1:12350":      "too many colons in address",
	} {
		labtest.Refused(t, serverProgram, []string{"-bind", at},
			"create the listener: ", says)
		labtest.Refused(t, clientProgram, []string{"-connect", at},
			"connect: ", says)
	}
}

func TestBadCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		program string
		args    []string
		says    string
	}{
		{serverProgram, []string{"-bnd", "x"},
			"server: unknown flag -bnd (flags: -bind, "},
		{serverProgram, []string{"x"}, `server: surplus argument "x"`},
		{clientProgram, []string{"a", "b", "c"}, `surplus argument "c"`},
		{clientProgram, []string{"a", "-repeat", "2"},
			"flags come before words"},
		{clientProgram, []string{"-repeat", "-1"}, "below zero"},
		{clientProgram, []string{"-repeat", "many"}, "invalid value"},
		{"go_basics/ipc/spawn", []string{"a", "b"}, `surplus argument "b"`},
		{"go_basics/ipc/spawn", []string{"-x"}, "spawn: unknown flag -x"},
		{"go_basics/ipc/run", []string{"x"}, `run: surplus argument "x"`},
		{"go_basics/ipc/run", []string{"-x"}, "run: unknown flag -x"},
		{"go_basics/channels", []string{"x"}, `surplus argument "x"`},
		{"go_basics/channels", []string{"-x"}, "channels: unknown flag -x"},
		{"go_basics/sockets/run", []string{"bytestream"},
			`no experiment "bytestream"; there are: byte-stream`},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

// A message that would not fit into memory is refused, and not even begun.
func TestTooLong(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-repeat", "100000001", "x"}, {"-repeat", "50000001", "xx"},
		{"-repeat", fmt.Sprint(int64(1) << 62), "xx"},
	} {
		server, at := serve(labtest.New(t))
		labtest.Refused(t, clientProgram,
			append([]string{"-connect", at}, args...), "100 million bytes")
		if server.Wait() != 0 || lab.Count("received", server) != 0 {
			t.Errorf("%q: the server printed %q", args, server.Text())
		}
	}
}

func TestCtrlCServer(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)

	// Blocked in Accept.
	server, _ := serve(l)
	labtest.StopsAtOnce(t, server)

	// Blocked in Read: before anything has come, and after.
	server, at := serve(l)
	dial(t, at)
	server.WaitFor("accepted")
	labtest.StopsAtOnce(t, server)
	server, at = serve(l)
	conn := dial(t, at)
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	labtest.StopsAtOnce(t, server)

	// Blocked in Write, since the test never reads what comes back: the
	// server is, as soon as it takes nothing more from the test.
	server, at = serve(l)
	conn = dial(t, at)
	if err := conn.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	for taken := true; taken; {
		limit := time.Now().Add(200 * time.Millisecond)
		if err := conn.SetWriteDeadline(limit); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Write(make([]byte, 1<<20))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		taken = n > 0
	}
	labtest.StopsAtOnce(t, server)
}

func TestCtrlCClient(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)

	// Blocked in Read: a silent server, played by the test, has it all.
	listener := listen(t)
	client := l.Start(clientProgram, "-connect", listener.Addr().String())
	conn := accept(t, listener)
	if text, err := io.ReadAll(conn); string(text) != "Hello, world" {
		t.Fatalf("received %q, %v", text, err)
	}
	labtest.StopsAtOnce(t, client)

	// Blocked in Write: the silent server takes but the first byte of 20 MB,
	// which are more than the buffers between the two can hold.
	client = l.Start(clientProgram, "-connect", listener.Addr().String(),
		"-repeat", "20000000", "x")
	conn = accept(t, listener)
	if err := conn.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	labtest.StopsAtOnce(t, client)
	if n := lab.Count("sent", client); n != 0 {
		t.Error("20 MB were sent to one who does not read")
	}
}

// Blocked in Dial: the queue of those who want to connect is full.
func TestCtrlCDial(t *testing.T) {
	t.Parallel()
	at := fullListener(t)
	client := labtest.New(t).Start(clientProgram, "-connect", at)
	client.WaitFor("connecting to " + at)
	labtest.StopsAtOnce(t, client)
	if n := len(client.Lines()); n != 2 {
		t.Errorf("the client printed %q", client.Lines())
	}
}

// fullListener listens with a queue for one, and has that one in it. Where
// the system's queue is longer than asked for, it stands for a silent server.
func fullListener(t *testing.T) (at string) {
	t.Helper()
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	syscall.CloseOnExec(socket)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	loopback := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Bind(socket, loopback); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(socket, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	at = fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
	dial(t, at)
	return at
}
