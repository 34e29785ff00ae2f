package tuplespace

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// Bounds of a server.
const (
	maxWait    = 10 * time.Second // then the client asks again, if alive
	maxWaiting = 10_000
	maxLoans   = 10_000
)

// A Server keeps a space for its clients. One goroutine owns both the space
// and the socket: it does one request after the other. So nothing is locked,
// and nobody can take a tuple between another's look and grab.
type Server struct {
	// Log is told in a line what is asked, if it is set before Serve.
	Log func(format string, args ...any)

	space    *Space
	zmq      *zmq.Context
	socket   *zmq.Socket
	waiting  map[string]*caller // by connection
	sessions map[string]*list.Element
	recent   list.List // of *session, the last used at the back
	kept     int       // bytes of their replies
}

// Listen returns a server that listens on a ZeroMQ address. It works, and
// must be ended, by Serve.
func Listen(address string) (*Server, error) {
	s := &Server{space: NewSpace(), waiting: map[string]*caller{},
		sessions: map[string]*list.Element{},
		Log:      func(string, ...any) {}}
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
		s.socket.SetRcvhwm(100), s.socket.SetSndhwm(100),
		s.socket.SetBacklog(4096))
	if err == nil {
		err = s.socket.Bind(address)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", address, err),
			s.socket.Close(), s.zmq.Term())
	}
	return s, nil
}

// Len says how many tuples there are, before or after Serve.
func (s *Server) Len() int { return s.space.Len() }

// Serve works until ctx ends, and returns why.
func (s *Server) Serve(ctx context.Context) error {
	term := sync.OnceFunc(func() { s.zmq.Term() })
	defer term()
	defer s.socket.Close()
	// When ctx ends, Term makes the receive below return.
	defer context.AfterFunc(ctx, term)()
	s.space.RanOut = func(loan string, tuples Found) {
		s.Log("loan %s has run out: %.200s comes back", loan,
			listOf{tuples.Tuples()})
	}
	limit := time.Duration(0)
	for {
		last := limit
		limit = -1 // for ever, unless something ends
		if next, ok := s.space.Next(); ok {
			// ZeroMQ counts the milliseconds in 32 bits: 24 days.
			limit = min(max(0, time.Until(next)), time.Hour) +
				time.Millisecond
		}
		if limit != last {
			if err := s.socket.SetRcvtimeo(limit); err != nil {
				return fmt.Errorf("set how long to wait: %w", err)
			}
		}
		frames, err := s.socket.RecvMessageBytes(0)
		s.space.Advance(time.Now())
		if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("receive a request: %w", err)
		}
		s.handle(frames)
	}
}

// A caller is someone who asked for something and is to have a reply.
type caller struct {
	envelope [][]byte // the frames that lead back
	request  *request
	session  *session // nil where the client gave no name
	wait     *Wait    // nil where it does not wait
}

func (c *caller) connection() string { return string(c.envelope[0]) }

// handle does one request. Its frames are an envelope, which ends with an
// empty frame, and the request itself.
func (s *Server) handle(frames [][]byte) {
	empty := slices.IndexFunc(frames, func(f []byte) bool {
		return len(f) == 0
	})
	c := &caller{envelope: frames[:max(empty, 0)+1]}
	err := errors.New("a request is an empty frame and a frame of JSON")
	if empty > 0 && len(frames) == empty+2 {
		c.request, err = parse(frames[empty+1])
	}
	fresh := true
	if err == nil && c.request.Client != "" {
		fresh, err = s.isFresh(c)
	}
	if !fresh {
		return
	}
	// A connection has one request at a time: a new one ends the older.
	s.stopWaiting(s.waiting[c.connection()])
	if err != nil {
		s.refuse(c, err)
		return
	}

	switch r := c.request; r.Op {
	case "read", "take":
		s.find(c)
	case "write":
		s.Log("write %.200s", listOf{r.Tuples})
		s.space.Write(r.tuples, milliseconds(r.TTL))
		s.reply(c, answer{Status: "ok"}, Found{})
	case "commit":
		done := s.space.Commit(r.Loan, r.tuples)
		if done {
			s.Log("commit loan %s, write %.200s", r.Loan, listOf{r.Tuples})
		} else {
			s.Log("commit loan %s (too late): nothing is written", r.Loan)
		}
		s.reply(c, answer{Status: status(done)}, Found{})
	case "release":
		done := s.space.Release(r.Loan)
		s.Log("release loan %s%s", r.Loan, tooLate(done))
		s.reply(c, answer{Status: status(done)}, Found{})
	case "cancel":
		s.Log("cancel the last request")
		s.reply(c, answer{Status: "ok"}, Found{})
	}
}

