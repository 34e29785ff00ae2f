// Server keeps the tuple space, for as long as it runs.
//
//	go run ./tuple_spaces/server
package main

import (
	"context"
	"flag"
	"log"
	"runtime/debug"

	"distsys/internal/cli"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	bind = flag.String("bind", tuplespaces.Address, "`address` to listen on")
	_    = cli.QuietFlag()
)

func main() {
	cli.Parse("tuple_spaces/server",
		"Server keeps the tuple space that others write to and take from.")
	// All the others would wait with a server that waits until someone has
	// read what it prints.
	cli.DropLinesRatherThanWait()
	cli.Main(serve)
}

func serve(ctx context.Context) error {
	server, err := tuplespace.Listen(*bind)
	if err != nil {
		return err
	}
	log.Printf("listening on %s", *bind)
	server.Log = log.Printf

	// Requests make much garbage, and little of it stays: a collection for
	// each few megabytes would take a tenth of the time.
	debug.SetGCPercent(400)
	err = server.Serve(ctx) // one request after the other, until Ctrl-C
	left := server.Len()
	cli.OnStop(func() { log.Printf("tuples dropped: %d", left) })
	return err
}
