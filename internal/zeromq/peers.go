package zeromq

import (
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"
)

// WatchPeers begins to watch who connects to the socket and who goes, for
// AwaitPeers. It is called before Bind, so that nobody is overlooked.
func (s *Socket) WatchPeers() error {
	const address = "inproc://peers"
	// A peer counts when it has said which protocol it speaks: from then on
	// it takes its share of the messages.
	err := s.Monitor(address, zmq.EVENT_HANDSHAKE_SUCCEEDED|
		zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL|
		zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL|
		zmq.EVENT_HANDSHAKE_FAILED_AUTH|
		zmq.EVENT_DISCONNECTED)
	if err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}

	// The library does not lock the ZeroMQ context: while a second socket is
	// created in it, nobody may end it.
	if !s.disarm() {
		return fmt.Errorf("watch for peers: %w", s.ctx.Err())
	}
	defer s.arm()
	own, err := s.Context()
	if err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}
	s.monitor, err = own.NewSocket(zmq.PAIR)
	if err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}
	if err := s.monitor.SetLinger(0); err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}
	if err := s.monitor.Connect(address); err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}
	return nil
}

// AwaitPeers waits until n peers are connected at the same time, and then
// stops watching. It prints their number, under the name that they have,
// whenever it changes. A peer that goes and comes back counts once.
func (s *Socket) AwaitPeers(n int, name string) error {
	here, refused := 0, 0
	for here < n {
		event, _, _, err := s.monitor.RecvEvent(0)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
		switch {
		case event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
			here++
		case event == zmq.EVENT_DISCONNECTED && refused == 0:
			here--
		case event == zmq.EVENT_DISCONNECTED:
			refused-- // it was never counted
			continue
		default:
			refused++ // it does not speak ZeroMQ, and is cut off next
			continue
		}
		log.Printf("%s: %d of %d", name, here, n)
	}
	return s.Monitor("", 0)
}
