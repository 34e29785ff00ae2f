// Handout writes the suite as a folder of pages that need no server and no
// network: for each claim a page with its replay, and without its line.
//
//	make handout
//	go run ./internal/cmd/handout pipeline
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

var dir = flag.String("dir", "site", "the `folder` that it writes")

func main() {
	cli.Parse("internal/cmd/handout [pattern]...",
		"Handout writes the suite as a folder of pages that need no server "+
			"and no network.\n\nIt runs every experiment, or those of some "+
			"patterns, as it is and without a line.\nThe folder may have "+
			"a folder plots of SVG files: they become a page, too.")
	cli.Grace = time.Minute // the programs, and a broker, are to end first
	cli.Main(handout)
}

func handout(ctx context.Context) (err error) {
	lab.Patience = 10 * time.Minute // a run's own steps have less
	patterns, err := choose(flag.Args())
	if err != nil {
		return err
	}
	out, err := openFolder(*dir)
	if err != nil {
		return err
	}
	defer out.drop()
	remove, err := build(patterns)
	if err != nil {
		return err
	}
	defer remove()
	removeNode, err := startNode(ctx, patterns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeNode()) }()

	s := &site{out: out, patterns: patterns, made: time.Now()}
	if err := s.ask(ctx); err != nil {
		return err
	}
	faults, err := s.run(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if err := s.write(); err != nil {
		return err
	}
	if err := out.publish(); err != nil {
		return err
	}
	fmt.Printf("%d pages, %.1f MB; open %s\n", s.pages,
		float64(out.bytes)/1e6, filepath.Join(*dir, "index.html"))
	if faults > 0 {
		return fmt.Errorf("%d did not end as they should; the pages say "+
			"which, and how", faults)
	}
	return nil
}

// build builds the programs of the patterns.
func build(patterns []*pattern) (remove func(), err error) {
	fmt.Fprintln(os.Stderr, "building the programs")
	remove = func() {}
	for _, p := range patterns {
		// What the first has made is used by those that follow.
		_, removeThis, err := lab.Build(p.folder)
		if err != nil {
			remove()
			return nil, err
		}
		removeOthers := remove
		remove = func() { removeThis(); removeOthers() }
	}
	return remove, nil
}

// startNode starts the RabbitMQ node that the experiments share, if one is
// needed.
func startNode(ctx context.Context, patterns []*pattern) (func() error,
	error) {
	for _, p := range patterns {
		if !p.broker || p.left() {
			continue
		}
		fmt.Fprintln(os.Stderr, "RabbitMQ starts")
		return brokerlab.Share(ctx)
	}
	return func() error { return nil }, nil
}
