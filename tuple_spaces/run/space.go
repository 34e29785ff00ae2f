package main

import (
	"strings"

	"distsys/internal/lab"
)

// A space is a server, and those who use it.
type space struct {
	l       *lab.Lab
	address string
	journal string // "": none
	server  *lab.Process
}

func newSpace(l *lab.Lab) *space {
	s := &space{l: l, address: l.Address()}
	s.serve()
	return s
}

// serve starts the server, for the first time or again.
func (s *space) serve() {
	args := []string{"-bind", s.address}
	if s.journal != "" {
		args = append(args, "-journal", s.journal)
	}
	s.server = s.l.Start("tuple_spaces/server", args...)
	s.server.WaitFor("listening")
}

// start starts a program that uses the space.
func (s *space) start(program string, args ...string) *lab.Process {
	return s.l.Start("tuple_spaces/"+program, append([]string{"-connect",
		s.address}, args...)...)
}

// waiting starts a program, and returns when the server has it wait for a
// tuple.
func (s *space) waiting(program string, args ...string) *lab.Process {
	before := lab.Count(" waits", s.server)
	p := s.start(program, args...)
	s.l.WaitForCount(" waits", before+1, s.server)
	return p
}

// do runs a client for one operation, to its end. It returns whether there
// was a tuple.
func (s *space) do(operation ...string) (done bool) {
	return s.start("client", operation...).Wait() == 0
}

// must is do for what cannot fail.
func (s *space) must(operation ...string) {
	if !s.do(operation...) {
		s.l.Fail("the client cannot " + strings.Join(operation, " "))
	}
}

// ask is do for what the client prints.
func (s *space) ask(operation ...string) *lab.Process {
	client := s.start("client", operation...)
	client.Wait()
	return client
}

// loansOver waits until all loans of this moment have ended: what was borrowed
// has been used, or is back in the space.
func (s *space) loansOver() {
	ended := 0
	loans := s.loans()
	s.l.WaitUntil("the end of all loans", func() bool {
		for ended < len(loans) && s.isOver(loans[ended]) {
			ended++
		}
		return ended == len(loans)
	})
}

// isOver is meant for WaitUntil.
func (s *space) isOver(loan string) bool {
	return s.server.Printed("loan "+loan+" has run out") ||
		s.server.Printed("commit loan "+loan) ||
		s.server.Printed("release loan "+loan)
}

// loans returns the names of all loans that the server has given out so far.
func (s *space) loans() (names []string) {
	for _, line := range s.server.Lines() {
		if _, name, ok := strings.Cut(line, ", on loan "); ok {
			names = append(names, name)
		}
	}
	return names
}
