// Demo shows every pattern, one after the other, with a
// private RabbitMQ node that is gone afterwards.
//
//	make demo
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

// A stop of the tour: what is typed, and what to look for.
type stop struct {
	pattern  string
	args     string
	look     string
	rabbitmq bool
}

var stops = []stop{
	{"go_basics/ipc", "",
		"a list that goes through a pipe, and arrives as a list", false},
	{"go_basics/sockets", "-brief byte-stream",
		"TCP carries bytes, ZeroMQ carries messages", false},
	{"request_reply", "-brief",
		"one reply for each request; the client waits for it", false},
	{"event_notification", "-brief",
		"each event reaches every subscriber", false},
	{"event_notification", "-brief slow-joiner",
		"the first events, which a subscriber misses", false},
	{"pipeline", "-brief -for 2s",
		"each order goes to one worker; the sink sums up", false},
	{"pipeline", "-brief worker-crash",
		"a worker that crashes takes its orders with it", false},
	{"publish_subscribe", "-brief",
		"the broker copies each event to every subscriber", true},
	{"publish_subscribe", "-brief offline-subscriber",
		"the broker keeps events for a subscriber that is away", true},
	{"message_queue", "-brief",
		"each order goes to one consumer, whichever is free", true},
	{"message_queue", "-brief worker-crash",
		"the pipeline's scenario, and nothing is lost", true},
	{"tuple_spaces/worker_example", "-brief",
		"a tuple is found by what it holds; nobody knows who wrote it", false},
	{"tuple_spaces", "-brief one-taker",
		"fifty want the tuple, and one gets it", false},
}

func main() {
	cli.Parse("internal/cmd/demo", "Demo shows every pattern, one after the other.")
	cli.Grace = time.Minute // the broker is to end first
	cli.Main(tour)
}

func tour(ctx context.Context) (err error) {
	// RabbitMQ takes some seconds to start: meanwhile, build the programs
	// and show the patterns that do without it.
	type started struct {
		remove func() error
		err    error
	}
	ready := make(chan started, 1)
	skip := os.Getenv("SKIP_RABBITMQ") != ""
	if !skip {
		go func() {
			remove, err := brokerlab.Share(ctx)
			ready <- started{remove, err}
		}()
		defer func() {
			s := <-ready
			if s.err == nil {
				err = errors.Join(err, s.remove())
			}
		}()
	} else {
		fmt.Println("SKIP_RABBITMQ is set: the tour leaves out RabbitMQ.")
	}
	fmt.Println("Building the programs; RabbitMQ starts meanwhile ...")
	_, remove, err := lab.Build(".")
	if err != nil {
		return err
	}
	defer remove()

	for _, stop := range stops {
		if stop.rabbitmq && skip {
			continue
		}
		if stop.rabbitmq {
			s := <-ready
			ready <- s
			if s.err != nil {
				return s.err
			}
		}
		if err := show(ctx, stop); err != nil {
			return err
		}
	}
	fmt.Println("\nThat was the tour. The README of each folder says more.")
	return nil
}

// show runs a run program as if it had been typed.
func show(ctx context.Context, s stop) error {
	command := strings.TrimSpace("go run ./" + s.pattern + "/run " + s.args)
	fmt.Println()
	screen.Heading(os.Stdout, "$ "+command+"    # look for: "+s.look)
	run := exec.Command(filepath.Join(os.Getenv(lab.BinVar), s.pattern, "run"),
		strings.Fields(s.args)...)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	run.SysProcAttr = local.OwnGroup()
	if err := run.Start(); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { run.Process.Signal(os.Interrupt) })()
	if err := run.Wait(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}
