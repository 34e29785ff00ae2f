package tuplespace

import (
	"container/list"
	"fmt"
	"slices"
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
	client string // "": it was given up
	seq    int64
	answer string
	took   *found // what the answer took out of the space
	kept   int    // bytes of both
	waits  *caller
	used   time.Time
}

// sessions are those of all clients that have given a name. If there are too
// many, those that were not used for longest are given up.
type sessions struct {
	byClient map[string]*list.Element
	recent   list.List // of *session, the last used at the back
	kept     int       // bytes of their answers, and of what these took
}

func newSessions() sessions {
	return sessions{byClient: map[string]*list.Element{}}
}

// isNew looks at what the client asked before. It is false if the request has
// come again, and is not to be done again.
func (s *Server) isNew(c *caller, r *request) (bool, error) {
	c.session = s.sessions.get(r.Client, s.now)
	last := c.session
	if slices.ContainsFunc(s.outbox, func(o outgoing) bool {
		return o.to.session == last
	}) { // can the reply to its last request be delivered?
		if err := s.flush(); err != nil {
			return false, err
		}
	}
	switch {
	case r.Op == "cancel" && r.Seq == last.seq:
		s.stopWaiting(last.waits)
		if last.took != nil {
			s.giveBack(c, last.took)
		}
	case r.Op == "cancel" && r.Seq < last.seq: // it has had its reply
		c.session = nil
	case r.Seq < last.seq:
		return true, fmt.Errorf("seq %d comes after %d", r.Seq, last.seq)
	case r.Seq > last.seq: // if a cancel, then of what has yet to come
		s.stopWaiting(last.waits)
		s.sessions.forgetAnswer(last)
		last.seq = r.Seq
	case last.waits != nil: // the answer goes to where it asks from now
		delete(s.waiting, last.waits.connection())
		s.stopWaiting(s.waiting[c.connection()])
		last.waits.envelope = c.envelope
		s.waiting[c.connection()] = last.waits
		return false, nil
	case last.answer != "":
		s.outbox = append(s.outbox, outgoing{c, last.answer, nil})
		return false, nil
	}
	return true, nil
}

// get finds the client's session, or begins one.
func (s *sessions) get(client string, now time.Time) *session {
	element := s.byClient[client]
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
		s.recent.Remove(s.byClient[oldest.client])
		delete(s.byClient, oldest.client)
		s.forgetAnswer(oldest)
		oldest.client = ""
	}
	if element == nil {
		element = s.recent.PushBack(&session{client: client, seq: -1,
			used: now})
		s.byClient[client] = element
	}
	return element.Value.(*session)
}

// remember keeps the answer to a client's last request.
func (s *sessions) remember(last *session, answer string, took *found) {
	if last.client == "" {
		return
	}
	s.forgetAnswer(last)
	last.answer, last.kept = answer, len(answer)
	if took != nil && took.taken {
		last.took = took
		last.kept += cost(took.tuples)
	}
	s.kept += last.kept
}

func (s *sessions) forgetAnswer(last *session) {
	s.kept -= last.kept
	last.answer, last.took, last.kept = "", nil, 0
}
