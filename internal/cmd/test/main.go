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
	"syscall"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/local"
)

// alone are the packages in which one goroutine does everything. The race
// detector has nothing to find there, and takes much time.
var alone = []string{"distsys/internal/lab/arrows"}

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
	packages, err := list(root, cmp.Or(flag.Arg(0), "./..."))
	if err != nil {
		return err
	}
	remove, err := startNode(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	var single, rest []string
	for _, p := range packages {
		if slices.Contains(alone, p) {
			single = append(single, p)
		} else {
			rest = append(rest, p)
		}
	}
	// Both at once: the tests mostly wait for others.
	failures := make(chan error, 2)
	go func() { failures <- goTest(ctx, root, single) }()
	go func() { failures <- goTest(ctx, root, rest, "-race") }()
	if errors.Join(<-failures, <-failures) != nil {
		return errors.New("not all tests pass; the reason is further up")
	}
	return nil
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

// list returns the packages that a pattern stands for.
func list(root, pattern string) ([]string, error) {
	command := exec.Command("go", "list", pattern)
	command.Dir = root
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("no packages %s: %w", pattern, err)
	}
	return strings.Fields(string(text)), nil
}

// goTest has Go run the tests of packages, which make test has vetted.
func goTest(ctx context.Context, root string, packages []string,
	flags ...string) error {
	if len(packages) == 0 {
		return nil
	}
	args := append([]string{"test", "-vet=off"}, flags...)
	command := exec.CommandContext(ctx, "go", append(args, packages...)...)
	command.Dir = root
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// On Ctrl-C the tests that it runs are to stop as well.
	command.SysProcAttr = local.OwnGroup()
	command.Cancel = func() error {
		return syscall.Kill(-command.Process.Pid, syscall.SIGINT)
	}
	return command.Run()
}
