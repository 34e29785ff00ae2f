// Sink is the end of the pipeline: it collects the deliveries that the
// workers report, and sums up.
//
//	go run ./pipeline/sink
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	"distsys/pipeline"
)

var (
	bind  = flag.String("bind", pipeline.Sink, "`address` to listen on")
	count = flag.Int("count", 0, "how many deliveries; 0: until Ctrl-C")
	_     = cli.QuietFlag()
	_     = zeromq.CurveFlag()
)

func main() {
	cli.Parse("pipeline/sink", "Sink collects deliveries and sums up.")
	cli.Main(collect)
}

func collect(ctx context.Context) error {
	// A PULL socket takes messages from all workers, from each in turn.
	socket, err := zeromq.Open(ctx, zmq.PULL)
	if err != nil {
		return err
	}
	defer socket.Close()

	err = socket.Bind(*bind)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", socket.Address())

	// Whatever ends the loop below, Ctrl-C or the last delivery: sum up.
	var sum pipeline.Sum
	defer func() { cli.Loud(sum.Lines()) }()

	for sum.Total < *count || *count == 0 {
		frames, err := socket.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("pull: %w", err)
		}
		order, err := pipeline.ParseReport(frames)
		if err != nil {
			log.Printf("skipped %.60q: %v", frames[0], err)
			continue
		}
		log.Printf("worker %s has delivered %v", cli.Quote(order.Worker),
			order)
		sum.Add(order)
	}
	return nil
}
