// Package tuplespace is a tuple space: processes put tuples in, look at them
// and take them out, and know nothing of each other. The idea is Linda's
// (David Gelernter, Generative communication in Linda, 1985).
//
// To read it in order: client.go (a call, until its reply is there), values.go
// (Go's values on the wire), messages.go (the wire), server.go (one goroutine
// that does one request after the other), sessions.go (a request that comes
// twice is done once), space.go (the space itself), tuple.go (fields and
// matching), queue.go (two lists that the space is made of).
package tuplespace

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

const (
	oneWait  = 2 * time.Second // at the server; then the client asks again
	patience = time.Second     // with a server that should have replied
	farewell = 100 * time.Millisecond
	moment   = 5 * time.Millisecond // most replies are there by then
)

var (
	// ErrExpired is returned by Commit and Release when the loan has run out:
	// the tuple is back in the space, or with someone else by now.
	ErrExpired = errors.New("the loan has run out")
	// ErrClosed is returned by calls on a client that is closed, or that is
	// closed while they wait.
	ErrClosed = errors.New("the client is closed")
	// ErrMore is returned by ReadAll, beside the tuples, when there are more
	// than fit into one reply of 1 MiB.
	ErrMore = errors.New("more tuples match than a reply can hold")
)

// A Client is a process's way to the space. Several goroutines may use it at
// once. In Linda's words Write is out, Read rd, Take in, TryRead rdp and
// TryTake inp.
//
// A pattern is a list of fields. A pointer in it is what Linda calls a formal
// parameter: it matches any value of its type, and is set to the one that
// was found. Any matches every value. Other fields match what is equal.
//
// Every call waits for a server that is away, or not there yet. It ends with
// the error of its context when that ends; a tuple that was on its way to it
// then stays in the space.
type Client struct {
	// NoReply is called, if it is set before the first call, each time that
	// the server has not replied in time, and is asked again.
	NoReply func()

	address string
	zmq     *zmq.Context
	ctx     context.Context // ends with Close
	end     context.CancelFunc

	lock  sync.Mutex
	idle  []*connection
	calls sync.WaitGroup
}

// Connect returns a client of the server at a ZeroMQ address. As always with
// ZeroMQ the server need not be there.
func Connect(address string) (*Client, error) {
	zctx, err := zmq.NewContext()
	if err == nil {
		err = zctx.SetMaxSockets(30_000) // three for each call at a time
	}
	if err != nil {
		return nil, fmt.Errorf("create a ZeroMQ context: %w", err)
	}
	c := &Client{address: address, zmq: zctx}
	c.ctx, c.end = context.WithCancel(context.Background())
	first, err := c.connection()
	if err != nil {
		return nil, errors.Join(err, zctx.Term())
	}
	c.done(first)
	return c, nil
}

// Close ends all calls with ErrClosed.
func (c *Client) Close() error {
	c.lock.Lock()
	c.end()
	c.lock.Unlock()
	c.calls.Wait()
	for _, n := range c.idle {
		n.close()
	}
	c.idle = nil
	return c.zmq.Term()
}

// Write puts a tuple in. When it returns, others see it.
func (c *Client) Write(ctx context.Context, fields ...any) error {
	return c.write(ctx, 0, fields)
}

// WriteFor puts a tuple in that disappears after a time to live of ttl.
func (c *Client) WriteFor(ctx context.Context, ttl time.Duration,
	fields ...any) error {
	if ttl <= 0 {
		return errors.New("a time to live is more than 0")
	}
	return c.write(ctx, ttl, fields)
}

// WriteAll puts several tuples in, all at once.
func (c *Client) WriteAll(ctx context.Context, tuples ...Tuple) error {
	return c.write(ctx, 0, tuples...)
}

func (c *Client) write(ctx context.Context, ttl time.Duration,
	tuples ...Tuple) error {
	wire, err := actuals(tuples)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, request{Op: "write", Tuples: wire, TTL: ms(ttl)})
	return err
}

