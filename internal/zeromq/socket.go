// Package zeromq gives a program ZeroMQ sockets that Ctrl-C can end, as
// package broker gives it connections to RabbitMQ.
package zeromq

import (
	"context"
	"fmt"
	"sync"

	zmq "github.com/pebbe/zmq4"
)

// A Socket is a ZeroMQ socket that lives as long as a context. Bind, Connect,
// Send, Recv and all the others are the library's own. Like every ZeroMQ
// socket it belongs to one goroutine.
type Socket struct {
	*zmq.Socket
	term func() // ends what waits in the socket; at the close, waits itself
}

// Open creates a socket of a kind, such as zmq.REP. When ctx ends, whatever
// waits in the socket returns zmq.ETERM, and what it has not sent yet is
// dropped: its linger is 0. Whoever wants Close to deliver the last messages
// first calls SetLinger, with -1 for as long as that takes.
func Open(ctx context.Context, kind zmq.Type) (*Socket, error) {
	// Ending the ZeroMQ context is the one call that another goroutine may
	// make while this one waits in the socket. So each socket has its own.
	own, err := zmq.NewContext()
	if err != nil {
		return nil, fmt.Errorf("create the ZeroMQ context: %w", err)
	}
	socket, err := own.NewSocket(kind)
	if err != nil {
		return nil, fmt.Errorf("create the socket: %w", err)
	}
	if err := socket.SetLinger(0); err != nil {
		return nil, fmt.Errorf("set linger: %w", err)
	}
	term := sync.OnceFunc(func() { own.Term() }) // twice would be a data race
	context.AfterFunc(ctx, term)
	return &Socket{socket, term}, nil
}

// Close closes the socket. It returns when the messages that were sent are
// on their way, or when the linger is over.
func (s *Socket) Close() error {
	err := s.Socket.Close()
	s.term()
	return err
}
