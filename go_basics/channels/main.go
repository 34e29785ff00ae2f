// Channels is Go's own way to do what ipc/run and sockets do: its client and
// its server are two goroutines in one process, with channels between them.
//
//	go run ./go_basics/channels
//
// A channel carries whole values, and no one has to turn them into bytes and
// back. But it joins only what is one program already:
//   - there is no second process, let alone a second machine;
//   - a crash of one side takes the other with it;
//   - both sides are written in Go, built and started together;
//   - what waits in a channel is lost if the process crashes.
package main

import (
	"context"
	"log"

	"distsys/internal/cli"
)

func main() {
	cli.Parse("go_basics/channels",
		"Channels joins a client and a server within one process.")
	cli.Main(client)
}

func client(context.Context) error {
	lists := make(chan []any)
	requests, replies := make(chan string), make(chan string)
	go server(lists, requests, replies)

	// As in ipc/run, but the list itself changes hands, not a copy of it: both
	// sides could now write to the same map, and must agree which one does.
	lists <- []any{42, "hello world", map[string]any{"key": "value"}}

	// As in sockets/client, but what is sent as one arrives as one. A channel
	// without a buffer waits until the other side receives.
	requests <- "Hello, world"
	log.Printf("client: received %q", <-replies)

	close(requests)

	// This returns when the server has closed its side, too.
	<-replies
	log.Print("client: the server has closed")
	return nil
}

func server(lists <-chan []any, requests <-chan string,
	replies chan<- string) {
	for _, value := range <-lists {
		log.Printf("server: received %v, as %T", value, value)
	}

	// The loop ends when the client closes.
	for request := range requests {
		log.Printf("server: received %q", request)
		replies <- request + "!"
	}
	log.Print("server: the client has closed")
	close(replies)
}
