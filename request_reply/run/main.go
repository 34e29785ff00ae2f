// Run plays the story of request-reply with real processes, or runs one of
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
			Without: clientFirstWithout,
			Claim:   "The client may start before the server."},
		lab.Experiment{Name: "server-crash", Run: serverCrash,
			Without: serverCrashWithout,
			Claim: "A client that asks again survives a crash of the server" +
				" (at least once); a plain REQ hangs for ever."},
		lab.Experiment{Name: "moved-server", Run: movedServer,
			Without: movedServerWithout,
			Claim: "A client must know where the server is: if the server" +
				" moves, the client asks in vain."},
		lab.Experiment{Name: "stranger", Run: stranger,
			Without: strangerWithout,
			Claim: "Whoever knows the port can stop a server; with -curve only" +
				" who knows its key can talk to it."},
	)
}

func story(l *lab.Lab) {
	address := l.Address()
	server := l.Start("request_reply/server", "-bind", address)
	server.WaitFor("listening")

	l.Step("a client sends hello, and prints the reply alone")
	client := l.Start("request_reply/client", "-connect", address, "hello")
	client.Wait()

	l.Step("a request that contains STOP ends the server, after its reply")
	client = l.Start("request_reply/client", "-connect", address, "STOP")
	client.Wait()
	server.Wait()
}
