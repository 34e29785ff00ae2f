package tuplespace

import (
	"fmt"
	"time"
)

// What is remembered is bounded.
const (
	keepReplies = 5 * time.Minute
	maxReplies  = 20_000   // kept
	maxKept     = 64 << 20 // bytes of them
	maxKeptRead = 4 << 10  // bytes of one to a read
)

// A session is what the server remembers of a client: its last request, and
// how that was answered or who waits for the answer.
type session struct {
	client string
	seq    int64
	answer []byte
	took   Found // what the answer took out of the space
	waits  *caller
	used   time.Time
}

// isFresh looks at what the client asked before. It is false where the
// request has come twice, and is not to be done again.
func (s *Server) isFresh(c *caller) (bool, error) {
	r := c.request
	c.session = s.sessionOf(r.Client)
	last := c.session
	switch {
	case r.Op == "cancel" && r.Seq == last.seq:
		s.stopWaiting(last.waits)
		took := last.took
		last.took = Found{}
		s.space.GiveBack(took)
	case r.Op == "cancel" && r.Seq < last.seq: // it has had its reply
		c.session = nil
	case r.Seq < last.seq:
		return true, fmt.Errorf("seq %d comes after %d", r.Seq, last.seq)
	case r.Seq > last.seq: // if a cancel, then of what has yet to come
		s.stopWaiting(last.waits)
		last.seq, last.took = r.Seq, Found{}
		s.kept -= len(last.answer)
		last.answer = nil
	case last.waits != nil: // the answer goes to where it asks from now
		delete(s.waiting, last.waits.connection())
		s.stopWaiting(s.waiting[c.connection()])
		last.waits.envelope = c.envelope
		s.waiting[c.connection()] = last.waits
		return false, nil
	case last.answer != nil:
		s.send(c, string(last.answer))
		return false, nil
	}
	return true, nil
}

// sessionOf finds the client's session, or begins one. The oldest are given
// up where there are too many.
func (s *Server) sessionOf(client string) *session {
	now := s.space.now
	element := s.sessions[client]
	if element != nil { // first, so that it is not given up now
		s.recent.MoveToBack(element)
		element.Value.(*session).used = now
	}
	for s.recent.Len() > 0 {
		oldest := s.recent.Front().Value.(*session)
		if s.recent.Len() <= maxReplies && s.kept <= maxKept &&
			now.Sub(oldest.used) < keepReplies {
			break
		}
		s.recent.Remove(s.sessions[oldest.client])
		delete(s.sessions, oldest.client)
		s.kept -= len(oldest.answer)
		oldest.client = "" // given up
	}
	if element == nil {
		element = s.recent.PushBack(&session{client: client, seq: -1,
			used: now})
		s.sessions[client] = element
	}
	return element.Value.(*session)
}
