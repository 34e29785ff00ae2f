// Stage shows what there is in the suite on a page in the browser, from which
// stories and experiments are started. Or it replays a record.
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
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/record"
	"distsys/internal/lab/stage"
)

var (
	replay = flag.String("replay", "",
		"replay a record that run -record has kept in a `file`")
	page = flag.String("page", "", "with -replay: write the page to a `file`,"+
		"\nwhich shows the record without any server")
	port = flag.Int("port", 0, "the page's `port` (default any that is free)")
)

func main() {
	cli.Parse("internal/cmd/stage",
		"Stage shows the suite on a page in the browser, or replays a record.")
	cli.Grace = time.Minute // the programs, and a broker, are to end first
	cli.Main(show)
}

func show(ctx context.Context) error {
	if *replay == "" {
		if *page != "" {
			return errors.New("-page goes with -replay")
		}
		return menu(ctx)
	}
	events, err := read(*replay)
	if err != nil {
		return fmt.Errorf("%s: %w", *replay, err)
	}
	if *page != "" {
		out, err := os.Create(*page)
		if err != nil {
			return err
		}
		return errors.Join(stage.WriteReplay(out, events, lab.SourceText),
			out.Close())
	}
	url, end, err := stage.Serve(*port, stage.Replay(events, lab.SourceText))
	if err != nil {
		return err
	}
	defer end()
	fmt.Println("the replay is at", url)
	<-ctx.Done()
	return nil
}

// read reads a record, and says if it is not all there.
func read(name string) (events []record.Event, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	events, note, err := stage.ReadReplay(file)
	if note != "" {
		fmt.Println(note)
	}
	return events, err
}
