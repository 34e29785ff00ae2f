// Run plays the story of plain TCP sockets with real processes, or runs their
// experiment.
//
//	go run ./go_basics/sockets/run
//	go run ./go_basics/sockets/run byte-stream
package main

import (
	"distsys/internal/lab"
)

func main() {
	lab.Main("go_basics/sockets",
		"A client talks to a server by plain TCP.",
		story,
		lab.Experiment{Name: "byte-stream", Run: byteStream,
			Without: byteStreamWithout,
			Claim: "TCP carries bytes: two messages can arrive as one, and" +
				" one as several. ZeroMQ carries messages, each as a whole."},
	)
}

func story(l *lab.Lab) {
	server, address := serve(l)

	l.Step("a client connects, sends Hello, world, and prints the answer")
	client := l.Start("go_basics/sockets/client", "-connect", address)
	client.Wait()
	server.Wait()
}
