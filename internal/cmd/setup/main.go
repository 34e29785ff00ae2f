// Setup builds every program, so that go run starts each of them at once.
//
//	make setup
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
)

func main() {
	cli.Parse("internal/cmd/setup", "Setup builds every program, so that "+
		"each then starts at once.")
	cli.Grace = time.Minute // what it has begun is to be removed first
	cli.Main(func(context.Context) error {
		fmt.Println("Building every program, so that each then starts at " +
			"once (a minute or two the first time, then some seconds) ...")
		return lab.Warm(os.Stderr)
	})
}