// Read returns a copy of the oldest tuple that matches. It waits for one.
func (c *Client) Read(ctx context.Context, pattern ...any) (Tuple, error) {
	return one(c.find(ctx, request{Op: "read", Wait: ms(oneWait)}, pattern))
}

// Take takes the oldest tuple that matches out of the space. It waits for
// one. No two processes ever take the same tuple.
func (c *Client) Take(ctx context.Context, pattern ...any) (Tuple, error) {
	return one(c.find(ctx, request{Op: "take", Wait: ms(oneWait)}, pattern))
}

// TryRead is Read without waiting: found is false where nothing matches.
func (c *Client) TryRead(ctx context.Context, pattern ...any) (t Tuple,
	found bool, err error) {
	t, err = one(c.find(ctx, request{Op: "read"}, pattern))
	return t, t != nil, err
}

// TryTake is Take without waiting: found is false where nothing matches.
func (c *Client) TryTake(ctx context.Context, pattern ...any) (t Tuple,
	found bool, err error) {
	t, err = one(c.find(ctx, request{Op: "take"}, pattern))
	return t, t != nil, err
}

// ReadAll returns copies of all tuples that match, the oldest first. It does
// not wait, and sets no formals.
func (c *Client) ReadAll(ctx context.Context, pattern ...any) ([]Tuple,
	error) {
	all, reply, err := c.find(ctx, request{Op: "read", Max: maxReply}, pattern)
	if err == nil && reply.More {
		err = ErrMore
	}
	return all, err
}

// TakeAll takes all tuples that match, the oldest first. It does not wait,
// and sets no formals. Where it fails it returns what it has taken so far.
func (c *Client) TakeAll(ctx context.Context, pattern ...any) (all []Tuple,
	err error) {
	for more := true; more && err == nil; {
		var some []Tuple
		var reply *reply[Tuple]
		some, reply, err = c.find(ctx, request{Op: "take", Max: maxReply},
			pattern)
		more = reply != nil && reply.More
		all = append(all, some...)
	}
	return all, err
}

// A Loan is a tuple that was borrowed.
type Loan struct {
	Tuple  Tuple
	client *Client
	name   string
}

// Borrow is a Take on loan, for a process that may die before it is done with
// the tuple: that comes back to its old place after d, unless Commit or
// Release came first.
func (c *Client) Borrow(ctx context.Context, d time.Duration,
	pattern ...any) (*Loan, error) {
	if d <= 0 {
		return nil, errors.New("a loan needs a time")
	}
	tuples, reply, err := c.find(ctx, request{Op: "take", Wait: ms(oneWait),
		LoanFor: ms(d)}, pattern)
	tuple, err := one(tuples, reply, err)
	if err != nil {
		return nil, err
	}
	return &Loan{tuple, c, reply.Loan}, nil
}

// Commit keeps the tuple for good and writes the results, in one step: others
// see both or neither. After the loan has run out it does nothing, and
// returns ErrExpired.
func (l *Loan) Commit(ctx context.Context, results ...Tuple) error {
	wire, err := actuals(results)
	if err != nil {
		return err
	}
	_, err = l.client.call(ctx, request{Op: "commit", Loan: l.name,
		Tuples: wire})
	return err
}

// Release gives the tuple back at once.
func (l *Loan) Release(ctx context.Context) error {
	_, err := l.client.call(ctx, request{Op: "release", Loan: l.name})
	return err
}

