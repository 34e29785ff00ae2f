// Server keeps the tuple space: it holds the tuples that others write, shows
// them to those who read, and gives them to those who take.
//
//	go run ./tuple_spaces/server
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"runtime/debug"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	bind   = flag.String("bind", tuplespaces.Address, "`address` to listen on")
	simple = flag.Bool("simple", false,
		"keep the tuples in a list, and search it: the idea, without an index")
	journal = flag.String("journal", "",
		"`file` that keeps the tuples, so that they outlive the server")
	quiet = cli.QuietFlag()
	_     = zeromq.CurveFlag()
)

func main() {
	cli.Parse("tuple_spaces/server",
		"Server keeps the tuple space that others write to and take from.")
	// A server that waited until somebody has read what it prints would keep
	// all of its clients waiting.
	cli.DropLinesRatherThanWait()
	cli.Main(serve)
}

func serve(ctx context.Context) error {
	server, err := tuplespace.Listen(*bind)
	if err != nil {
		return err
	}
	// A request leaves garbage behind, and the tuples take little memory: to
	// collect it as often as Go does by itself takes a tenth of the time. If
	// there are many tuples, though, it must not wait for four times as much.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(int64(server.MaxBytes) * 3 / 2)

	if *simple {
		server.UseSimple()
		log.Print("simple: it searches a list of tuples")
	}
	if *journal != "" {
		err := open(server)
		if err != nil {
			return err
		}
	}
	address, err := server.Address()
	if err != nil {
		return err
	}
	log.Printf("listening on %s", address)
	if !*quiet {
		server.Log = log.Printf // a line for each request
	}

	// One request after the other, until Ctrl-C. So no two takers can get the
	// same tuple.
	err = server.Serve(ctx)

	// The tuples live as long as the server, or as its journal.
	n := server.Len()
	cli.OnStop(func() {
		if *journal != "" {
			log.Printf("tuples kept in %s: %d", *journal, n)
		} else {
			log.Printf("tuples dropped: %d", n)
		}
	})
	return err
}

// open has the server begin with what the journal holds.
func open(server *tuplespace.Server) error {
	skipped, err := server.UseJournal(*journal)
	if err != nil {
		return fmt.Errorf("use a journal: %w", err)
	}
	if skipped > 0 {
		log.Printf("the last record was cut off, %d bytes: nobody was told "+
			"of it", skipped)
	}
	log.Printf("tuples in %s: %d", *journal, server.Len())
	return nil
}
