package zeromq_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	"distsys/internal/local"
	"distsys/internal/zeromq"
)

// The kinds of sockets that servers bind.
var servers = []zmq.Type{zmq.REP, zmq.XPUB, zmq.PUSH, zmq.PULL, zmq.ROUTER}

func open(t *testing.T, kind zmq.Type) *zeromq.Socket {
	t.Helper()
	socket, err := zeromq.Open(t.Context(), kind)
	labtest.Must(t, err)
	t.Cleanup(func() { socket.Close() })
	labtest.Must(t, socket.SetRcvtimeo(lab.Patience))
	return socket
}

// serve binds a REP socket, which replies to one request.
func serve(t *testing.T, address string) (at string, replied <-chan error) {
	t.Helper()
	server := open(t, zmq.REP)
	labtest.Must(t, server.Bind(address))
	done := make(chan error, 1)
	go func() {
		request, err := server.Recv(0)
		if err == nil {
			_, err = server.Send(request+"!", 0)
		}
		done <- err
	}()
	return server.Address(), done
}

func TestAddressIsTheRealOne(t *testing.T) {
	for _, kind := range servers {
		server := open(t, kind)
		labtest.Must(t, server.Bind("tcp://127.0.0.1:*"))
		at, isTCP := strings.CutPrefix(server.Address(), "tcp://")
		if !isTCP {
			t.Fatalf("%v listens on %q", kind, server.Address())
		}
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Errorf("%v does not listen on its address: %v", kind, err)
			continue
		}
		conn.Close()
	}
}

func TestConnects(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		six.Close()
	}
	for _, c := range []struct {
		bind, connect string // the latter without the port
		needsIPv6     bool
	}{
		{"tcp://127.0.0.1:*", "tcp://127.0.0.1", false},
		{"tcp://127.0.0.1:*", "tcp://localhost", false},
		{"tcp://*:*", "tcp://127.0.0.1", false},
		{"tcp://127.0.0.1:*", "tcp://127.0.0.1:*;127.0.0.1", false},
		{"tcp://[::1]:*", "tcp://[::1]", true},
		{"tcp://[::]:*", "tcp://[::1]", true},
		{"tcp://[::]:*", "tcp://127.0.0.1", true},
	} {
		if c.needsIPv6 && err != nil {
			t.Logf("%s is not tested: no IPv6 here (%v)", c.bind, err)
			continue
		}
		at, replied := serve(t, c.bind)
		client := open(t, zmq.REQ)
		port := at[strings.LastIndex(at, ":"):]
		labtest.Must(t, client.Connect(c.connect+port))
		_, err := client.Send("hello", 0)
		labtest.Must(t, err)
		reply, err := client.Recv(0)
		if err != nil || reply != "hello!" {
			t.Errorf("%s at %s: %q, %v", c.connect, at, reply, err)
		}
		labtest.Must(t, <-replied)
	}
}

func TestUnknownHost(t *testing.T) {
	err := open(t, zmq.REQ).Connect("tcp://no-such-host.invalid:1")
	if err == nil || !strings.HasPrefix(err.Error(),
		"lookup no-such-host.invalid: ") {
		t.Errorf("the error is %v", err)
	}

	// When the program is told to stop, it does not look up anything.
	ctx, stop := context.WithCancel(t.Context())
	socket, err := zeromq.Open(ctx, zmq.REQ)
	labtest.Must(t, err)
	defer socket.Close()
	stop()
	if err := socket.Connect("tcp://no-such-host.invalid:1"); err == nil {
		t.Error("it connects")
	}
}

// What is no address is refused as that, and not looked up.
func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"", "12345", "tcp://", "tcp://127.0.0.1",
		"tcp://[::1]", "tcp://:1", "http://127.0.0.1:1", "tcp://1:2:3:4"} {
		if err := open(t, zmq.REQ).Connect(address); err == nil ||
			strings.Contains(err.Error(), "lookup") {
			t.Errorf("connect to %q: %v", address, err)
		}
		if err := open(t, zmq.REP).Bind(address); err == nil {
			t.Errorf("bind to %q succeeds", address)
		}
	}
}

