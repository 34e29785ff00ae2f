package main

import (
	"distsys/internal/lab"
)

// serverCrash kills a server in the middle of a request, once for a plain REQ
// and once for a client that asks again.
func serverCrash(l *lab.Lab) {
	address := l.Address()
	start := func(work string) *lab.Process {
		server := l.Start("request_reply/server", "-bind", address,
			"-work", work)
		server.WaitFor("listening")
		return server
	}

	l.Step("a plain REQ asks a server that takes long; the server crashes")
	server := start("30s")
	plain := l.Start("request_reply/client", "-connect", address,
		"-timeout", "0", "plain")
	server.WaitFor("received")
	server.Kill()

	l.Step("the server is back; a client that asks again after 2 s asks it, " +
		"and it crashes once more")
	first := start("30s")
	again := l.Start("request_reply/client", "-connect", address,
		"-timeout", "2s", "-tries", "1000", "again")
	first.WaitFor("received \"again\"")
	first.Kill()

	l.Step("the server is back for good")
	second := start("100ms")
	status := again.Wait()
	if status == 0 {
		second.WaitFor("replied \"again!\"")
	}

	hangs := plain.Running()
	answered := lab.Count("again!", again)
	handled := lab.Count("received \"again\"", first, second)
	reply := "no reply"
	if !hangs {
		reply = "ended"
	}
	if hangs {
		l.Say("the plain REQ still waits: its request died with the first " +
			"server")
	}
	l.Verdict(hangs && status == 0 && answered == 1 && handled >= 2,
		"plain REQ: %s; asking again: 1 request, received %d times, "+
			"%d reply", reply, handled, answered)
}
