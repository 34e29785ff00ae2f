package main

import (
	"path/filepath"
	"strings"

	"distsys/internal/lab"
)

// stranger has somebody who knows only the port try to stop a server: one that
// is open to all, and one that lets in only who knows its key.
func stranger(l *lab.Lab) {
	// A key pair of this experiment's own.
	env := []string{"DISTSYS_CURVE=" + filepath.Join(l.TempDir(), "curve.key")}

	ask := func(address, message string, more ...string) *lab.Process {
		args := append([]string{"-connect", address, "-timeout", "1s",
			"-tries", "1"}, more...)
		client := l.Start("request_reply/client", append(args, message)...)
		client.Wait()
		return client
	}

	l.Step("a server that is open to all; a stranger, who knows its port, " +
		"sends STOP")
	address := l.Address()
	open := l.Start("request_reply/server", "-bind", address)
	open.WaitFor("listening")
	ask(address, "STOP from a stranger")
	open.Wait()
	stopped := lab.Count("received \"STOP", open)

	l.Step("a server with -curve; the stranger sends STOP without its key")
	address = l.Address()
	private := l.StartEnv(env, "request_reply/server", "-curve", "-bind",
		address)
	line := private.WaitFor("-key '")
	private.WaitFor("listening")
	without := ask(address, "STOP from a stranger")

	l.Step("the stranger tries a key of its own; then a client asks who has " +
		"the right one")
	_, key, _ := strings.Cut(line, "-key '")
	key = strings.TrimSuffix(key, "'")
	wrong := ask(address, "STOP from a stranger", "-key",
		strings.Repeat("stranger", 5))
	right := ask(address, "hello", "-key", key)

	received := lab.Count("received \"STOP", private)
	refused := lab.Count("does not let us in", without, wrong)
	answered := lab.Count("hello!", right)
	l.Verdict(stopped == 1 && received == 0 && refused == 2 && answered == 1,
		"open to all: stopped by %d stranger; with -curve: 2 strangers, %d "+
			"received, %d refused; 1 client with the key, %d answered", stopped,
		received, refused, answered)
}

var strangerWithout = []lab.Without{
	{Name: "curve", Edit: lab.Edit{File: "internal/zeromq/curve.go",
		Line: "	if err := socket.SetCurveServer(1); err != nil {\n" +
			"		return err\n	}\n" +
			"	if err := socket.SetCurveSecretkey(secret); err != nil {\n" +
			"		return err\n	}\n",
		Become: "	_ = secret\n"},
		Watch: "The server has a key, and does not ask for it: the stranger " +
			"stops this one, too."},
}
