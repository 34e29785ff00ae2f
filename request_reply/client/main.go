// Client is the end that asks: it sends one request, waits for the reply,
// and prints it.
//
//	go run ./request_reply/client hello
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	requestreply "distsys/request_reply"
)

var (
	connect = flag.String("connect", requestreply.Address,
		"`address` of the server")
	timeout = flag.Duration("timeout", 5*time.Second,
		"`time` to wait in each try; 0: a plain REQ, which waits for ever")
	tries = flag.Int("tries", 3, "how often to ask before giving up")
)

func main() {
	cli.Parse("request_reply/client [message]",
		"Client sends one request to the server and prints the reply.")
	cli.Main(func(ctx context.Context) error {
		for try := 1; try <= *tries && ctx.Err() == nil; try++ {
			reply, err := ask(ctx, flag.Arg(0))
			if err == nil {
				fmt.Println(reply)
				return nil
			}
			if !errors.Is(err, zmq.Errno(syscall.EAGAIN)) { // not the timeout
				return err
			}
			fmt.Fprintf(os.Stderr, "%s: no reply within %v (try %d of %d)\n",
				cli.Name(), *timeout, try, *tries)
		}
		return fmt.Errorf("no server answered at %s; start one with: "+
			"go run ./request_reply/server", *connect)
	})
}

// ask tries once. A REQ socket must have its reply before it may send again:
// when the server dies in between, it waits for ever. So each try has a
// socket of its own; closing it drops the request, if it is still there.
func ask(ctx context.Context, request string) (string, error) {
	socket, err := zmq.NewSocket(zmq.REQ)
	if err != nil {
		return "", fmt.Errorf("create the socket: %w", err)
	}
	defer socket.Close()
	limit := *timeout
	if limit == 0 {
		limit = -1 // ZeroMQ's word for no limit
	}
	err = errors.Join(socket.SetLinger(0), socket.SetRcvtimeo(limit))
	if err != nil {
		return "", fmt.Errorf("set linger and time limit: %w", err)
	}

	// Connect succeeds whether or not a server is there (yet).
	if err := socket.Connect(*connect); err != nil {
		return "", fmt.Errorf("connect to %s: %w", *connect, err)
	}
	// On Ctrl-C, Term makes the Recv below return.
	defer context.AfterFunc(ctx, func() { zmq.Term() })()

	if _, err := socket.Send(request, 0); err != nil {
		return "", fmt.Errorf("send the request: %w", err)
	}
	return socket.Recv(0)
}
