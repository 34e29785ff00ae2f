// Claims runs every experiment of the suite, or those of one pattern, and
// says of each claim whether it holds, or whether it breaks without the line
// that makes it true.
//
//	make claims
//	make claims WITHOUT=1
//	go run ./internal/cmd/claims pipeline
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/broker"
	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// The patterns that need RabbitMQ. Their experiments share a node where that
// is safe, and see to it themselves where it is not.
var rabbitmq = []string{"publish_subscribe", "message_queue"}

var without = flag.Bool("without", false,
	"run each experiment without each of the lines that make it true")

func main() {
	cli.Parse("internal/cmd/claims [pattern [experiment]]",
		"Claims runs every experiment, and says whether its claim holds.")
	cli.Grace = time.Minute // the broker is to end first
	cli.Main(claims)
}

func claims(ctx context.Context) (err error) {
	folder := path.Clean(flag.Arg(0)) // "." where there is none
	if dir, err := lab.Source(folder); err != nil {
		return err
	} else if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("no pattern %q; a pattern is a folder here, such "+
			"as pipeline; README.md lists them", folder)
	}
	skip := os.Getenv("SKIP_RABBITMQ") != ""
	var node *broker.Node
	if !skip && (folder == "." || slices.Contains(rabbitmq, folder)) {
		fmt.Println("Building the programs; RabbitMQ starts ...")
		if node, err = broker.TemporaryNode(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, node.Remove()) }()
		if err := brokerlab.Use(node); err != nil {
			return err
		}
	}
	programs, remove, err := lab.Build(folder)
	if err != nil {
		return err
	}
	defer remove()

	// They mostly wait for others, so several can go on at a time. A whole
	// experiment may take longer than each of its steps.
	lab.Patience = 10 * time.Minute
	var all sync.WaitGroup
	free := make(chan bool, 2*runtime.GOMAXPROCS(0))
	var lock sync.Mutex
	count, bad := 0, 0
	try := func(pattern, name, without string) error {
		return lab.Do(ctx, io.Discard, func(l *lab.Lab) {
			o, good, what := lab.Outcome{}, "holds", pattern+"/run "+name
			if without == "" {
				o = l.Try(pattern, name)
			} else {
				o = l.TryWithout(pattern, name, without)
				good = "breaks"
				what = pattern + "/run -without " + without + " " + name
			}
			if ctx.Err() != nil {
				return
			}
			lock.Lock()
			defer lock.Unlock()
			count++
			end := good
			if !o.Holds {
				bad++
				end = "DOES NOT " + strings.ToUpper(strings.TrimSuffix(good, "s"))
				fmt.Fprintln(os.Stderr, o.Text)
			}
			fmt.Printf("%s, %.1f s, %s: %s %s\n", end, o.Took.Seconds(), what,
				o.Claim, o.Counted)
		})
	}
	failures := make(chan error, 1000)
	begin := func(pattern, name, without string) {
		all.Add(1)
		free <- true
		go func() {
			defer all.Done()
			if err := try(pattern, name, without); err != nil {
				failures <- err
			}
			<-free
		}()
	}
	var known []string
	for _, program := range programs {
		pattern, isRun := strings.CutSuffix(program, "/run")
		if !isRun || skip && slices.Contains(rabbitmq, pattern) {
			continue
		}
		var there lab.Experiments
		err := lab.Do(ctx, io.Discard, func(l *lab.Lab) {
			there = l.List(pattern)
		})
		if err != nil {
			return err
		}
		known = append(known, there.Names...)
		for _, name := range there.Names {
			if flag.NArg() > 1 && name != flag.Arg(1) {
				continue
			}
			if !*without {
				begin(pattern, name, "")
				continue
			}
			for _, w := range there.Without[name] {
				begin(pattern, name, w)
			}
		}
	}
	all.Wait()
	close(failures)
	for failure := range failures {
		err = errors.Join(err, failure)
	}
	if count == 0 && err == nil && flag.NArg() > 1 {
		return fmt.Errorf("no experiment %q; there are: %s", flag.Arg(1),
			strings.Join(known, ", "))
	}
	if *without {
		fmt.Printf("%d lines left out, %d claims break\n", count, count-bad)
	} else {
		fmt.Printf("%d claims, %d hold\n", count, count-bad)
	}
	if count == 0 && err == nil {
		return fmt.Errorf("no experiment of %s was run", folder)
	}
	if bad > 0 && *without {
		err = errors.Join(err, fmt.Errorf("%d claims hold all the same", bad))
	} else if bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d claims do not hold", bad))
	}
	return err
}