// find makes a read or a take. It returns no tuples where nothing matches.
func (c *Client) find(ctx context.Context, r request, pattern []any) (
	[]Tuple, *reply[Tuple], error) {
	var err error
	if r.Pattern, err = formals(pattern); err != nil {
		return nil, nil, err
	}
	reply, err := c.call(ctx, r)
	for err == nil && reply.Status == "none" && r.Wait > 0 {
		r.Place = reply.Place // the wait goes on, at the same place in line
		reply, err = c.call(ctx, r)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, tuple := range reply.Tuples {
		if len(tuple) != len(pattern) {
			return nil, nil, fmt.Errorf("the reply holds %.60v, which does "+
				"not match", tuple)
		}
	}
	if reply.Status == "ok" && len(reply.Tuples) == 0 && r.Wait > 0 {
		return nil, nil, errors.New("the reply holds no tuple")
	}
	if len(reply.Tuples) > 0 && r.Max == 0 {
		set(pattern, reply.Tuples[0])
	}
	return reply.Tuples, reply, nil
}

func one(tuples []Tuple, _ *reply[Tuple], err error) (Tuple, error) {
	if len(tuples) == 0 {
		return nil, err
	}
	return tuples[0], err
}

func ms(d time.Duration) int64 { // at least one, so that it is not 0 for none
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// call makes one request on a connection that is idle.
func (c *Client) call(ctx context.Context, r request) (*reply[Tuple], error) {
	n, err := c.connection()
	if err != nil {
		return nil, err
	}
	defer c.done(n)
	answer, err := n.ask(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case answer.Status == "error":
		return nil, errors.New("the tuple space refuses: " + answer.Error)
	case answer.Status == "expired":
		return nil, ErrExpired
	case answer.Status != "ok" && answer.Status != "none":
		return nil, fmt.Errorf("the reply's status is %.60q", answer.Status)
	}
	return answer, nil
}

// A connection is one REQ socket, which has one request at a time. So calls
// that run at the same time have one each.
type connection struct {
	client *Client
	name   string // by which the server knows the socket
	seq    int64  // of its last request
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
	n := &connection{client: c, name: rand.Text()}
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
	err = errors.Join(n.bell.Bind("inproc://"+n.name),
		n.button.Connect("inproc://"+n.name))
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
		n.socket.SetLinger(farewell), n.socket.SetRcvtimeo(moment))
	if err != nil {
		return fmt.Errorf("set up the socket: %w", err)
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

// ask sends a request and waits for its reply. Where none comes in time, the
// server may be away, or a new one: then it asks again, with a new socket. By
// its number the server knows the request for the same.
func (n *connection) ask(ctx context.Context, r request) (*reply[Tuple], error) {
	n.seq++
	r.Client, r.Seq = n.name, n.seq
	request, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("as JSON: %w", err)
	}
	if len(request) > maxRequest { // far beyond it a server says nothing
		return nil, fmt.Errorf("a request has %d bytes at most", maxRequest)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rung := make(chan bool)
	stop := context.AfterFunc(ctx, func() { n.ring(); close(rung) })
	defer func() {
		if !stop() {
			<-rung
			n.bell.Recv(zmq.DONTWAIT) // so that it does not end the next call
		}
	}()
	for {
		_, err := n.socket.SendBytes(request, zmq.DONTWAIT)
		if err != nil && !isAgain(err) { // full, without a server
			return nil, fmt.Errorf("send the request: %w", err)
		}
		limit := time.Now().Add(patience + milliseconds(r.Wait))
		for err == nil {
			// Where the reply is not there in a moment: the poll below also
			// hears the bell.
			answer, err := n.socket.RecvBytes(0)
			if err == nil {
				return parseReply(answer)
			}
			if !isAgain(err) {
				return nil, fmt.Errorf("receive the reply: %w", err)
			}
			if err := n.ended(ctx); err != nil {
				n.cancel(r)
				return nil, err
			}
			left := time.Until(limit)
			if left <= 0 {
				break
			}
			if _, err := n.poller.Poll(left); err != nil {
				return nil, fmt.Errorf("wait for the reply: %w", err)
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

func (n *connection) ended(ctx context.Context) error {
	if n.client.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// cancel ends a request whose reply nobody waits for any more. If the reply
// is on its way and holds a tuple, the server takes that back.
func (n *connection) cancel(r request) {
	text := encode(request{Op: "cancel", Client: r.Client, Seq: r.Seq})
	if _, err := n.socket.Send(text, zmq.DONTWAIT); err != nil {
		n.broken = true // full of requests, for a server that is not there
	}
}

func isAgain(err error) bool {
	return errors.Is(err, zmq.Errno(syscall.EAGAIN))
}
