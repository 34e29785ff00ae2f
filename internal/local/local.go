// Package local is what a program that starts others asks of the machine.
package local

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort returns a port of 127.0.0.1 that nobody listens on, below 32768,
// where no outgoing connection can be given it meanwhile.
func FreePort() int {
	for {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			listener.Close()
			return port
		}
	}
}
