package tuplespace

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// oneWait is how long a call waits at the server before it asks again.
const oneWait = 2 * time.Second

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
	// Name is how the server's log names this process, as in "worker 4711",
	// if it is set before the first call.
	Name string
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
	text, err := appendTuples(nil, tuples)
	if err != nil {
		return err
	}
	_, err = c.call(ctx, &call{op: "write", tuples: text, ttl: ttl})
	return err
}

// Read returns a copy of the oldest tuple that matches. It waits for one.
func (c *Client) Read(ctx context.Context, pattern ...any) (Tuple, error) {
	return one(c.find(ctx, &call{op: "read", wait: oneWait}, pattern))
}

// Take takes the oldest tuple that matches out of the space. It waits for
// one. No two processes ever take the same tuple.
func (c *Client) Take(ctx context.Context, pattern ...any) (Tuple, error) {
	return one(c.find(ctx, &call{op: "take", wait: oneWait}, pattern))
}

// TryRead is Read without waiting: found is false where nothing matches.
func (c *Client) TryRead(ctx context.Context, pattern ...any) (t Tuple,
	found bool, err error) {
	t, err = one(c.find(ctx, &call{op: "read"}, pattern))
	return t, t != nil, err
}

// TryTake is Take without waiting: found is false where nothing matches.
func (c *Client) TryTake(ctx context.Context, pattern ...any) (t Tuple,
	found bool, err error) {
	t, err = one(c.find(ctx, &call{op: "take"}, pattern))
	return t, t != nil, err
}

// ReadAll returns copies of all tuples that match, the oldest first. It does
// not wait, and sets no formals.
func (c *Client) ReadAll(ctx context.Context, pattern ...any) ([]Tuple,
	error) {
	all, reply, err := c.find(ctx, &call{op: "read", max: maxReply}, pattern)
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
		var reply *reply
		some, reply, err = c.find(ctx, &call{op: "take", max: maxReply},
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
	tuples, reply, err := c.find(ctx, &call{op: "take", wait: oneWait,
		loanFor: d}, pattern)
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
	text, err := appendTuples(nil, results)
	if err != nil {
		return err
	}
	_, err = l.client.call(ctx, &call{op: "commit", loan: l.name,
		tuples: text})
	return err
}

// Release gives the tuple back at once.
func (l *Loan) Release(ctx context.Context) error {
	_, err := l.client.call(ctx, &call{op: "release", loan: l.name})
	return err
}

// find makes a read or a take. It returns no tuples if nothing matches.
func (c *Client) find(ctx context.Context, r *call, pattern []any) ([]Tuple,
	*reply, error) {
	var err error
	if r.pattern, err = appendPattern(nil, pattern); err != nil {
		return nil, nil, err
	}
	reply, err := c.call(ctx, r)
	for err == nil && reply.Status == "none" && r.wait > 0 {
		r.place = reply.Place // the wait goes on, at the same place in line
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
	if reply.Status == "ok" && len(reply.Tuples) == 0 && r.wait > 0 {
		return nil, nil, errors.New("the reply holds no tuple")
	}
	if len(reply.Tuples) > 0 && r.max == 0 {
		set(pattern, reply.Tuples[0])
	}
	return reply.Tuples, reply, nil
}

func one(tuples []Tuple, _ *reply, err error) (Tuple, error) {
	if len(tuples) == 0 {
		return nil, err
	}
	return tuples[0], err
}

// call makes one request on a connection that is idle.
func (c *Client) call(ctx context.Context, r *call) (*reply, error) {
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
