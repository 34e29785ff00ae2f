// Server is the end that replies: it waits for a request, works on it, and
// sends the text back with a ! added. A request that contains STOP ends it.
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

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	requestreply "distsys/request_reply"
)

var (
	bind = flag.String("bind", requestreply.Address, "`address` to listen on")
	work = flag.Duration("work", 0, "`time` to work before each reply")
	_    = zeromq.CurveFlag()
)

func main() {
	cli.Parse("request_reply/server",
		"Server replies to each request: the text comes back with a ! added.")
	cli.Main(serve)
}

func serve(ctx context.Context) error {
	// A REP socket takes one request, must reply to it, and only then takes
	// the next.
	socket, err := zeromq.Open(ctx, zmq.REP)
	if err != nil {
		return err
	}
	defer socket.Close()

	// One socket serves any number of clients. There is no accept: ZeroMQ
	// looks after the connections.
	err = socket.Bind(*bind)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", socket.Address())

	for {
		// A request arrives whole, or not at all.
		frames, err := socket.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("receive a request: %w", err)
		}
		request := strings.Join(frames, " ")
		if len(frames) != 1 {
			log.Printf("%d frames, one is expected", len(frames))
		}
		log.Printf("received %.60q", request)

		// If the server crashes here, nobody replies to this client.
		if err := cli.Sleep(ctx, *work); err != nil {
			return err
		}

		// No address is needed: the reply goes to whoever sent the request.
		_, err = socket.Send(request+"!", 0)
		if err != nil {
			return fmt.Errorf("send the reply: %w", err)
		}
		log.Printf("replied %.60q", request+"!")

		// Close gives this last reply a second to be on its way.
		if strings.Contains(request, "STOP") {
			return socket.SetLinger(time.Second)
		}
	}
}
