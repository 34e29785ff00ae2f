package requestreply_test

import (
	"net"
	"strings"
	"testing"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

func TestMain(m *testing.M) {
	labtest.PlayBare(playBare) // see bench_test.go
	labtest.Main(m, "request_reply")
}

func TestExperiments(t *testing.T) {
	t.Parallel()
	labtest.Experiments(t, "request_reply", "client-first", "server-crash",
		"moved-server", "stranger")
}

func TestStory(t *testing.T) {
	run := labtest.New(t).Start("request_reply/run")
	if run.Wait() != 0 || !strings.Contains(run.Text(), ": hello!") ||
		!strings.Contains(run.Text(), ": STOP!") {
		t.Errorf("the story is %q", run.Text())
	}
}

// serve starts a server on an address of its own.
func serve(l *lab.Lab, args ...string) (server *lab.Process, address string) {
	address = l.Address()
	server = l.Start("request_reply/server",
		append([]string{"-bind", address}, args...)...)
	server.WaitFor("listening")
	return server, address
}

func TestClientPrintsTheReplyAlone(t *testing.T) {
	l := labtest.New(t)
	_, address := serve(l)
	for _, args := range [][]string{
		{"hello"}, {""}, {}, {"Grüße, 世界 🐇"}, {strings.Repeat("x", 100_000)},
	} {
		client := l.Start("request_reply/client",
			append([]string{"-connect", address}, args...)...)
		want := strings.Join(args, "") + "!"
		if status := client.Wait(); status != 0 || client.Text() != want {
			t.Errorf("client %.60q: status %d, %.60q", args, status,
				client.Text())
		}
	}
}

// A command line cannot hold 1 MiB, so this one speaks to the server itself,
// as a program in another language would.
func TestLargeAndMultipartRequests(t *testing.T) {
	l := labtest.New(t)
	_, address := serve(l)
	socket := labtest.Socket(t, zmq.REQ)
	labtest.Must(t, socket.Connect(address))
	large := strings.Repeat("ü", 1<<19) // 1 MiB
	for _, c := range []struct {
		request []any
		reply   string
	}{
		{[]any{large}, large + "!"},
		{[]any{"two", "frames"}, "two frames!"},
		{[]any{"\x00\xff"}, "\x00\xff!"},
	} {
		if _, err := socket.SendMessage(c.request...); err != nil {
			t.Fatal(err)
		}
		reply, err := socket.RecvMessage(0)
		if err != nil || len(reply) != 1 || reply[0] != c.reply {
			t.Errorf("%.60q was answered with %.60q, %v", c.request, reply, err)
		}
	}
}

// A reply of two frames is none; a request of two is answered, with a word.
func TestFrames(t *testing.T) {
	l := labtest.New(t)
	server := labtest.Socket(t, zmq.REP)
	address := l.Address()
	labtest.Must(t, server.Bind(address))
	replied := make(chan error, 1)
	go func() {
		_, err := server.Recv(0)
		if err == nil {
			_, err = server.SendMessage("one", "two")
		}
		replied <- err
	}()
	labtest.Refused(t, "request_reply/client", []string{"-connect", address},
		"the reply has 2 frames, one is expected")
	labtest.Must(t, <-replied)

	ours, address := serve(l)
	client := labtest.Socket(t, zmq.REQ)
	labtest.Must(t, client.Connect(address))
	_, err := client.SendMessage("one", "two")
	labtest.Must(t, err)
	ours.WaitFor(": 2 frames, one is expected")
	ours.WaitFor(`received "one two"`)
	_, err = client.RecvMessage(0)
	labtest.Must(t, err)
	_, err = client.SendMessage("one")
	labtest.Must(t, err)
	ours.WaitFor(`replied "one!"`)
	if n := lab.Count("expected", ours); n != 1 {
		t.Errorf("%d complaints about the number of frames", n)
	}
}

// Nobody's reply can colour the terminal, or move about on it.
func TestControlCharacters(t *testing.T) {
	l := labtest.New(t)
	server := labtest.Socket(t, zmq.REP)
	address := l.Address()
	labtest.Must(t, server.Bind(address))
	client := l.Start("request_reply/client", "-connect", address)
	_, err := server.Recv(0)
	labtest.Must(t, err)
	_, err = server.Send("\x1b[31mred\u202e, two\nlines 🐇", 0)
	labtest.Must(t, err)
	const want = `\x1b[31mred\u202e, two` + "\nlines 🐇"
	if client.Wait() != 0 || client.Text() != want {
		t.Errorf("the client printed %q", client.Text())
	}
}

// A request that is too long is not taken: its sender is cut off.
func TestLongRequest(t *testing.T) {
	l := labtest.New(t)
	server, address := serve(l)
	client := labtest.Socket(t, zmq.REQ)
	const events = "inproc://long-request"
	labtest.Must(t, client.Monitor(events, zmq.EVENT_DISCONNECTED))
	monitor := labtest.Socket(t, zmq.PAIR)
	labtest.Must(t, monitor.Connect(events))
	labtest.Must(t, client.Connect(address))
	_, err := client.SendBytes(make([]byte, 50<<20), 0)
	labtest.Must(t, err)

	// Either it is cut off or it has its reply.
	poller := zmq.NewPoller()
	poller.Add(client, zmq.POLLIN)
	poller.Add(monitor, zmq.POLLIN)
	ready, err := poller.Poll(lab.Patience)
	labtest.Must(t, err)
	labtest.Must(t, client.Monitor("", 0)) // before its reader is closed
	if len(ready) != 1 || ready[0].Socket != monitor {
		t.Errorf("50 MiB were taken: %v", ready)
	}

	other := l.Start("request_reply/client", "-connect", address, "x")
	if other.Wait() != 0 || lab.Count("received", server) != 1 {
		t.Errorf("the server printed %.500q", server.Text())
	}
}

func TestTakesACrowd(t *testing.T) {
	server, address := serve(labtest.New(t))
	labtest.TakesACrowd(t, server, address)
}

// The address that the server prints is the one that it has.
func TestRealAddress(t *testing.T) {
	l := labtest.New(t)
	for _, bind := range []string{"tcp://127.0.0.1:*", "tcp://[::1]:*"} {
		if _, err := net.Listen("tcp", "[::1]:0"); err != nil &&
			strings.Contains(bind, "::1") {
			t.Skip("no IPv6 here")
		}
		server := l.Start("request_reply/server", "-bind", bind)
		_, address, _ := strings.Cut(server.WaitFor("listening on "),
			"listening on ")
		client := l.Start("request_reply/client", "-connect", address, "x")
		if client.Wait() != 0 || client.Text() != "x!" {
			t.Errorf("-connect %s: %s", address, client.Text())
		}
	}
}

func TestStopIsAnswered(t *testing.T) {
	l := labtest.New(t)
	server, address := serve(l)
	client := l.Start("request_reply/client", "-connect", address,
		"please STOP now")
	if client.Wait() != 0 || client.Text() != "please STOP now!" {
		t.Errorf("the client printed %q", client.Text())
	}
	if status := server.Wait(); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	address := labtest.New(t).Address()
	labtest.Refused(t, "request_reply/client",
		[]string{"-connect", address, "-timeout", "50ms", "-tries", "2", "x"},
		"no server answered at "+address, "go run ./request_reply/server")
	labtest.Refused(t, "request_reply/client", []string{"-connect",
		"tcp://no-such-host.invalid:1", "-timeout", "50ms", "-tries", "1"},
		"connect to tcp://no-such-host.invalid:1: lookup ",
		"check the name of the machine")
}

func TestBadAddress(t *testing.T) {
	t.Parallel()
	_, taken := serve(labtest.New(t))
	labtest.Refused(t, "request_reply/server", []string{"-bind", taken},
		taken, "the port is taken")
	labtest.Refused(t, "request_reply/server", // libzmq 4.3.5 resolves names
		[]string{"-bind", "tcp://no-such-host.invalid:12345"}, "listen on tcp")
	for _, address := range []string{"12345", "tcp://", "tcp://127.0.0.1",
		"http://127.0.0.1:12345"} {
		labtest.Refused(t, "request_reply/server", []string{"-bind", address},
			"listen on "+address, "looks like tcp://127.0.0.1:12345")
		labtest.Refused(t, "request_reply/client",
			[]string{"-connect", address}, "connect to "+address,
			"looks like tcp://127.0.0.1:12345")
	}
}

func TestBadCommandLine(t *testing.T) {
	t.Parallel()
	server, client := "request_reply/server", "request_reply/client"
	for _, c := range []struct {
		program string
		args    []string
		says    string
	}{
		{server, []string{"-bnd", "x"}, "unknown flag -bnd (flags: -bind, "},
		{server, []string{"x"}, `surplus argument "x"`},
		{server, []string{"-work", "5"}, "times look like 500ms"},
		{server, []string{"-work", "-5s"}, "below zero"},
		{server, []string{"-bind", "tcp://*:99999"}, "up to 65535"},
		{client, []string{"hello", "world"}, `surplus argument "world"`},
		{client, []string{"hello", "-tries", "1"}, "flags come before words"},
		{client, []string{"-tries", "many"}, "invalid value"},
		{client, []string{"-timeout", "1000h"}, "24 days at most"},
		{"request_reply/run", []string{"client-frist"},
			`no experiment "client-frist"; there are: client-first, `},
		{"request_reply/run", []string{"client-first", "-step"},
			"flags come before words"},
	} {
		labtest.Refused(t, c.program, c.args, c.says)
	}
}

func TestCtrlC(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)

	// Blocked in receive: a silent server, played by the test, has the
	// request. Once with a time limit, once as a plain REQ.
	silent := labtest.Socket(t, zmq.REP)
	address := l.Address()
	labtest.Must(t, silent.Bind(address))
	for _, timeout := range []string{"1h", "0"} {
		client := l.Start("request_reply/client", "-connect", address,
			"-timeout", timeout, timeout)
		if request, err := silent.Recv(0); err != nil || request != timeout {
			t.Fatalf("received %q, %v", request, err)
		}
		labtest.StopsAtOnce(t, client)
		if _, err := silent.Send("too late", 0); err != nil {
			t.Fatal(err)
		}
	}

	// Asking again and again.
	client := l.Start("request_reply/client", "-connect", l.Address(),
		"-timeout", "50ms", "-tries", "1000000")
	client.WaitFor("no reply")
	labtest.StopsAtOnce(t, client)

	// The server: before any request, after one, and at work on one.
	server, _ := serve(l)
	labtest.StopsAtOnce(t, server)
	server, address = serve(l)
	l.Start("request_reply/client", "-connect", address, "x").Wait()
	labtest.StopsAtOnce(t, server)
	server, address = serve(l, "-work", "1h")
	client = l.Start("request_reply/client", "-connect", address, "x")
	server.WaitFor("received")
	labtest.StopsAtOnce(t, server)
	labtest.StopsAtOnce(t, client)
}
