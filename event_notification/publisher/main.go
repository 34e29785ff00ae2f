// Publisher notifies its subscribers of events, and keeps none for later.
//
//	go run ./event_notification/publisher
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

	event "distsys/event_notification"
	"distsys/internal/cli"
)

var (
	bind     = flag.String("bind", event.Address, "`address` to listen on")
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 0, "how many events; 0: endless")
	wait     = flag.Int("wait", 0, "first wait for that many subscribers")
	topic    = flag.String("topic", event.Topic, "what an event begins with")
)

func main() {
	cli.Parse("event_notification/publisher", "Publisher notifies subscribers.")
	cli.Main(publish)
}

func publish(ctx context.Context) error {
	// An XPUB is a PUB that also hears who subscribes (verboser: everyone).
	socket, err := zmq.NewSocket(zmq.XPUB)
	if err != nil {
		return fmt.Errorf("create the socket: %w", err)
	}
	term := sync.OnceFunc(func() { zmq.Term() }) // waits for the last events
	defer term()
	defer socket.Close()
	err = errors.Join(socket.SetLinger(0), socket.SetXpubVerboser(1))
	if err != nil {
		return fmt.Errorf("set the options: %w", err)
	}
	if err := socket.Bind(*bind); err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", *bind)
	context.AfterFunc(ctx, term) // Ctrl-C
	for seq, here := 0, 0; ; seq++ {
		for { // hear who has come and gone
			flags := zmq.DONTWAIT
			if seq == 0 && here < *wait {
				flags = 0 // wait for the next to come
			}
			heard, err := socket.Recv(flags)
			if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
				break
			} else if err != nil {
				return fmt.Errorf("hear who subscribes: %w", err)
			}
			here += event.Change(heard)
			log.Printf("subscribers: %d", here)
		}
		e := event.Measure(seq)
		if _, err := socket.Send(e.Frame(*topic), 0); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("published %v", e)
		if seq+1 == *count {
			return socket.SetLinger(-1) // deliver what is on its way
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}
