// Package zeromq gives a program ZeroMQ sockets that Ctrl-C can end, as
// package broker gives it connections to RabbitMQ.
package zeromq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
)

// What Bind sets, since anybody may connect to a socket that is bound.
const (
	// MaxFrame is how long a frame may be that others send, in bytes.
	// Whoever sends a longer one is cut off, without a word: else one peer's
	// 50 MiB would keep all others waiting.
	MaxFrame = 1 << 20

	// Backlog is how many peers may connect in one instant. ZeroMQ's own 100
	// would have 1,000 of them wait for more than a second.
	Backlog = 4096
)

// lookupTime is how long the search for a host's name may take.
const lookupTime = 5 * time.Second

// moment is how long Close still tries to deliver after Ctrl-C.
const moment = 200 * time.Millisecond

// ErrDropped is returned by Close if messages were dropped that the linger
// would have waited for.
var ErrDropped = errors.New("messages that nobody took in time were dropped")

// A Socket is a ZeroMQ socket that lives as long as a context. Send, Recv and
// all the others are the library's own; Bind and Connect are as well, but see
// there. Like every ZeroMQ socket it belongs to one goroutine.
type Socket struct {
	*zmq.Socket
	ctx     context.Context
	address string
	term    func()      // ends what waits; at the close, waits itself
	disarm  func() bool // so that the end of ctx does not call term
	monitor *zmq.Socket // hears who connects; nil: nobody asked
	warns   bool        // prints a line if a server refuses us
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
	s := &Socket{Socket: socket, ctx: ctx, term: term}
	s.arm()
	return s, nil
}

func (s *Socket) arm() { s.disarm = context.AfterFunc(s.ctx, s.term) }

// Close closes the socket. It returns when the messages that were sent are
// on their way, or when the linger is over. After the end of ctx, that is
// Ctrl-C, it waits for a moment at most; if it drops messages then, it prints
// that, and returns ErrDropped.
func (s *Socket) Close() error {
	if s.monitor != nil {
		s.monitor.Close() // or Term would wait for it
	}
	err := s.Socket.Close()

	delivered := make(chan bool)
	go func() {
		s.term()
		close(delivered)
	}()
	select {
	case <-delivered:
		s.disarm()
		return err
	case <-s.ctx.Done():
	}
	select {
	case <-delivered:
		return err
	case <-time.After(moment):
		cli.Loud([]string{"drops messages that nobody took in time"})
		return ErrDropped
	}
}

// Bind is the library's Bind, for a server: it takes IPv6 addresses, too, any
// number of peers at once, and frames of up to MaxFrame bytes.
func (s *Socket) Bind(address string) error {
	err := errors.Join(s.SetIpv6(strings.Contains(address, "[")),
		s.SetBacklog(Backlog), s.SetMaxmsgsize(MaxFrame))
	if err != nil {
		return err
	}
	if err := SecureServer(s.Socket); err != nil {
		return err
	}
	if err := s.Socket.Bind(address); err != nil {
		return err
	}
	s.address, err = s.GetLastEndpoint()
	return err
}

// Address returns the address that Bind was last given, as it really is: with
// the port that the system chose for tcp://127.0.0.1:*.
func (s *Socket) Address() string { return s.address }

// Connect is the library's Connect, but it fails if the host's name is not to
// be found: ZeroMQ itself would try again for ever, without a word.
func (s *Socket) Connect(address string) error {
	ipv6, err := s.needsIPv6(address)
	if err != nil {
		return err
	}
	if err := s.SetIpv6(ipv6); err != nil {
		return err
	}
	if err := SecureClient(s.Socket); err != nil {
		return err
	}
	if !s.warns {
		s.warns = true
		if err := s.warnIfRefused(address); err != nil {
			return err
		}
	}
	return s.Socket.Connect(address)
}

// needsIPv6 returns whether the host of an address is reached by IPv6 only.
// Otherwise IPv4 it is: with IPv6, ZeroMQ would look for localhost at ::1
// alone.
func (s *Socket) needsIPv6(address string) (bool, error) {
	target, isTCP := strings.CutPrefix(address, "tcp://")
	if !isTCP {
		return false, nil
	}
	host, _, err := net.SplitHostPort(target[strings.Index(target, ";")+1:])
	if err != nil || host == "" {
		return false, syscall.EINVAL // ZeroMQ would take tcp://[::1]
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookupTime)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	var failed *net.DNSError
	if errors.As(err, &failed) {
		err = fmt.Errorf("lookup %s: %s", host, failed.Err)
	}
	for _, ip := range ips {
		if ip.Unmap().Is4() {
			return false, err
		}
	}
	return true, err
}
