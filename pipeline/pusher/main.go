// Pusher is the end that gives out work: it pushes orders to the workers
// that are connected, to each in turn.
//
//	go run ./pipeline/pusher
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/cli"
	"distsys/internal/zeromq"
	"distsys/pipeline"
)

var (
	bind     = flag.String("bind", pipeline.Pusher, "`address` to listen on")
	interval = flag.Duration("interval", time.Second, "`time` between orders")
	count    = flag.Int("count", 10, "how many orders; 0: endless")
	wait     = flag.Int("wait", 0, "first wait for that many workers")
	_        = cli.QuietFlag()
	_        = zeromq.CurveFlag()
)

func main() {
	cli.Parse("pipeline/pusher", "Pusher pushes orders to workers.")
	cli.Main(push)
}

func push(ctx context.Context) error {
	// A PUSH socket gives each message to one worker, and the next message
	// to the next worker. It can only send: nobody replies.
	socket, err := zeromq.Open(ctx, zmq.PUSH)
	if err != nil {
		return err
	}
	defer socket.Close()

	// Close waits until the workers have all orders. Without this line it
	// drops those that have not left yet.
	if err := socket.SetLinger(-1); err != nil {
		return fmt.Errorf("set linger: %w", err)
	}

	// The socket counts the workers that connect, from the first one on.
	if err := socket.WatchPeers(); err != nil {
		return err
	}

	err = socket.Bind(*bind)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", socket.Address())

	// Orders go only to workers that are connected. Without -wait the first
	// one gets all that is pushed until the second one is there.
	if err := socket.AwaitPeers(*wait, "workers"); err != nil {
		return err
	}

	for id := 0; ; id++ {
		order := pipeline.NewOrder(socket.Address(), id)
		if err := pushOne(socket, order); err != nil {
			return err
		}

		if id+1 == *count {
			log.Print("waiting until the workers have all orders")
			return nil
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}

// pushOne pushes an order to the next worker.
func pushOne(socket *zeromq.Socket, order *pipeline.Order) error {
	// Send returns when ZeroMQ has taken the order, not when a worker has it.
	_, err := socket.SendBytes(order.Encode(), zmq.DONTWAIT)

	// If no worker is there, or none has room for more: wait for one.
	if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
		log.Print("waiting for a worker that can take an order")
		_, err = socket.SendBytes(order.Encode(), 0)
	}
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	log.Printf("pushed %v", order)
	return nil
}
