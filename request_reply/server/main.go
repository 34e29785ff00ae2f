// Server is the end that replies: it waits for a request, works on it, and
// sends the text back with a ! added. A request that holds STOP ends it.
//
//	go run ./request_reply/server
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"strings"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab/cli"
	requestreply "distsys/request_reply"
)

func main() {
	bind := flag.String("bind", requestreply.Address, "`address` to listen on")
	work := flag.Duration("work", 0, "`time` to work before each reply")
	cli.Parse("request_reply/server",
		"Server replies to each request: the text comes back with a ! added.")
	cli.Main(func(ctx context.Context) error {
		return serve(ctx, *bind, *work)
	})
}

func serve(ctx context.Context, address string, work time.Duration) error {
	// A REP socket takes one request, must reply to it, then takes the next.
	socket, err := zmq.NewSocket(zmq.REP)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	defer zmq.Term() // waits for a last reply that is still on its way
	defer socket.Close()
	if err := socket.SetLinger(0); err != nil { // Ctrl-C: wait for nothing
		return fmt.Errorf("set linger: %w", err)
	}

	if err := socket.Bind(address); err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	log.Printf("listening on %s", address)

	// On Ctrl-C, Term makes the Recv below return.
	defer context.AfterFunc(ctx, func() { zmq.Term() })()

	for {
		request, err := socket.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("receive a request: %w", err)
		}
		text := strings.Join(request, " ")
		log.Printf("received %.60q", text)

		select {
		case <-time.After(work):
		case <-ctx.Done():
			return ctx.Err()
		}

		if _, err := socket.Send(text+"!", 0); err != nil {
			return fmt.Errorf("send the reply: %w", err)
		}
		log.Printf("replied %.60q", text+"!")
		if strings.Contains(text, "STOP") {
			return socket.SetLinger(time.Second) // for the last reply
		}
	}
}
