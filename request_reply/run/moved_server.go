package main

import (
	"distsys/internal/lab"
)

// movedServer has a client ask at the address that a server has left.
func movedServer(l *lab.Lab) {
	before, after := l.Address(), l.Address()
	ask := func(address string) *lab.Process {
		client := l.Start("request_reply/client", "-connect", address,
			"-timeout", "500ms", "-tries", "2", "hello")
		client.Wait()
		return client
	}

	l.Step("a server at one address; a client asks it")
	server := l.Start("request_reply/server", "-bind", before)
	server.WaitFor("listening")
	first := ask(before)

	l.Step("the server moves to another address; the client asks at the old " +
		"one, then at the new one")
	server.Stop()
	server = l.Start("request_reply/server", "-bind", after)
	server.WaitFor("listening")
	old := ask(before)
	moved := ask(after)

	replies := lab.Count("hello!", first)
	inVain := lab.Count("hello!", old)
	again := lab.Count("hello!", moved)
	l.Verdict(replies == 1 && inVain == 0 && again == 1,
		"%d reply before the server moved; then %d at the old address, %d at "+
			"the new one", replies, inVain, again)
}
