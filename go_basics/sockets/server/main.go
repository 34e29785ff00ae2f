// Server is plain TCP: it accepts one connection, sends each chunk of bytes
// that it reads back with a ! added, and ends when the client closes.
//
//	go run ./go_basics/sockets/server
//
// Compare it with request_reply/server. TCP leaves more to the program:
//   - to listen, to accept each connection, and to close it;
//   - to find out where a message ends, since TCP carries bytes, not messages;
//   - to serve several clients: one after the other, unless it starts a
//     goroutine for each connection;
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
	listener, err := net.Listen("tcp", *bind)
	if err != nil {
		return fmt.Errorf("create the listener: %w", err)
	}
	defer listener.Close()
	cli.CloseOnStop(ctx, listener)
	log.Printf("listening on %s", listener.Addr())

	// Accept waits for a client. A second client could connect as well, but
	// would then wait in vain: this server accepts once.
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("accept a connection: %w", err)
	}
	defer conn.Close()
	cli.CloseOnStop(ctx, conn)
	log.Printf("accepted a connection from %s", conn.RemoteAddr())

	chunk := make([]byte, 1024)
	for {
		// Read returns what has arrived by now: a part of a message, or
		// several messages at once.
		n, err := conn.Read(chunk)
		if errors.Is(err, io.EOF) {
			log.Print("the client has closed")
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		log.Printf("received %d bytes: %.60q", n, chunk[:n])

		// Write waits if the client does not read what comes back.
		_, err = conn.Write(append(chunk[:n:n], '!'))
		if err != nil {
			return fmt.Errorf("send back: %w", err)
		}
	}
}
