package main

import (
	"distsys/internal/lab"
)

// clientFirst starts the client, and the server only when the client has
// asked in vain.
func clientFirst(l *lab.Lab) {
	address := l.Address()

	l.Step("the client starts; nobody listens on %s yet", address)
	client := l.Start("request_reply/client", "-connect", address,
		"-timeout", "1s", "-tries", "1000", "hello")
	client.WaitFor("no reply")

	l.Step("now the server starts")
	server := l.Start("request_reply/server", "-bind", address)
	status := client.Wait()
	if status == 0 {
		server.WaitFor("replied")
	}

	answered := lab.Count("hello!", client)
	handled := lab.Count("received", server)
	l.Verdict(status == 0 && answered == 1 && handled == 1,
		"1 request before the server was there, %d received, %d answered",
		handled, answered)
}

var clientFirstWithout = []lab.Without{
	{Name: "again", Edit: lab.Edit{File: "request_reply/client/main.go",
		Line:   "			continue\n",
		Become: "			return err\n"},
		Watch: "The client asks once. Nobody is there, and it gives up."},
}
