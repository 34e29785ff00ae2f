// Worker pulls orders from pushers, delivers each, and reports to the sink.
//
//	go run ./pipeline/worker 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	"distsys/pipeline"
)

var (
	connect = cli.Addresses("connect", pipeline.Pusher,
		"`address` of a pusher; can be given several times")
	sink = flag.String("sink", pipeline.Sink, "`address` of the sink")
	work = cli.RandomTime("work", 3*time.Second, "`time` per order")
	_    = cli.QuietFlag()
)

func main() {
	cli.Parse("pipeline/worker [id]", "Worker pulls orders and delivers them.")
	cli.OnStop(func() { log.Print("drops what it has not delivered") })
	cli.Main(deliver)
}

func deliver(ctx context.Context) error {
	pull, err1 := zmq.NewSocket(zmq.PULL)
	push, err2 := zmq.NewSocket(zmq.PUSH)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("create the sockets: %w", err)
	}
	term := sync.OnceFunc(func() { zmq.Term() }) // waits for a last report
	defer term()
	defer pull.Close()
	defer push.Close()
	if err := push.SetLinger(100 * time.Millisecond); err != nil {
		return fmt.Errorf("set linger: %w", err)
	}

	// Connect succeeds whether or not the others are there (yet).
	if err := push.Connect(*sink); err != nil {
		return fmt.Errorf("connect to %s: %w", *sink, err)
	}
	for _, address := range connect.All() {
		if err := pull.Connect(address); err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
	}
	log.Print("waiting for orders")
	context.AfterFunc(ctx, term) // Ctrl-C
	for {
		message, err := pull.RecvBytes(0)
		if err != nil {
			return fmt.Errorf("pull: %w", err)
		}
		order, err := pipeline.Parse(message)
		if err != nil {
			log.Printf("skipped %.60q: %v", message, err)
			continue
		}
		log.Printf("received %v", order)
		if err := cli.Sleep(ctx, work()); err != nil {
			return err
		}
		order.Worker = cli.ID()
		if _, err := push.SendBytes(order.Encode(), 0); err != nil {
			return fmt.Errorf("report to the sink: %w", err)
		}
		log.Printf("delivered %v", order)
	}
}
