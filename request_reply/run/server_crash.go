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

	// Six seconds, so that the plain REQ waits for longer than any limit that
	// a client has by itself.
	l.Step("the server is back; a client that asks again after 6 s asks it, " +
		"and it crashes once more")
	first := start("30s")
	again := l.Start("request_reply/client", "-connect", address,
		"-timeout", "6s", "-tries", "1000", "again")
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

var serverCrashWithout = []lab.Without{
	{Name: "again", Edit: lab.Edit{File: "request_reply/client/main.go",
		Line:   "			continue\n",
		Become: "			return err\n"},
		Watch: "The client asks once: its request dies with the server."},
	{Name: "for-ever", Edit: lab.Edit{File: "request_reply/client/main.go",
		Line: "	if *timeout > 0 {\n",
		Become: "	if *timeout == 0 {\n		*timeout = 5 * time.Second\n	}\n" +
			"	if *timeout > 0 {\n"},
		Watch: "With a time limit the plain REQ gives up, and does not hang."},
	{Name: "new-socket", Edit: lab.Edit{File: "request_reply/client/main.go",
		Line: "	frames, err := socket.RecvMessage(0)\n" +
			"	if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {\n",
		Become: "	frames, err := socket.RecvMessage(0)\n" +
			"	if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {\n" +
			"		_, err = socket.Send(message, 0) // again, on this socket\n" +
			"	}\n	if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {\n"},
		Watch: "A REQ may not ask again on the same socket: the second Send " +
			"fails."},
}
