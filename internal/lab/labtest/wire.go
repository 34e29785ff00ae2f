package labtest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Wire leads to a broker, and can be cut. What is connected through it then
// loses its connection, and can connect anew.
type Wire struct {
	URL string // of the broker, through the wire

	mu    sync.Mutex
	conns []net.Conn
}

// NewWire returns a wire to the broker at a URL.
func NewWire(t testing.TB, broker string) *Wire {
	t.Helper()
	to, err := url.Parse(broker)
	Must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	w := &Wire{}
	t.Cleanup(func() {
		listener.Close()
		w.Cut()
	})
	address := to.Host
	to.Host = listener.Addr().String()
	w.URL = to.String()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			far, err := net.Dial("tcp", address)
			if err != nil {
				near.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, near, far)
			w.mu.Unlock()
			go pass(near, far)
			go pass(far, near)
		}
	}()
	return w
}

// pass copies until one of the two is closed, and closes the other.
func pass(from, to net.Conn) {
	io.Copy(to, from) // it ends with an error if the wire is cut
	from.Close()
	to.Close()
}

// Cut breaks all connections.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}
