// Run tells the story of request-reply with real processes, or makes one of
// its experiments.
//
//	go run ./request_reply/run
//	go run ./request_reply/run server-crash
package main

import (
	"distsys/internal/lab"
)

func main() {
	lab.Main("request_reply",
		"A client sends a request to a server and waits for its reply.",
		story,
		lab.Experiment{Name: "client-first", Run: clientFirst,
			Claim: "The client may start before the server."},
		lab.Experiment{Name: "server-crash", Run: serverCrash,
			Claim: "A client that asks again survives a crash of the server" +
				" (at least once); a plain REQ hangs for ever."},
		lab.Experiment{Name: "moved-server", Run: movedServer,
			Claim: "A client must know where the server is: when that moves," +
				" the client asks in vain."},
	)
}

func story(l *lab.Lab) {
	address := l.Address()
	server := l.Start("request_reply/server", "-bind", address)
	server.WaitFor("listening")

	l.Step("a client sends hello, and prints the reply alone")
	client := l.Start("request_reply/client", "-connect", address, "hello")
	client.Wait()

	l.Step("a request that holds STOP ends the server, after its reply")
	client = l.Start("request_reply/client", "-connect", address, "STOP")
	client.Wait()
	server.Wait()
}

func clientFirst(l *lab.Lab) {
	address := l.Address()
	l.Step("the client starts; nobody listens on %s yet", address)
	client := l.Start("request_reply/client", "-connect", address,
		"-timeout", "1s", "-tries", "1000", "hello")
	client.WaitFor("no reply")

	l.Step("now the server starts")
	server := l.Start("request_reply/server", "-bind", address)
	status := client.Wait()
	server.WaitFor("replied")

	answered := lab.Count("hello!", client)
	handled := lab.Count("received", server)
	l.Verdict(status == 0 && answered == 1 && handled == 1,
		"1 request before the server was there, %d received, %d answered",
		handled, answered)
}

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
	second.WaitFor("replied \"again!\"")

	hangs := plain.Running()
	answered := lab.Count("again!", again)
	handled := lab.Count("received \"again\"", first, second)
	reply := "no reply"
	if !hangs {
		reply = "ended"
	}
	l.Say("the plain REQ still waits: its request died with the first server")
	l.Verdict(hangs && status == 0 && answered == 1 && handled >= 2,
		"plain REQ: %s; asking again: 1 request, received %d times, "+
			"%d reply", reply, handled, answered)
}

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
