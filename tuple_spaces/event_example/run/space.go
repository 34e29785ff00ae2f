package main

import "distsys/internal/lab"

// A space is a server, for a publisher and its subscribers.
type space struct {
	l       *lab.Lab
	address string
}

func newSpace(l *lab.Lab) *space {
	s := &space{l, l.Address()}
	server := l.Start("tuple_spaces/server", "-bind", s.address)
	server.WaitFor("listening")
	server.Mute() // what it prints is not the point here
	return s
}

// subscriber starts a subscriber, and returns when it waits for events.
func (s *space) subscriber(id string) *lab.Process {
	p := s.l.Start("tuple_spaces/event_example/subscriber", "-connect",
		s.address, id)
	p.WaitFor("waiting")
	return p
}

// publisher starts a publisher of two events per second.
func (s *space) publisher(args ...string) *lab.Process {
	return s.l.Start("tuple_spaces/event_example/publisher",
		append([]string{"-connect", s.address, "-interval", "500ms"},
			args...)...)
}
