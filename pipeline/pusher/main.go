// Pusher pushes orders to the workers that are there, to each in turn.
//
//	go run ./pipeline/pusher
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"sync"
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
)

func main() {
	cli.Parse("pipeline/pusher", "Pusher pushes orders to workers.")
	cli.OnStop(func() { log.Print("drops the orders that no worker has yet") })
	cli.Main(push)
}

func push(ctx context.Context) error {
	socket, err := zmq.NewSocket(zmq.PUSH)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	term := sync.OnceFunc(func() { zmq.Term() }) // waits for the workers
	defer term()
	defer socket.Close()
	if err := socket.SetLinger(0); err != nil { // Ctrl-C: wait for no one
		return fmt.Errorf("set linger: %w", err)
	}
	workers, err := zeromq.Watch(socket)
	if err != nil {
		return err
	}
	defer workers.Close()
	if err := socket.Bind(*bind); err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", *bind)
	context.AfterFunc(ctx, term) // Ctrl-C
	if err := workers.Await(*wait, "workers"); err != nil {
		return err
	}
	for id := 0; ; id++ {
		order := pipeline.NewOrder(*bind, id)
		_, err := socket.SendBytes(order.Encode(), zmq.DONTWAIT)
		if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
			log.Print("waiting for a worker that can take an order")
			_, err = socket.SendBytes(order.Encode(), 0)
		}
		if err != nil {
			return fmt.Errorf("push: %w", err)
		}
		log.Printf("pushed %v", order)
		if id+1 == *count {
			log.Print("waiting until the workers have all orders")
			return socket.SetLinger(-1)
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}
