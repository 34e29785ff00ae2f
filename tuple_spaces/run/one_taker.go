package main

import "distsys/internal/lab"

func oneTaker(l *lab.Lab) {
	const n = 50
	s := newSpace(l)
	l.Step("%d clients wait to take the tuple (\"prize\", ...)", n)
	var takers []*lab.Process
	for range n {
		takers = append(takers, s.start("client", "take", "prize", "?int"))
	}
	l.WaitForCount(" waits", n, s.server)

	l.Step("one tuple is written")
	s.must("write", "prize", "1")
	l.WaitForCount("take [\"prize\",1]", 1, takers...)
	s.server.WaitFor("take gets [\"prize\",1]")

	l.Step("there is no tuple any more; the others wait on, until they are " +
		"stopped")
	there := s.do("tryread", "prize", "?")
	for _, taker := range takers {
		if taker.Running() {
			taker.Stop()
		}
	}

	got := lab.Count("take [\"prize\",1]", takers...)
	given := lab.Count("take gets [\"prize\",1]", s.server)
	waiting := lab.Count(": stopped", takers...)
	l.Verdict(!there && got == 1 && given == 1 && waiting == n-1,
		"1 tuple, %d takers: given to %d, %d got it, %d went on waiting", n,
		given, got, waiting)
}

var oneTakerWithout = []lab.Without{
	{Name: "take", Edit: lab.Edit{File: "tuple_spaces/client/main.go",
		Line:   "tuple, err := space.Take(ctx, fields...)",
		Become: "tuple, err := space.Read(ctx, fields...)"},
		Watch: "A read leaves the tuple where it is, so that everybody who " +
			"waits gets it."},
	{Name: "remove", Edit: lab.Edit{
		File:   "tuple_spaces/tuplespace/indexed.go",
		Line:   "	for _, t := range f.tuples {\n		s.remove(t)\n	}\n",
		Become: ""},
		Watch: "The server gives the tuple to a taker and does not remove " +
			"it: the next one in line gets it, too."},
}
