package main

import (
	"time"

	"distsys/internal/lab"
)

func timeToLive(l *lab.Lab) {
	const ttl = 3 * time.Second
	s := newSpace(l)
	l.Step("an event is written that is to live for three seconds, and a " +
		"tuple without a time to live")
	s.must("write", "forever", "1")
	begun := time.Now()
	s.must("-ttl", ttl.String(), "write", "temp", "0", "sensor123", "21")
	written := time.Now()
	atFirst := s.do("tryread", "temp", "0", "?", "?")

	l.Step("clients look for it, again and again, until it is gone")
	s.server.Mute()
	looks, there, late := 0, atFirst, false
	for there && !late {
		late = time.Since(written) > ttl+time.Second
		look := s.start("client", "tryread", "temp", "0", "?", "?").Mute()
		there = look.Wait() == 0
		looks++
	}
	lived := time.Since(begun)

	other := s.do("tryread", "forever", "?")
	gone := "still there"
	if !there {
		gone = "gone"
	}
	l.Verdict(atFirst && !there && lived >= ttl && other,
		"1 event for 3 s: there at first: %v, %s after %.1f s (%d looks); "+
			"the other tuple is there: %v", atFirst, gone, lived.Seconds(),
		looks, other)
}

var timeToLiveWithout = []lab.Without{
	{Name: "ttl", Edit: lab.Edit{File: "tuple_spaces/client/main.go",
		Line:   "err := space.WriteFor(ctx, *ttl, fields...)",
		Become: "err := space.Write(ctx, fields...)"},
		Watch: "The event is written without a time to live, and stays."},
}
