// Worker is the end that does the work: it pulls orders from pushers,
// delivers each, and reports it to the sink.
//
//	go run ./pipeline/worker 1
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	"distsys/pipeline"
)

var (
	connect = cli.Addresses("connect", pipeline.Pusher,
		"`address` of a pusher; can be given several times")
	sink = flag.String("sink", pipeline.Sink, "`address` of the sink")
	work = cli.RandomTime("work", 3*time.Second, "`time` per order")
	_    = cli.QuietFlag()
	_    = zeromq.KeyFlag()
)

func main() {
	cli.Parse("pipeline/worker [id]", "Worker pulls orders and delivers them.")
	cli.Main(pull)
}

func pull(ctx context.Context) error {
	// Orders come in at a PULL socket, reports go out at a PUSH socket.
	orders, err := zeromq.Open(ctx, zmq.PULL)
	if err != nil {
		return err
	}
	defer orders.Close()
	reports, err := zeromq.Open(ctx, zmq.PUSH)
	if err != nil {
		return err
	}
	defer reports.Close()

	// Close waits until the sink has the last report.
	if err := reports.SetLinger(-1); err != nil {
		return fmt.Errorf("set linger: %w", err)
	}

	// Connect succeeds whether or not the others are there yet.
	err = reports.Connect(*sink)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", *sink, err)
	}
	for _, address := range connect.All() {
		err = orders.Connect(address)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
	}
	log.Print("waiting for orders")

	for {
		// Orders come whether or not this worker is busy. They wait in its
		// own process, in the socket's queue: nobody else can have them.
		frames, err := orders.RecvMessage(0)
		if err != nil {
			return fmt.Errorf("pull: %w", err)
		}
		order, err := pipeline.Parse(frames)
		if err != nil {
			log.Printf("skipped %.60q: %v", frames[0], err)
			continue
		}
		log.Printf("received %v", order)
		if err := deliver(ctx, order, reports); err != nil {
			log.Printf("drops %v, and any that waits behind it", order)
			return err
		}
	}
}

// deliver works on an order, and reports it to the sink.
func deliver(ctx context.Context, order *pipeline.Order,
	reports *zeromq.Socket) error {
	if err := cli.Sleep(ctx, work()); err != nil {
		return err
	}

	order.Worker = cli.ID()
	_, err := reports.SendBytes(order.Encode(), 0)
	if err != nil {
		return fmt.Errorf("report to the sink: %w", err)
	}
	log.Printf("delivered %v", order)
	return nil
}
