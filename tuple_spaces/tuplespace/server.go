package tuplespace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/zeromq"
)

// Bounds of a server.
const (
	maxWait       = 10 * time.Second // then the client asks again, if alive
	maxWaiting    = 10_000
	maxWaitFields = 100_000 // in the patterns of all who wait
	maxLoans      = 10_000
	maxTaken      = 10_000  // tuples with one request
	maxBytes      = 1 << 30 // of all tuples
	reserve       = 1 << 26 // beyond that, for commits
	maxFrames     = 8       // of an envelope, the empty one included
	maxEnvelope   = 1 << 10 // bytes of these
)

// How a connection is seen to be dead although it is not closed: its process
// is frozen, or its machine has lost its network.
const (
	heartbeat = time.Second // a question in between
	silence   = 2 * heartbeat
)

// A Server keeps a space for its clients. One goroutine owns both the space
// and the socket: it does one request after the other. So nothing is locked,
// and nobody can take a tuple between another's look and grab.
type Server struct {
	// Log is called with a line for each request, if it is set before Serve.
	Log func(format string, args ...any)
	// MaxBytes is how much memory tuples may take up, about, before a write
	// is refused: 1 GiB if it is not set before Serve.
	MaxBytes int

	space    space
	now      time.Time
	zmq      *zmq.Context
	socket   *zmq.Socket
	waiting  map[string]*caller // by connection
	sessions sessions
	outbox   []outgoing
	unread   unread
	journal  *journal // nil: the tuples live as long as the server
}

// Listen returns a server that listens on a ZeroMQ address. It works, and
// must be ended, by Serve.
func Listen(address string) (*Server, error) {
	s := &Server{MaxBytes: maxBytes, space: newIndexed(),
		waiting: map[string]*caller{}, sessions: newSessions(),
		unread: newUnread()}
	var err error
	if s.zmq, err = zmq.NewContext(); err != nil {
		return nil, fmt.Errorf("create a ZeroMQ context: %w", err)
	}
	// A REP socket would have to reply to each request before it receives
	// the next. But a take may have to wait until another client writes. A
	// ROUTER can reply to anyone at any time: it puts in front of a request
	// from whom it came, and takes the same to know where a reply goes.
	if s.socket, err = s.zmq.NewSocket(zmq.ROUTER); err != nil {
		return nil, fmt.Errorf("create the socket: %w", err)
	}
	err = errors.Join(
		// Without this, a reply to someone who is gone would seem sent.
		s.socket.SetRouterMandatory(1),
		s.socket.SetLinger(0),
		// A guard for memory: it cuts off who sends more, without a word.
		s.socket.SetMaxmsgsize(16*maxRequest),
		// Counted in messages, for each connection. A client has one request
		// at a time: it needs few.
		s.socket.SetRcvhwm(100), s.socket.SetSndhwm(maxUnread),
		// Whoever does not answer for a while is gone.
		s.socket.SetHeartbeatIvl(heartbeat),
		s.socket.SetHeartbeatTimeout(silence),
		s.socket.SetBacklog(zeromq.Backlog),
		s.socket.SetIpv6(strings.Contains(address, "[")))
	if err == nil {
		err = zeromq.SecureServer(s.socket) // with -curve
	}
	if err == nil {
		err = s.socket.Bind(address)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", address, err),
			s.socket.Close(), s.zmq.Term())
	}
	return s, nil
}

// Address returns where the server listens: with the port that the system has
// chosen for tcp://127.0.0.1:*.
func (s *Server) Address() (string, error) { return s.socket.GetLastEndpoint() }

// UseSimple has the server keep its tuples in a list that it searches, as
// simple.go does, to compare. It is called before Serve.
func (s *Server) UseSimple() { s.space = &simple{} }

// Len returns how many tuples there are, before or after Serve.
func (s *Server) Len() int { return s.space.size().tuples }