// find answers a read or a take: at once if it can, later if it may wait.
func (s *Server) find(c *caller) {
	r := c.request
	query := Query{Pattern: r.pattern, Take: r.Op == "take",
		Loan: milliseconds(r.LoanFor), Max: int(min(r.Max, maxReply)),
		Room: maxReply}
	if query.Loan > 0 && len(s.space.loans) >= maxLoans {
		s.refuse(c, errors.New("there are too many loans already"))
		return
	}
	found := s.space.Find(query)
	if !found.Empty() || r.Wait == 0 {
		if !s.give(c, found) {
			s.space.GiveBack(found)
		}
		return
	}
	if s.space.Waiting() >= maxWaiting {
		s.refuse(c, errors.New("too many wait already"))
		return
	}
	if r.Place == 0 { // not only asking again
		s.Log("%s %.200s waits", r.Op, jsonOf{r.Pattern})
	}
	// The wait is bounded, since its caller may be gone for good without the
	// server seeing it. One that lives asks again, and keeps its place.
	until := s.space.now.Add(min(milliseconds(r.Wait), maxWait))
	c.wait = &Wait{Query: query, Place: r.Place, Until: until,
		Answer: func(found Found) bool {
			s.forget(c)
			return s.give(c, found)
		}}
	s.space.Wait(c.wait)
	s.waiting[c.connection()] = c
	if c.session != nil {
		c.session.waits = c
	}
}

// give answers a read or a take with what was found, if anything. Where it
// is false the tuples are still the space's.
func (s *Server) give(c *caller, found Found) bool {
	a := answer{Status: "ok", Tuples: found.Tuples(), More: found.More}
	if found.loan != nil {
		a.Loan = found.loan.name
	}
	if found.Empty() {
		a.Status = "none"
		if c.wait != nil {
			a.Place = c.wait.Place
		}
	}
	given := s.reply(c, a, found)
	switch op := c.request.Op; {
	case !given:
		s.Log("%s %.200s: its client is gone", op, jsonOf{c.request.Pattern})
	case !found.Empty() && found.loan != nil:
		s.Log("%s gets %.200s, on loan %s", op, listOf{a.Tuples}, a.Loan)
	case !found.Empty():
		s.Log("%s gets %.200s", op, listOf{a.Tuples})
	case c.wait == nil:
		s.Log("%s %.200s finds nothing", op, jsonOf{c.request.Pattern})
	}
	return given
}

// reply sends a reply, and remembers it where the client has a name. (Not
// large ones to a read: that does no harm if it is done again, and they would
// leave no room for others.) It is false where the client cannot be reached,
// as one that was killed.
func (s *Server) reply(c *caller, a answer, found Found) bool {
	text := encode(a)
	sent := s.send(c, text)
	if c.session == nil || c.session.client == "" ||
		!found.Empty() && (!sent || !found.taken && len(text) > maxKeptRead) {
		return sent
	}
	s.kept += len(text) - len(c.session.answer)
	c.session.answer = []byte(text)
	c.session.took = found
	return sent
}

func (s *Server) refuse(c *caller, err error) {
	s.Log("refused: %v", err)
	s.send(c, encode(answer{Status: "error", Error: err.Error()}))
}

// send must not wait: a client that does not take its replies would stop all
// the others. It fails at once instead, and the reply counts as not given.
func (s *Server) send(c *caller, text string) bool {
	_, err := s.socket.SendMessageDontwait(c.envelope, text)
	if isAgain(err) {
		// There seems to be no room. But what the client has taken meanwhile
		// ZeroMQ may not have noticed: to ask for events makes it look.
		if _, err = s.socket.GetEvents(); err == nil {
			_, err = s.socket.SendMessageDontwait(c.envelope, text)
		}
	}
	return err == nil
}

// stopWaiting ends a wait that nobody needs any more.
func (s *Server) stopWaiting(c *caller) {
	if c != nil {
		s.forget(c)
		s.space.StopWait(c.wait)
	}
}

func (s *Server) forget(c *caller) {
	delete(s.waiting, c.connection())
	if c.session != nil {
		c.session.waits = nil
	}
}

// jsonOf is written as JSON only if it is printed.
type jsonOf struct{ value any }

func (j jsonOf) String() string { return encode(j.value) }

// listOf is a list written without its brackets.
type listOf struct{ value any }

func (l listOf) String() string {
	text := encode(l.value)
	if len(text) < len("[[]]") || text == "null" {
		return "nothing"
	}
	return text[1 : len(text)-1]
}

func milliseconds(n int64) time.Duration {
	return time.Duration(n) * time.Millisecond
}

func status(done bool) string {
	if done {
		return "ok"
	}
	return "expired"
}

func tooLate(done bool) string {
	if done {
		return ""
	}
	return " (too late)"
}
