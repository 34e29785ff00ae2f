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
	"distsys/internal/zeromq"
	requestreply "distsys/request_reply"
)

var (
	connect = flag.String("connect", requestreply.Address,
		"`address` of the server")
	timeout = flag.Duration("timeout", 5*time.Second,
		"`time` to wait in each try; 0: a plain REQ, which waits for ever")
	tries = flag.Int("tries", 3, "how often to ask before giving up")
	_     = zeromq.KeyFlag()
)

func main() {
	cli.Parse("request_reply/client [message]",
		"Client sends one request to the server and prints the reply.")
	cli.Main(request)
}

var errNoReply = errors.New("no reply in time")

// request asks until a reply comes or the tries are used up.
func request(ctx context.Context) error {
	for try := 1; try <= *tries; try++ {
		reply, err := ask(ctx, flag.Arg(0))
		if errors.Is(err, errNoReply) {
			fmt.Fprintf(os.Stderr, "%s: no reply within %v (try %d of %d)\n",
				cli.Name(), *timeout, try, *tries)
			continue
		}
		if err != nil {
			return err
		}
		fmt.Println(cli.Printable(reply))
		return nil
	}
	return fmt.Errorf("no server answered at %s; start one with: "+
		"go run ./request_reply/server (or give a slow one more -timeout)",
		*connect)
}

// ask sends the request once and waits for the reply.
func ask(ctx context.Context, message string) (reply string, err error) {
	// A REQ socket must have its reply before it may send again. If the
	// server crashes in between, the socket waits for ever. So each try has
	// a socket of its own.
	socket, err := zeromq.Open(ctx, zmq.REQ)
	if err != nil {
		return "", err
	}
	defer socket.Close()

	if *timeout > 0 {
		if err := socket.SetRcvtimeo(*timeout); err != nil {
			return "", fmt.Errorf("-timeout %v is too long: ZeroMQ takes "+
				"24 days at most", *timeout)
		}
	}

	// Connect succeeds whether or not the server is there (yet).
	err = socket.Connect(*connect)
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", *connect, err)
	}

	// Send does not wait: ZeroMQ delivers the request as soon as it can.
	_, err = socket.Send(message, 0)
	if err != nil {
		return "", fmt.Errorf("send the request: %w", err)
	}

	frames, err := socket.RecvMessage(0)
	if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
		return "", errNoReply
	}
	if err != nil {
		return "", fmt.Errorf("receive the reply: %w", err)
	}
	if len(frames) != 1 {
		return "", fmt.Errorf("the reply has %d frames, one is expected",
			len(frames))
	}
	return frames[0], nil
}