// Serve works until ctx ends, and returns why.
func (s *Server) Serve(ctx context.Context) error {
	term := sync.OnceFunc(func() { s.zmq.Term() })
	defer term()
	defer s.socket.Close()
	defer s.journal.close()
	// When ctx ends, Term makes the receive below return.
	defer context.AfterFunc(ctx, term)()

	limit := time.Duration(0)
	for {
		// Something in the space may end while nobody asks.
		last := limit
		if limit = s.limit(); limit != last {
			err := s.socket.SetRcvtimeo(limit)
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("set how long to wait: %w", err)
			}
		}
		frames, err := s.receive(0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !isAgain(err) {
			return fmt.Errorf("receive a request: %w", err)
		}

		s.now = time.Now()
		s.space.advance(s.now)
		if err == nil {
			s.handleBatch(frames)
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
}

// limit is how long nothing ends in the space.
func (s *Server) limit() time.Duration {
	next, ok := s.space.next()
	if !ok {
		return -1 // for ever
	}
	// ZeroMQ counts the milliseconds in 32 bits: 24 days.
	return min(max(0, time.Until(next)), time.Hour) + time.Millisecond
}

// handleBatch does a request. If there is a journal it also does those that
// have come meanwhile: then the server waits for the disk only once.
func (s *Server) handleBatch(frames [][]byte) {
	bytes := 0
	for n := 1; ; n++ {
		bytes += len(frames[len(frames)-1])
		s.handle(frames)
		if s.journal == nil || n == maxBatch || bytes > maxBatchBytes {
			return
		}
		var err error
		frames, err = s.receive(zmq.DONTWAIT)
		if err != nil { // if it is not that there are none, Serve has it next
			return
		}
	}
}

// receive receives a message, which has at least two frames: from whom it is,
// and what that one has sent. Of too many it keeps only the first ones.
func (s *Server) receive(flags zmq.Flag) (frames [][]byte, err error) {
	const most = 1 + maxFrames + 2 // one more than a good message has
	frames = make([][]byte, 0, 4)
	for more := true; more; {
		frame, err := s.socket.RecvBytes(flags)
		if err != nil {
			return nil, err
		}
		if len(frames) < most {
			frames = append(frames, frame)
		}
		if len(frames) > 1 {
			if more, err = s.socket.GetRcvmore(); err != nil {
				return nil, err
			}
		}
	}
	return frames, nil
}

// unwrap takes a message apart: an envelope, which leads back and ends with an
// empty frame, and a request.
func unwrap(frames [][]byte) (envelope [][]byte, text []byte, err error) {
	empty := slices.IndexFunc(frames, func(frame []byte) bool {
		return len(frame) == 0
	})
	envelope = frames[:max(empty, 0)+1]
	size := 0
	for _, frame := range envelope[1:] {
		size += len(frame)
	}
	switch {
	case size > maxEnvelope, empty > maxFrames,
		empty < 0 && len(frames) > maxFrames:
		// It would have to be kept for as long as the request waits.
		return [][]byte{frames[0], nil}, nil, fmt.Errorf("an envelope has %d "+
			"frames and %d bytes at most", maxFrames, maxEnvelope)
	case empty < 1 || len(frames) != empty+2:
		return envelope, nil, errors.New(
			"a request is an empty frame and a frame of JSON")
	}
	text = frames[empty+1]
	frames[empty+1] = nil // who waits keeps the envelope, not the request
	return envelope, text, nil
}

// A caller is someone who asked for something and is to have a reply.
type caller struct {
	envelope [][]byte // the frames that lead back
	name     string   // for the log
	op       string
	pattern  string   // for the log
	session  *session // nil: the client gave no name
	wait     *wait    // nil: it does not wait
}

func (c *caller) connection() string { return string(c.envelope[0]) }

// handle does one request.
func (s *Server) handle(frames [][]byte) {
	envelope, text, err := unwrap(frames)
	c := &caller{envelope: envelope}
	isServed := s.unread.asked(c.connection(), s.now)
	if !isServed && len(text) > maxEnvelope {
		return
	}
	var r *request
	if err == nil {
		r, err = parse(text)
	}
	if !isServed && (err != nil || r.Op != "cancel") {
		return // but what it was given goes back if it says so
	}
	isNew := true
	if err == nil {
		c.name, c.op = r.name(), r.Op
		if r.Client != "" {
			isNew, err = s.isNew(c, r)
		}
	}
	if !isNew {
		return
	}
	// A connection has one request at a time: a new one ends the older.
	s.stopWaiting(s.waiting[c.connection()])
	if err != nil {
		s.refuse(c, err)
		return
	}

	switch r.Op {
	case "read", "take":
		s.find(c, r)
	case "write":
		s.write(c, r)
	case "commit":
		s.commit(c, r)
	case "release":
		s.release(c, r)
	case "cancel":
		if c.session != nil {
			s.note(c, change{op: "cancel"})
		}
		s.log(c, "cancel the last request")
		s.reply(c, okText, nil)
	}
}

func (s *Server) write(c *caller, r *request) {
	if err := s.hasRoom(r.tuples, s.MaxBytes); err != nil {
		s.refuse(c, err)
		return
	}
	s.log(c, "write %v", shown(r.tuples))
	s.note(c, change{op: "write", tuples: r.tuples})
	s.space.write(r.tuples, milliseconds(r.TTL))
	s.reply(c, okText, nil)
}

func (s *Server) hasRoom(tuples []*entry, limit int) error {
	if s.space.size().bytes+cost(tuples) > limit {
		return fmt.Errorf("the space is full: its tuples may take up %d MiB",
			limit>>20)
	}
	return nil
}

// find answers a read or a take: at once if it can, later if it may wait.
func (s *Server) find(c *caller, r *request) {
	q := &query{pattern: r.pattern, take: r.Op == "take",
		max: int(min(r.Max, maxReply)), room: maxReply}
	if q.take {
		q.max = min(q.max, maxTaken)
	}
	if s.Log != nil {
		c.pattern = showPattern(r.Pattern)
	}
	if r.LoanFor > 0 {
		if s.space.size().loans >= maxLoans {
			s.refuse(c, errors.New("there are too many loans already"))
			return
		}
		q.loan, q.loanFor = newLoanName(), milliseconds(r.LoanFor)
		q.ranOut = func(f found) {
			s.log(c, "loan %v has run out: %v comes back",
				loanName(f.loan), shown(f.tuples))
		}
	}
	if f := s.space.find(q); len(f.tuples) > 0 || r.Wait == 0 {
		s.give(c, f)
		return
	}
	s.wait(c, r, q)
}

func (s *Server) wait(c *caller, r *request, q *query) {
	size := s.space.size()
	if size.waits >= maxWaiting ||
		size.waitFields+len(q.pattern) > maxWaitFields {
		s.refuse(c, errors.New("too many wait already"))
		return
	}
	if r.Place == 0 { // not only asking again
		s.log(c, "%s %s waits", c.op, c.pattern)
	}
	// The wait is bounded, since its caller may be gone for good without the
	// server seeing it. One that lives asks again, and keeps its place.
	c.wait = &wait{query: q, place: r.Place,
		until: s.now.Add(min(milliseconds(r.Wait), maxWait)),
		answer: func(f found) {
			s.forget(c)
			s.give(c, f)
		}}
	s.space.wait(c.wait)
	s.waiting[c.connection()] = c
	if c.session != nil {
		c.session.waits = c
	}
}

func (s *Server) commit(c *caller, r *request) {
	// Who has taken must be able to go on when those who write cannot.
	if err := s.hasRoom(r.tuples, s.MaxBytes+reserve); err != nil {
		s.refuse(c, err)
		return
	}
	if lent := s.space.lent(r.Loan); lent != nil {
		s.note(c, change{op: "commit", removed: lent, tuples: r.tuples})
	}
	if !s.space.commit(r.Loan, r.tuples) {
		s.log(c, "commit loan %v (too late): nothing is written",
			loanName(r.Loan))
		s.reply(c, expiredText, nil)
		return
	}
	s.log(c, "commit loan %v, write %v", loanName(r.Loan), shown(r.tuples))
	s.reply(c, okText, nil)
}

func (s *Server) release(c *caller, r *request) {
	if !s.space.release(r.Loan) {
		s.log(c, "release loan %v (too late)", loanName(r.Loan))
		s.reply(c, expiredText, nil)
		return
	}
	s.log(c, "release loan %v", loanName(r.Loan))
	s.reply(c, okText, nil)
}

// stopWaiting ends a wait that nobody needs any more.
func (s *Server) stopWaiting(c *caller) {
	if c != nil {
		s.forget(c)
		s.space.cancel(c.wait)
	}
}

func (s *Server) forget(c *caller) {
	delete(s.waiting, c.connection())
	if c.session != nil {
		c.session.waits = nil
	}
}

func milliseconds(n int64) time.Duration {
	return time.Duration(n) * time.Millisecond
}
