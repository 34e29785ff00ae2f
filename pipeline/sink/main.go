// Sink collects the deliveries that the workers report, and sums up.
//
//	go run ./pipeline/sink
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	"distsys/pipeline"
)

var (
	bind  = flag.String("bind", pipeline.Sink, "`address` to listen on")
	count = flag.Int("count", 0, "how many deliveries; 0: until Ctrl-C")
	_     = cli.QuietFlag()
	sum   pipeline.Sum
)

func main() {
	cli.Parse("pipeline/sink", "Sink collects deliveries and sums up.")
	cli.OnStop(func() { cli.Loud(sum.Lines()) })
	cli.Main(collect)
}

func collect(ctx context.Context) error {
	socket, err := zmq.NewSocket(zmq.PULL)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	defer socket.Close()
	if err := errors.Join(socket.SetLinger(0),
		socket.Bind(*bind)); err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", *bind)
	context.AfterFunc(ctx, func() { zmq.Term() }) // Ctrl-C

	for sum.Total < *count || *count == 0 {
		message, err := socket.RecvBytes(0)
		if err != nil {
			return fmt.Errorf("pull: %w", err)
		}
		order, err := pipeline.Parse(message)
		if err != nil || order.Worker == "" {
			log.Printf("skipped %.60q: no delivery (%v)", message, err)
			continue
		}
		log.Printf("worker %s has delivered %v", order.Worker, order)
		sum.Add(order)
	}
	cli.Loud(sum.Lines())
	return nil
}
