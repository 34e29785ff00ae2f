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
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	requestreply "distsys/request_reply"
)

var (
	bind = flag.String("bind", requestreply.Address, "`address` to listen on")
	work = flag.Duration("work", 0, "`time` to work before each reply")
)

func main() {
	cli.Parse("request_reply/server",
		"Server replies to each request: the text comes back with a ! added.")
	cli.Main(serve)
}

func serve(ctx context.Context) error {
	// A REP socket takes one request, must reply to it, then takes the next.
	socket, err := zmq.NewSocket(zmq.REP)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	// Term waits for a last reply that is still on its way. Before that, on
	// Ctrl-C, it makes the receive below return.
	term := sync.OnceFunc(func() { zmq.Term() })
	defer term()
	defer socket.Close()
	if err := socket.SetLinger(0); err != nil { // Ctrl-C: wait for no one
		return fmt.Errorf("set linger: %w", err)
	}

	if err := socket.Bind(*bind); err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", *bind)
	context.AfterFunc(ctx, term)

	for {
		request, err := socket.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("receive a request: %w", err)
		}
		text := strings.Join(request, " ") // one frame, as a rule
		log.Printf("received %.60q", text)

		if err := cli.Sleep(ctx, *work); err != nil {
			return err
		}

		if _, err := socket.Send(text+"!", 0); err != nil {
			return fmt.Errorf("send the reply: %w", err)
		}
		log.Printf("replied %.60q", text+"!")
		if strings.Contains(text, "STOP") {
			return socket.SetLinger(time.Second) // for this last reply
		}
	}
}
