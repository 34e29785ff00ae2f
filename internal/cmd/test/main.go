// Test runs the tests of all folders, or of one. Those that need RabbitMQ
// share one broker: go test alone starts one for each folder.
//
//	make test
//	go run ./internal/cmd/test ./message_queue/...
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// plainly are the packages whose tests run without the race detector, which
// takes much time. Either one goroutine does everything, or the tests only look
// on while programs run; those run with it in the tests of their patterns.
var plainly = []string{"distsys/internal/lab/arrows", "distsys/internal/suite"}

// both are the packages of which some tests are not built with the race
// detector: those run without it.
var both = []string{"distsys/tuple_spaces/tuplespace"}

// long are the packages whose tests take longest. They begin first, so that
// none of them goes on when all others have ended.
var long = []string{
	"distsys/internal/broker",
	"distsys/internal/suite",
	"distsys/message_queue",
	"distsys/internal/lab/stage",
	"distsys/tuple_spaces/tuplespace",
	"distsys/pipeline",
	"distsys/publish_subscribe",
	"distsys/event_notification",
	"distsys/tuple_spaces",
	"distsys/internal/lab/arrows",
	"distsys/request_reply",
}

func main() {
	cli.Parse("internal/cmd/test [packages]",
		"Test runs all tests, with one broker for those that need RabbitMQ.")
	cli.Grace = time.Minute // the broker is to end first
	cli.Main(test)
}

func test(ctx context.Context) (err error) {
	root, err := lab.Source(".")
	if err != nil {
		return err
	}
	all, err := list(root, cmp.Or(flag.Arg(0), "./..."))
	if err != nil {
		return err
	}
	// RabbitMQ takes some seconds to start: meanwhile, all is built.
	var remove func() error
	started := make(chan error, 1)
	go func() {
		var err error
		remove, err = startNode(ctx)
		started <- err
	}()
	failed := build(ctx, root, all)
	if err := <-started; err != nil {
		return errors.Join(err, failed)
	}
	defer func() { err = errors.Join(err, remove()) }()
	if failed != nil {
		return failed
	}
	return runAll(ctx, all)
}

// startNode starts the broker, unless SKIP_RABBITMQ is set.
func startNode(ctx context.Context) (remove func() error, err error) {
	if os.Getenv("SKIP_RABBITMQ") != "" {
		return func() error { return nil }, nil
	}
	remove, err = brokerlab.Share(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w (SKIP_RABBITMQ=1 leaves out what needs "+
			"RabbitMQ)", err)
	}
	return remove, nil
}

// A job is to run the tests of a package.
type job struct {
	path string // by which the package is imported
	dir  string // where its tests run
	kind kind
	rest bool // only the tests that are not built with the race detector

	program string // the tests, built
	raced   string // those of them that are built with the race detector
	built   string // the folder with the programs that they start
}

// list returns the packages with tests that a pattern stands for, those that
// take longest first.
func list(root, pattern string) (all []*job, err error) {
	command := exec.Command("go", "list", "-f",
		"{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}\t{{.Dir}}{{end}}",
		pattern)
	command.Dir = root
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("no packages %s: %w", pattern, err)
	}
	for line := range strings.Lines(string(text)) {
		name, dir, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		j := &job{path: name, dir: dir, kind: raced}
		if slices.Contains(plainly, name) {
			j.kind = plain
		}
		all = append(all, j)
		if slices.Contains(both, name) {
			all = append(all, &job{path: name, dir: dir, kind: plain,
				rest: true})
		}
	}
	place := func(j *job) int {
		if i := slices.Index(long, j.path); i >= 0 {
			return i
		}
		return len(long)
	}
	slices.SortStableFunc(all, func(a, b *job) int {
		return cmp.Compare(place(a), place(b))
	})
	return all, nil
}

// build builds all that the jobs need.
func build(ctx context.Context, root string, all []*job) error {
	var with map[string]string
	for _, k := range []kind{raced, plain} {
		var packages []string
		for _, j := range all {
			if j.kind.dir == k.dir {
				packages = append(packages, j.path)
			}
		}
		if len(packages) == 0 {
			continue
		}
		tests, err := k.tests(ctx, root, packages)
		if err != nil {
			return err
		}
		dir, err := k.programs(ctx, root)
		if err != nil {
			return err
		}
		for _, j := range all {
			if j.kind.dir == k.dir {
				j.program, j.built = tests[j.path], dir
				j.raced = with[j.path]
			}
		}
		with = tests
	}
	return nil
}

// name is how the job is called.
func (j *job) name() string {
	name := strings.TrimPrefix(j.path, "distsys/")
	if j.rest {
		name += " (the rest)"
	}
	return name
}
