package main

import (
	"time"

	"distsys/internal/lab"
)

func init() { lab.FreePlay(scene) }

// scene is free play: a server that takes a while for each reply, and a client
// that asks every two seconds, and asks again if there is no reply. Kill the
// server, or freeze it, and start it again.
func scene(l *lab.Lab) {
	address := l.Address()
	l.Start("request_reply/server", "-bind", address, "-work", "700ms")
	l.Repeat(2*time.Second, "request_reply/client", "-connect", address,
		"-timeout", "3s", "-tries", "1000", "hello")
}
