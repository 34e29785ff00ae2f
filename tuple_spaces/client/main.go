// Client does one operation on the tuple space, and prints the tuples that it
// has written, read or taken.
//
//	go run ./tuple_spaces/client write fac 5
//	go run ./tuple_spaces/client take fac '?int'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	timeout = flag.Duration("timeout", 0,
		"`time` to wait for a tuple; 0: for ever")
	ttl = flag.Duration("ttl", 0,
		"`time` to live of a tuple that is written; 0: until it is taken")
	_ = zeromq.KeyFlag()
)

func main() {
	cli.Parse("tuple_spaces/client operation field...",
		"Client does one operation on the tuple space: write, read, take, "+
			"tryread,\ntrytake, readall or takeall. In a pattern ? is any "+
			"value, ?int a whole number.")
	cli.Main(operate)
}

func operate(ctx context.Context) error {
	// Connect succeeds whether or not the server is there (yet).
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.Name = cli.Name()
	space.NoReply = tuplespaces.SayNoReply

	// A wait for a tuple ends when its context does: on Ctrl-C, or when the
	// time is over.
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *timeout)
		defer cancel()
	}

	operation := flag.Arg(0)
	if *ttl > 0 && operation != "write" {
		return errors.New("-ttl is for write: a tuple is given its time to " +
			"live when it is written")
	}
	tuples, err := do(ctx, space, operation, tuplespaces.Fields(flag.Args()))

	for _, tuple := range tuples {
		log.Printf("%s %v", operation, tuple)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: nothing within %v", operation, *timeout)
	}
	if err == nil && len(tuples) == 0 {
		return fmt.Errorf("%s: no tuple matches", operation)
	}
	return err
}

// do does one operation, and returns the tuples that it has written, read or
// taken. Linda's name for each stands beside it.
func do(ctx context.Context, space *tuplespace.Client, operation string,
	fields []any) ([]tuplespace.Tuple, error) {
	switch operation {

	case "write": // out: puts a tuple into the space
		if *ttl > 0 {
			err := space.WriteFor(ctx, *ttl, fields...)
			return list(fields, err)
		}
		err := space.Write(ctx, fields...)
		return list(fields, err)

	case "read": // rd: waits for a tuple that matches, and returns a copy
		tuple, err := space.Read(ctx, fields...)
		return list(tuple, err)

	case "take": // in: waits for a tuple that matches, and takes it out
		tuple, err := space.Take(ctx, fields...)
		return list(tuple, err)

	case "tryread": // rdp: as read, but does not wait
		tuple, _, err := space.TryRead(ctx, fields...)
		return list(tuple, err)

	case "trytake": // inp: as take, but does not wait
		tuple, _, err := space.TryTake(ctx, fields...)
		return list(tuple, err)

	case "readall": // all that match; does not wait
		return space.ReadAll(ctx, fields...)

	case "takeall":
		return space.TakeAll(ctx, fields...)
	}
	return nil, fmt.Errorf("no operation %q; there are: write, read, take, "+
		"tryread, trytake, readall, takeall", operation)
}

// list returns a list of one tuple, or of none if there is none.
func list(tuple tuplespace.Tuple, err error) ([]tuplespace.Tuple, error) {
	if tuple == nil || err != nil {
		return nil, err
	}
	return []tuplespace.Tuple{tuple}, nil
}
