// Server is plain TCP: it accepts one connection, sends each chunk of bytes
// that it reads back with a ! added, and ends when the client closes.
//
//	go run ./go_basics/sockets/server
//
// Beside request_reply/server it shows what TCP leaves to the program:
//   - to listen, to accept each connection, and to close it;
//   - to find out where a message ends: TCP carries bytes, not messages;
//   - to serve several clients: one after the other, as long as it does not
//     start a goroutine for each connection;
//   - to be there first: a client cannot connect to a server that starts
//     later.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"distsys/go_basics/sockets"
	"distsys/internal/cli"
)

var bind = flag.String("bind", sockets.Address, "`address` to listen on")

func main() {
	cli.Parse("go_basics/sockets/server",
		"Server sends back what it reads, with a ! added to each chunk.")
	cli.Main(serve)
}

func serve(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", *bind)
	if err != nil {
		return fmt.Errorf("create the listener: %w", err)
	}
	defer listener.Close()
	// On Ctrl-C, Close makes the Accept below return.
	context.AfterFunc(ctx, func() { listener.Close() })
	log.Printf("listening on %s", listener.Addr())

	// Accept waits for a client. A second client could connect as well, but
	// then wait in vain: this server accepts once.
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("accept a connection: %w", err)
	}
	defer conn.Close()
	context.AfterFunc(ctx, func() { conn.Close() })
	log.Printf("accepted a connection from %s", conn.RemoteAddr())

	chunk := make([]byte, 1024)
	for {
		// Read returns what has arrived by now: a part of a message, or
		// several messages in one.
		n, err := conn.Read(chunk)
		if errors.Is(err, io.EOF) {
			log.Print("the client has closed")
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		log.Printf("received %d bytes: %.60q", n, chunk[:n])

		// Write waits where the client does not read what comes back.
		if _, err := conn.Write(append(chunk[:n:n], '!')); err != nil {
			return fmt.Errorf("send back: %w", err)
		}
	}
}
