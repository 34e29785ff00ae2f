// Stage shows the suite on a page in the browser, or replays a record.
//
//	make stage
//	go run ./internal/cmd/stage -replay FILE
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/stage"
)

var (
	replay = flag.String("replay", "",
		"replay a record that run -record has kept in a `file`")
	page = flag.String("page", "",
		"with -replay: write the page to a `file`, which needs no server")
)

func main() {
	cli.Parse("internal/cmd/stage",
		"Stage shows the suite on a page in the browser, or replays a record.")
	cli.Main(run)
}

func run(ctx context.Context) error {
	if *replay == "" {
		return errors.New("not yet")
	}
	file, err := os.Open(*replay)
	if err != nil {
		return err
	}
	defer file.Close()
	events, note, err := stage.ReadReplay(file)
	if err != nil {
		return fmt.Errorf("%s: %w", *replay, err)
	}
	if note != "" {
		fmt.Println(note)
	}
	if *page != "" {
		out, err := os.Create(*page)
		if err != nil {
			return err
		}
		return errors.Join(stage.WriteReplay(out, events, lab.SourceText),
			out.Close())
	}
	return errors.New("not yet")
}