// A frame of MaxFrame bytes comes through. Whoever sends a longer one is cut
// off, and the next peer is served.
func TestLongFrames(t *testing.T) {
	at, replied := serve(t, "tcp://127.0.0.1:*")
	const events = "inproc://long-frames"
	client := labtest.Socket(t, zmq.REQ)
	labtest.Must(t, client.Monitor(events, zmq.EVENT_DISCONNECTED))
	monitor := labtest.Socket(t, zmq.PAIR)
	labtest.Must(t, monitor.Connect(events))

	labtest.Must(t, client.Connect(at))
	_, err := client.SendBytes(make([]byte, zeromq.MaxFrame+1), 0)
	labtest.Must(t, err)
	poller := zmq.NewPoller()
	poller.Add(client, zmq.POLLIN)
	poller.Add(monitor, zmq.POLLIN)
	ready, err := poller.Poll(lab.Patience)
	labtest.Must(t, err)
	labtest.Must(t, client.Monitor("", 0)) // before its reader is closed
	if len(ready) != 1 || ready[0].Socket != monitor {
		t.Fatalf("it was not cut off: %v", ready)
	}

	next := open(t, zmq.REQ)
	labtest.Must(t, next.Connect(at))
	_, err = next.SendBytes(make([]byte, zeromq.MaxFrame), 0)
	labtest.Must(t, err)
	reply, err := next.Recv(0)
	if err != nil || len(reply) != zeromq.MaxFrame+1 {
		t.Errorf("the next got %d bytes, %v", len(reply), err)
	}
	labtest.Must(t, <-replied)
}

// The limits hold for servers of every kind. What they do is tested in
// TestLongFrames, and with each pattern's servers.
func TestLimits(t *testing.T) {
	for _, kind := range servers {
		server := open(t, kind)
		labtest.Must(t, server.Bind("tcp://127.0.0.1:*"))
		backlog, err := server.GetBacklog()
		labtest.Must(t, err)
		frame, err := server.GetMaxmsgsize()
		labtest.Must(t, err)
		if backlog != zeromq.Backlog || frame != zeromq.MaxFrame {
			t.Errorf("%v: backlog %d, frames up to %d", kind, backlog, frame)
		}
	}
}

// When the context ends, what waits returns; a socket that is closed before
// that is no longer concerned.
func TestStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	closed, err := zeromq.Open(ctx, zmq.PULL)
	labtest.Must(t, err)
	labtest.Must(t, closed.Close())
	waits, err := zeromq.Open(ctx, zmq.PULL)
	labtest.Must(t, err)
	labtest.Must(t, waits.Bind("tcp://127.0.0.1:*"))
	go stop()
	if _, err := waits.Recv(0); !errors.Is(err, zmq.ETERM) {
		t.Errorf("Recv returns %v", err)
	}
	labtest.Must(t, waits.Close())
}

// After Ctrl-C, Close waits for a moment at most, whatever the linger, and
// drops what nobody has taken by then. If all is taken it drops nothing.
func TestCloseAfterStop(t *testing.T) {
	for _, c := range []struct {
		messages, size int
		err            error
	}{
		{messages: 1, size: 10},
		// Too much for the system's buffers, and the peer does not read.
		{messages: 100, size: 100_000, err: zeromq.ErrDropped},
	} {
		ctx, stop := context.WithCancel(t.Context())
		push, err := zeromq.Open(ctx, zmq.PUSH)
		labtest.Must(t, err)
		labtest.Must(t, push.SetLinger(-1))
		labtest.Must(t, push.SetSndbuf(4096))
		labtest.Must(t, push.Bind("tcp://127.0.0.1:*"))
		pull := labtest.Socket(t, zmq.PULL)
		labtest.Must(t, pull.SetRcvhwm(1))
		labtest.Must(t, pull.SetRcvbuf(4096))
		labtest.Must(t, pull.Connect(push.Address()))
		for range c.messages {
			_, err := push.SendBytes(make([]byte, c.size), 0)
			labtest.Must(t, err)
		}
		stop()
		if err := push.Close(); !errors.Is(err, c.err) {
			t.Errorf("%d messages: Close returns %v, expected %v", c.messages,
				err, c.err)
		}
	}
}

// Without Ctrl-C, Close waits as long as the linger says.
func TestCloseDelivers(t *testing.T) {
	push := open(t, zmq.PUSH)
	labtest.Must(t, push.SetLinger(-1))
	// It tries again so late that a linger of a moment would be over.
	labtest.Must(t, push.SetReconnectIvl(time.Second))
	address := "tcp://127.0.0.1:" + strconv.Itoa(local.FreePort())
	labtest.Must(t, push.Connect(address)) // nobody is there yet
	_, err := push.Send("late", 0)
	labtest.Must(t, err)
	closed := make(chan error)
	go func() { closed <- push.Close() }()
	pull := open(t, zmq.PULL)
	labtest.Must(t, pull.Bind(address))
	if text, err := pull.Recv(0); err != nil || text != "late" {
		t.Errorf("received %q, %v", text, err)
	}
	labtest.Must(t, <-closed)
}
