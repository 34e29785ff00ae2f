// Package tuplespaces is what the programs that use the tuple space must
// agree on: where it is, and what their tuples look like. See README.md.
package tuplespaces

import "log"

// Address is where the server listens, and where the others connect.
const Address = "tcp://127.0.0.1:5678"

// SayNoReply prints that the server has not replied. Without it, a program
// whose server is not there would wait in silence.
func SayNoReply() {
	log.Print("no reply; is there a server (go run ./tuple_spaces/server)? " +
		"Or is -key missing, or wrong?")
}
