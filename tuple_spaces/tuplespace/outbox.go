package tuplespace

import (
	"errors"
	"slices"
	"syscall"

	zmq "github.com/pebbe/zmq4"
)

// An outgoing reply stands in the outbox until its request is done. So the log
// has first what a client asked for, and then what that did to others. And
// nobody is told of anything before it is in the journal, if there is one.
type outgoing struct {
	to    *caller
	text  string // "": it is written when it is sent
	found *found // nil: it is not the reply to a read or a take
}

// reply puts a reply into the outbox, and remembers it if the client has a
// name.
func (s *Server) reply(c *caller, text string, f *found) {
	s.outbox = append(s.outbox, outgoing{c, text, f})
	if c.session != nil {
		s.sessions.remember(c.session, text, f)
	}
}

// give replies to a read or a take with what was found, if anything.
func (s *Server) give(c *caller, f found) {
	if f.taken && len(f.tuples) == maxTaken {
		f.more = true
	}
	if f.taken && f.loan == "" {
		s.note(c, change{op: "take", removed: f.tuples, more: f.more})
	}
	// Many may get to read the same large tuple: one copy at a time. It is
	// not remembered. To read it again does no harm, and others need the room.
	if !f.taken && f.length() > maxKeptRead {
		s.outbox = append(s.outbox, outgoing{c, "", &f})
		return
	}
	s.reply(c, c.textOf(&f), &f)
}

// textOf writes the reply to a read or a take.
func (c *caller) textOf(f *found) string {
	if c.wait == nil {
		return replyText(f, 0)
	}
	return replyText(f, c.wait.place)
}

func (s *Server) refuse(c *caller, err error) {
	s.log(c, "refused: %v", err)
	s.outbox = append(s.outbox, outgoing{c, encode(reply{Status: "error",
		Error: err.Error()}), nil})
}

// flush sends what is in the outbox. A tuple that cannot be delivered was not
// given: it goes back to its place, or to who waits for it next. That one's
// reply is then in the outbox.
func (s *Server) flush() error {
	for len(s.outbox) > 0 {
		if err := s.journal.sync(); err != nil {
			return err
		}
		n := len(s.outbox)
		for _, r := range s.outbox[:n] {
			s.sendReply(r)
		}
		s.outbox = slices.Delete(s.outbox, 0, n)
	}
	// A tuple may have gone back to its place.
	if err := s.journal.sync(); err != nil {
		return err
	}
	if s.journal.isLong() {
		return s.compact()
	}
	return nil
}

func (s *Server) sendReply(r outgoing) {
	sent := s.deliver(r)
	if r.found == nil {
		return
	}
	s.logFound(r.to, r.found, sent)
	if sent || len(r.found.tuples) == 0 {
		return
	}
	if r.to.session != nil {
		s.sessions.forgetAnswer(r.to.session)
	}
	s.giveBack(r.to, r.found)
}

// giveBack gives tuples back to the space, once.
func (s *Server) giveBack(c *caller, f *found) {
	back := *f
	*f = found{}
	if back.taken && back.loan == "" {
		s.note(c, change{op: "back", tuples: back.tuples})
	}
	s.space.giveBack(back)
}

// deliver sends a reply, unless its client, or all together, have too much
// that they have not taken yet.
func (s *Server) deliver(r outgoing) bool {
	n := len(r.text)
	if r.text == "" {
		n = r.found.length()
	}
	connection := r.to.connection()
	if !s.unread.add(connection, n, s.now) {
		return false
	}
	if r.text == "" {
		r.text = r.to.textOf(r.found)
	}
	err := s.send(r.to.envelope, r.text)
	switch {
	case isAgain(err):
		s.unread.stuck(connection, s.now)
	case err != nil: // it is gone
		s.unread.forget(connection)
	}
	return err == nil
}

// send must not wait: a client that does not take its replies would stop all
// the others. It fails at once instead, as it does if the client is gone.
func (s *Server) send(envelope [][]byte, text string) error {
	err := s.trySend(envelope, text)
	if isAgain(err) {
		// There seems to be no room. But what the client has taken meanwhile
		// ZeroMQ may not have noticed: to ask for events makes it look.
		if _, err = s.socket.GetEvents(); err == nil {
			err = s.trySend(envelope, text)
		}
	}
	return err
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
