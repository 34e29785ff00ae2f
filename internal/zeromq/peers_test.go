package zeromq_test

import (
	"io"
	"log"
	"net"
	"os"
	"strings"
	"testing"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab/labtest"
)

// lines is what the log prints, line by line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- strings.TrimSpace(string(line))
	return len(line), nil
}

// Peers are counted while they are there: who goes is not, nor who connects
// and does not speak ZeroMQ, nor who comes back a second time.
func TestPeersThatAreThere(t *testing.T) {
	printed := make(lines, 100)
	log.SetOutput(printed)
	defer log.SetOutput(os.Stderr)
	log.SetFlags(0)
	expect := func(want string) {
		t.Helper()
		if line := <-printed; line != want {
			t.Fatalf("it prints %q, expected %q", line, want)
		}
	}

	server := open(t, zmq.PUSH)
	labtest.Must(t, server.WatchPeers())
	labtest.Must(t, server.Bind("tcp://127.0.0.1:*"))
	address := server.Address()
	done := make(chan error, 1)
	go func() { done <- server.AwaitPeers(2, "peers") }()
	join := func() *zmq.Socket {
		peer := labtest.Socket(t, zmq.PULL)
		labtest.Must(t, peer.Connect(address))
		return peer
	}

	first := join()
	expect("peers: 1 of 2")
	labtest.Must(t, first.Close())
	expect("peers: 0 of 2")

	// The server cuts off whoever says nothing, or something else.
	version3 := "\xff00000000\x7f\x03\x00"
	for _, greeting := range []string{"", version3 +
		"UNKNOWN MECHANISM   " + strings.Repeat("\x00", 32)} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp://"))
		labtest.Must(t, err)
		_, err = conn.Write([]byte(greeting))
		labtest.Must(t, err)
		labtest.Must(t, conn.(*net.TCPConn).CloseWrite())
		_, err = io.Copy(io.Discard, conn)
		if err != nil {
			t.Logf("it is cut off: %v", err)
		}
		conn.Close()
	}

	join()
	expect("peers: 1 of 2")
	join()
	expect("peers: 2 of 2")
	labtest.Must(t, <-done)
}
