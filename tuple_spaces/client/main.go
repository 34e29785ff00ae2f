// Client does one operation on the tuple space.
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
	tuplespaces "distsys/tuple_spaces"
	"distsys/tuple_spaces/tuplespace"
)

var (
	connect = flag.String("connect", tuplespaces.Address,
		"`address` of the server")
	timeout = flag.Duration("timeout", 0, "`time` to wait; 0: for ever")
)

func main() {
	cli.Parse("tuple_spaces/client operation field...",
		"Client does one operation on the tuple space: write, read, take, "+
			"tryread,\ntrytake, readall or takeall. In a pattern ? is any "+
			"value, ?int a whole number.")
	cli.Main(operate)
}

func operate(ctx context.Context) error {
	space, err := tuplespace.Connect(*connect)
	if err != nil {
		return err
	}
	defer space.Close()
	space.NoReply = tuplespaces.SayNoReply
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *timeout)
		defer cancel()
	}
	operation, fields := flag.Arg(0), tuplespaces.Fields(flag.Args())
	var tuple tuplespace.Tuple
	var all []tuplespace.Tuple
	switch operation {
	case "write": // Linda's out
		tuple, err = fields, space.Write(ctx, fields...)
	case "read": // rd
		tuple, err = space.Read(ctx, fields...)
	case "take": // in
		tuple, err = space.Take(ctx, fields...)
	case "tryread": // rdp
		tuple, _, err = space.TryRead(ctx, fields...)
	case "trytake": // inp
		tuple, _, err = space.TryTake(ctx, fields...)
	case "readall":
		all, err = space.ReadAll(ctx, fields...)
	case "takeall":
		all, err = space.TakeAll(ctx, fields...)
	default:
		return fmt.Errorf("no operation %q; there are: write, read, take, "+
			"tryread, trytake, readall, takeall", operation)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: nothing within %v", operation, *timeout)
	}
	if err == nil && tuple == nil && len(all) == 0 {
		return fmt.Errorf("%s: no tuple matches", operation)
	}
	if err == nil && tuple != nil {
		all = append(all, tuple)
	}
	for _, tuple := range all {
		log.Printf("%s %v", operation, tuple)
	}
	return err
}
