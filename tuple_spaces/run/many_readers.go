package main

import "distsys/internal/lab"

func manyReaders(l *lab.Lab) {
	const n = 10
	s := newSpace(l)
	l.Step("%d clients wait to read the tuple (\"news\", ...)", n)
	var readers []*lab.Process
	for range n {
		readers = append(readers, s.start("client", "read", "news", "?"))
	}
	l.WaitForCount(" waits", n, s.server)

	l.Step("one tuple is written")
	s.must("write", "news", "hello")
	l.WaitForCount("read [\"news\",\"hello\"]", n, readers...)

	l.Step("%d more read it later", n)
	for range n {
		readers = append(readers, s.ask("tryread", "news", "?"))
	}

	there := s.do("tryread", "news", "hello")
	copies := lab.Count("read [\"news\",\"hello\"]", readers...)
	l.Verdict(copies == 2*n && there,
		"1 tuple, %d readers; copies: %d; still there: %v", 2*n, copies, there)
}

var manyReadersWithout = []lab.Without{
	{Name: "read", Edit: lab.Edit{File: "tuple_spaces/client/main.go",
		Line:   "tuple, err := space.Read(ctx, fields...)",
		Become: "tuple, err := space.Take(ctx, fields...)"},
		Watch: "The first of those who wait takes the tuple out; the others " +
			"wait on."},
}
