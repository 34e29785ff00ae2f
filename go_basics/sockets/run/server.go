package main

import (
	"strings"

	"distsys/internal/lab"
)

// serve starts a TCP server, and returns its address for the client.
func serve(l *lab.Lab) (server *lab.Process, address string) {
	address = strings.TrimPrefix(l.Address(), "tcp://")
	server = l.Start("go_basics/sockets/server", "-bind", address)
	server.WaitFor("listening")
	return server, address
}
