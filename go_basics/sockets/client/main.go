// Client connects by plain TCP, sends one message or two, and prints all that
// comes back.
//
//	go run ./go_basics/sockets/client
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"syscall"

	"distsys/go_basics/sockets"
	"distsys/internal/cli"
)

var (
	connect = flag.String("connect", sockets.Address, "`address` of the server")
	repeat  = flag.Int("repeat", 1, "how often to repeat the text of a message")
)

func main() {
	cli.Parse("go_basics/sockets/client [message [message]]",
		"Client sends Hello, world, or other text, and prints the answer.")
	cli.Main(talk)
}

func talk(ctx context.Context) error {
	// Unlike a ZeroMQ socket, this one needs a server that is there already.
	log.Printf("connecting to %s", *connect)
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", *connect)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no server listens at %s; start one with: "+
			"go run ./go_basics/sockets/server", *connect)
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	cli.CloseOnStop(ctx, conn)

	// The server answers while we still send. If we read only afterwards, it
	// could end up waiting for us, and we for it: hence a goroutine.
	sent := make(chan error, 1)
	go func() { sent <- send(conn.(*net.TCPConn)) }()

	// The answer ends when the server closes; TCP does not say why it did.
	answer, err := io.ReadAll(conn)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if err := <-sent; err != nil {
		return fmt.Errorf("send: %w", err)
	}
	log.Printf("received %d bytes: %.60q", len(answer), answer)
	return nil
}

// send writes one message after the other, with nothing in between.
func send(conn *net.TCPConn) error {
	defer conn.CloseWrite() // that was all; the answer can still come

	messages := flag.Args()
	if len(messages) == 0 {
		messages = []string{"Hello, world"}
	}
	for _, message := range messages {
		if *repeat > 100_000_000/max(1, len(message)) {
			return errors.New("a message has 100 million bytes at most")
		}
		text := bytes.Repeat([]byte(message), *repeat)
		_, err := conn.Write(text)
		if err != nil {
			return err
		}
		log.Printf("sent %d bytes: %.60q", len(text), text)
	}
	return nil
}
