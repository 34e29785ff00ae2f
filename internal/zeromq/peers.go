package zeromq

import (
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"
)

// WatchPeers begins to watch who connects to the socket and who goes, for
// AwaitPeers. It is called before Bind, so that nobody is overlooked.
func (s *Socket) WatchPeers() (err error) {
	// A peer counts when it has said which protocol it speaks: from then on
	// it takes its share of the messages.
	s.monitor, err = s.watch(zmq.EVENT_HANDSHAKE_SUCCEEDED | refused |
		zmq.EVENT_DISCONNECTED)
	if err != nil {
		return fmt.Errorf("watch for peers: %w", err)
	}
	return nil
}

// What happens to a peer that does not speak ZeroMQ, or has no right key.
const refused = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL |
	zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH

// watch returns a socket that receives what happens to the connections of
// this one. It is to be closed before Term is called, or after a receive from
// it has returned ETERM.
func (s *Socket) watch(events zmq.Event) (*zmq.Socket, error) {
	const address = "inproc://watch"
	if err := s.Monitor(address, events); err != nil {
		return nil, err
	}
	// The library does not lock the ZeroMQ context: while a second socket is
	// created in it, nobody may end it.
	if !s.disarm() {
		return nil, s.ctx.Err()
	}
	defer s.arm()
	own, err := s.Context()
	if err != nil {
		return nil, err
	}
	monitor, err := own.NewSocket(zmq.PAIR)
	if err != nil {
		return nil, err
	}
	if err := monitor.SetLinger(0); err != nil {
		return nil, err
	}
	return monitor, monitor.Connect(address)
}

// AwaitPeers waits until n peers are connected at the same time, and then
// stops watching. It prints their number, under the name that they have,
// whenever it changes. A peer that goes and comes back counts once.
func (s *Socket) AwaitPeers(n int, name string) error {
	here, strangers := 0, 0
	for here < n {
		event, _, _, err := s.monitor.RecvEvent(0)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
		switch {
		case event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
			here++
		case event == zmq.EVENT_DISCONNECTED && strangers == 0:
			here--
		case event == zmq.EVENT_DISCONNECTED:
			strangers-- // it was never counted
			continue
		default:
			strangers++ // it does not speak ZeroMQ, and is cut off next
			continue
		}
		log.Printf("%s: %d of %d", name, here, n)
	}
	return s.Monitor("", 0)
}
