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
	"strings"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	event "distsys/event_notification"
	"distsys/internal/cli"
	"distsys/internal/zeromq"
)

var (
	bind     = flag.String("bind", event.Address, "`address` to listen on")
	interval = flag.Duration("interval", time.Second, "`time` between events")
	count    = flag.Int("count", 0, "how many events; 0: endless")
	wait     = flag.Int("wait", 0, "first wait for that many subscriptions")
	topic    = flag.String("topic", event.Topic, "what an event begins with")
	_        = zeromq.CurveFlag()
)

func main() {
	cli.Parse("event_notification/publisher",
		"Publisher notifies its subscribers of events.")
	cli.Main(publish)
}

func publish(ctx context.Context) error {
	// XPUB is a PUB that also receives: it hears who subscribes; with the
	// option, of each subscription, not only of the first to a topic.
	socket, err := zeromq.Open(ctx, zmq.XPUB)
	if err != nil {
		return err
	}
	defer socket.Close()
	if err := socket.SetXpubVerboser(1); err != nil {
		return fmt.Errorf("ask to hear of each subscription: %w", err)
	}

	err = socket.Bind(*bind)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", *bind, err)
	}
	log.Printf("listening on %s", socket.Address())

	// Without -wait the first events reach nobody: even a subscriber that
	// was here before needs a moment to connect.
	audience := &audience{socket: socket}
	if err := audience.await(*wait); err != nil {
		return err
	}

	for seq := 0; ; seq++ {
		if err := audience.update(); err != nil {
			return err
		}

		// Sent once: ZeroMQ copies it to each subscriber whose topic it
		// begins with. If there is none, it is dropped.
		e := event.Measure(seq)
		_, err := socket.Send(e.Frame(*topic), 0)
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		log.Printf("published %v", e)

		// Close then waits until the last events have been delivered.
		if seq+1 == *count {
			return socket.SetLinger(-1)
		}
		if err := cli.Sleep(ctx, *interval); err != nil {
			return err
		}
	}
}

// An audience counts the subscriptions, by what the socket hears of them: a
// subscriber has one for each topic that it asks for.
type audience struct {
	socket        *zeromq.Socket
	subscriptions int
	shown         int // the number that was printed last
}

// await waits until there are n subscriptions.
func (a *audience) await(n int) error {
	for a.subscriptions < n {
		if err := a.hear(0); err != nil {
			return err
		}
		a.show()
	}
	return nil
}

// update hears who has come and gone meanwhile. It waits for no one, nor for
// someone who comes and goes for ever: the rest is heard next time.
func (a *audience) update() error {
	for range 100 {
		err := a.hear(zmq.DONTWAIT)
		if errors.Is(err, zmq.Errno(syscall.EAGAIN)) {
			break // that was all
		}
		if err != nil {
			return err
		}
	}
	a.show()
	return nil
}

// hear receives one message: 1 and a topic for a subscription that begins, 0
// and a topic for one that ends.
func (a *audience) hear(flags zmq.Flag) error {
	heard, err := a.socket.Recv(flags)
	if err != nil {
		return fmt.Errorf("hear who subscribes: %w", err)
	}
	switch {
	case strings.HasPrefix(heard, "\x01"):
		a.subscriptions++
	case strings.HasPrefix(heard, "\x00") && a.subscriptions > 0:
		a.subscriptions--
	}
	return nil
}

// show prints the number of subscriptions, if it has changed.
func (a *audience) show() {
	if a.subscriptions == a.shown {
		return
	}
	a.shown = a.subscriptions
	noun := "subscriptions"
	if a.subscriptions == 1 {
		noun = "subscription"
	}
	log.Printf("heard from subscribers: %d %s", a.subscriptions, noun)
}
