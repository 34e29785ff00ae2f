package tuplespace

import (
	"errors"
	"syscall"

	zmq "github.com/pebbe/zmq4"
)

// Outgoing is a reply in the outbox. It stands there until its request is done.
// So the log has first what a client asked for, and then what that did to others. (A
// server that keeps a journal writes it before it sends what is in here.)
type outgoing struct {
	to    *caller
	text  string
	found *found // nil: it is not the reply to a read or a take
}

// reply puts a reply into the outbox, and remembers it if the client has a
// name. (Not a large one to a read: that does no harm if it is done again,
// and would leave no room for others.)
func (s *Server) reply(c *caller, text string, f *found) {
	s.outbox = append(s.outbox, outgoing{c, text, f})
	isLargeRead := f != nil && !f.taken && len(text) > maxKeptRead
	if c.session != nil && !isLargeRead {
		s.sessions.remember(c.session, text, f)
	}
}

func (s *Server) refuse(c *caller, err error) {
	s.log(c, "refused: %v", err)
	s.outbox = append(s.outbox, outgoing{c, encode(reply{Status: "error",
		Error: err.Error()}), nil})
}

// flush sends what is in the outbox. A tuple that cannot be delivered was not
// given: it goes back to its place, or to who waits for it next. That one's
// reply is then the last in the outbox.
func (s *Server) flush() {
	for i := 0; i < len(s.outbox); i++ {
		r := s.outbox[i]
		sent := s.send(r.to.envelope, r.text)
		if r.found == nil {
			continue
		}
		s.logFound(r.to, r.found, sent)
		if !sent && len(r.found.tuples) > 0 {
			if r.to.session != nil {
				s.sessions.forgetAnswer(r.to.session)
			}
			s.giveBack(r.found)
		}
	}
	clear(s.outbox)
	s.outbox = s.outbox[:0]
}

// giveBack gives tuples back to the space, once.
func (s *Server) giveBack(f *found) {
	if f != nil {
		back := *f
		*f = found{}
		s.space.giveBack(back)
	}
}

// send must not wait: a client that does not take its replies would stop all
// the others. It fails at once instead, as it does if the client is gone.
func (s *Server) send(envelope [][]byte, text string) bool {
	err := s.trySend(envelope, text)
	if isAgain(err) {
		// There seems to be no room. But what the client has taken meanwhile
		// ZeroMQ may not have noticed: to ask for events makes it look.
		if _, err = s.socket.GetEvents(); err == nil {
			err = s.trySend(envelope, text)
		}
	}
	return err == nil
}

func (s *Server) trySend(envelope [][]byte, text string) error {
	for _, frame := range envelope {
		_, err := s.socket.SendBytes(frame, zmq.DONTWAIT|zmq.SNDMORE)
		if err != nil {
			return err
		}
	}
	_, err := s.socket.Send(text, zmq.DONTWAIT)
	return err
}

func isAgain(err error) bool {
	return errors.Is(err, zmq.Errno(syscall.EAGAIN))
}
