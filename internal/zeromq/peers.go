package zeromq

import (
	"errors"
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"
)

// Peers hears of every peer that connects to a socket.
type Peers struct {
	watched *zmq.Socket
	monitor *zmq.Socket
}

// Watch begins to listen for peers; call it before Bind. It is meant for the
// goroutine that owns the socket.
func Watch(socket *zmq.Socket) (*Peers, error) {
	const address = "inproc://peers"
	// A peer counts when it has said which protocol it speaks: from then on
	// it takes its share of the messages.
	err := socket.Monitor(address, zmq.EVENT_HANDSHAKE_SUCCEEDED)
	if err != nil {
		return nil, fmt.Errorf("watch for peers: %w", err)
	}
	monitor, err := zmq.NewSocket(zmq.PAIR)
	if err != nil {
		return nil, fmt.Errorf("watch for peers: %w", err)
	}
	if err := errors.Join(monitor.SetLinger(0),
		monitor.Connect(address)); err != nil {
		return nil, errors.Join(fmt.Errorf("watch for peers: %w", err),
			monitor.Close())
	}
	return &Peers{socket, monitor}, nil
}

// Await waits until n peers have connected, counts them aloud by the name
// that they have, and stops listening for more.
func (p *Peers) Await(n int, name string) error {
	for here := 1; here <= n; here++ {
		if _, _, _, err := p.monitor.RecvEvent(0); err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
		log.Printf("%s: %d of %d", name, here, n)
	}
	return p.watched.Monitor("", 0)
}

// Close must come before the context's Term.
func (p *Peers) Close() error { return p.monitor.Close() }
