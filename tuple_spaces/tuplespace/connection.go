package tuplespace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/zeromq"
)

const (
	patience = time.Second            // with a server that should have replied
	farewell = 100 * time.Millisecond // for what is still to be sent
	moment   = 5 * time.Millisecond   // most replies are there by then
)

// A connection is one REQ socket, which has one request at a time. So calls
// that run at the same time have one each.
type connection struct {
	client *Client
	id     string
	name   string // by which the server knows the socket, as JSON
	seq    int64  // of its last request
	text   []byte // of that
	socket *zmq.Socket

	// What is sent into the one end of a pair of sockets makes a poll on the
	// other end return: this is how a call ends that waits for its reply.
	bell   *zmq.Socket
	button *zmq.Socket
	poller *zmq.Poller // of socket and bell
	unhook func() bool
	broken bool // not to be used again

	lock   sync.Mutex // of the button
	closed bool
}

func (c *Client) connection() (*connection, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.ctx.Err() != nil {
		return nil, ErrClosed
	}
	c.calls.Add(1)
	if last := len(c.idle) - 1; last >= 0 {
		n := c.idle[last]
		c.idle = c.idle[:last]
		return n, nil
	}
	n := &connection{client: c, id: rand.Text()[:16]}
	err := n.open()
	if err != nil {
		n.close()
		c.calls.Done()
		return nil, err
	}
	return n, nil
}

func (c *Client) done(n *connection) {
	defer c.calls.Done()
	c.lock.Lock()
	defer c.lock.Unlock()
	if n.broken {
		n.close()
		return
	}
	c.idle = append(c.idle, n)
}

func (n *connection) open() (err error) {
	if n.bell, err = n.client.zmq.NewSocket(zmq.PAIR); err != nil {
		return fmt.Errorf("create the bell: %w", err)
	}
	if n.button, err = n.client.zmq.NewSocket(zmq.PAIR); err != nil {
		return fmt.Errorf("create the bell's button: %w", err)
	}
	err = errors.Join(n.bell.Bind("inproc://"+n.id),
		n.button.Connect("inproc://"+n.id))
	if err != nil {
		return fmt.Errorf("connect the bell: %w", err)
	}
	n.unhook = context.AfterFunc(n.client.ctx, n.ring)
	return n.reopen()
}

// reopen begins anew with the server. What the old socket has not sent yet
// it may still send, but only for a moment.
func (n *connection) reopen() (err error) {
	defer func() { n.broken = n.broken || err != nil }()
	if n.socket != nil {
		n.socket.Close()
	}
	if n.socket, err = n.client.zmq.NewSocket(zmq.REQ); err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	// A REQ socket must have its reply before it may send again. Relaxed, it
	// may give up on a reply, and correlate drops that if it comes later.
	err = errors.Join(n.socket.SetReqRelaxed(1), n.socket.SetReqCorrelate(1),
		n.socket.SetLinger(farewell), n.socket.SetRcvtimeo(moment),
		n.socket.SetIpv6(strings.Contains(n.client.address, "[")))
	if err != nil {
		return fmt.Errorf("set up the socket: %w", err)
	}
	if err := zeromq.SecureClient(n.socket); err != nil { // with -key
		return err
	}
	if err := n.socket.Connect(n.client.address); err != nil {
		return fmt.Errorf("connect to %s: %w", n.client.address, err)
	}
	n.poller = zmq.NewPoller()
	n.poller.Add(n.socket, zmq.POLLIN)
	n.poller.Add(n.bell, zmq.POLLIN)
	return nil
}

func (n *connection) ring() {
	n.lock.Lock()
	defer n.lock.Unlock()
	if !n.closed {
		n.button.Send("", zmq.DONTWAIT)
	}
}

func (n *connection) close() {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.closed = true
	if n.unhook != nil {
		n.unhook()
	}
	for _, socket := range []*zmq.Socket{n.socket, n.bell, n.button} {
		if socket != nil {
			socket.Close()
		}
	}
}

// ask sends a request and waits for its reply. If none comes in time, the
// server may be away, or a new one: then it asks again, with a new socket. By
// its number the server knows the request for the same.
func (n *connection) ask(ctx context.Context, r *call) (*reply, error) {
	if n.name == "" { // not before: the client's name may be set after Connect
		n.name = encode(nameOf(n.client.Name, n.id))
	}
	n.seq++
	n.text = r.append(n.text[:0], n.name, n.seq)
	if len(n.text) > maxRequest { // far beyond it a server says nothing
		return nil, fmt.Errorf("a request has %d bytes at most", maxRequest)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		_, err := n.socket.SendBytes(n.text, zmq.DONTWAIT)
		if err != nil && !isAgain(err) { // full, without a server
			return nil, fmt.Errorf("send the request: %w", err)
		}
		if err == nil {
			text, err := n.receive(ctx, time.Now().Add(patience+r.wait))
			if err != nil {
				return nil, err
			}
			if text != nil {
				return parseReply(text)
			}
		}
		if n.client.NoReply != nil {
			n.client.NoReply()
		}
		if err := n.reopen(); err != nil {
			return nil, err
		}
	}
}

// receive waits for a reply until some time, or until ctx ends. It returns nil
// if none has come by then.
func (n *connection) receive(ctx context.Context, until time.Time) ([]byte,
	error) {
	text, err := n.socket.RecvBytes(0) // waits for a moment
	if err == nil {
		return text, nil
	}
	if !isAgain(err) {
		return nil, fmt.Errorf("receive the reply: %w", err)
	}
	// It takes longer: from here on the end of ctx is heard, too.
	rung := make(chan bool)
	stop := context.AfterFunc(ctx, func() { n.ring(); close(rung) })
	defer func() {
		if !stop() {
			<-rung
			n.bell.Recv(zmq.DONTWAIT) // so that it does not end the next call
		}
	}()
	for {
		if err := n.ended(ctx); err != nil {
			n.cancel()
			return nil, err
		}
		left := max(0, time.Until(until))
		if _, err := n.poller.Poll(left); err != nil {
			return nil, fmt.Errorf("wait for the reply: %w", err)
		}
		// A process that was stopped meanwhile looks before it gives up.
		text, err := n.socket.RecvBytes(zmq.DONTWAIT)
		if err == nil {
			return text, nil
		}
		if !isAgain(err) {
			return nil, fmt.Errorf("receive the reply: %w", err)
		}
		if left == 0 {
			return nil, nil
		}
	}
}

func (n *connection) ended(ctx context.Context) error {
	if n.client.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// cancel ends a request whose reply nobody waits for any more. If the reply
// is on its way and holds a tuple, the server takes that back.
func (n *connection) cancel() {
	n.text = (&call{op: "cancel"}).append(n.text[:0], n.name, n.seq)
	if _, err := n.socket.SendBytes(n.text, zmq.DONTWAIT); err != nil {
		n.broken = true // full of requests, for a server that is not there
	}
}
