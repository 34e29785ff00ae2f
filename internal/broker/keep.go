package broker

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/cli"
)

const (
	pause         = 500 * time.Millisecond // between two tries to connect
	timeToExplain = 2 * time.Second
)

// A Lost is an error after which it is worth connecting again.
type Lost string

func (l Lost) Error() string { return string(l) }

// KeepConnected returns what runs work on a channel of a connection to the
// first of the brokers that answers. If the connection is lost it says so,
// connects again as soon as a broker answers, and runs work again, until work
// returns nil or ctx ends.
//
// The context of work ends when ctx does, and when the channel is closed: the
// broker has then taken back what was not acknowledged.
//
// KeepConnected fails if no broker can be had at first, and if work fails for
// a reason that a new connection does not cure.
func KeepConnected(urls *string,
	work func(context.Context, *amqp.Channel) error,
) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, *urls)
		if err != nil {
			return err
		}
		for {
			err := use(ctx, conn, work)
			if err == nil || ctx.Err() != nil {
				return nil
			}
			if !worthRetry(err) {
				return explain(err, conn.uri)
			}
			if conn, err = dialAgain(ctx, *urls, err); err != nil {
				return nil // Ctrl-C
			}
		}
	}
}

// use runs work on a connection and closes it, in good order if it can.
func use(ctx context.Context, conn connection,
	work func(context.Context, *amqp.Channel) error) error {
	log.Printf("connected to %s", where(conn.uri))
	defer cutAfter(ctx, conn.wire)()
	defer func() { // if something fails; there is no more to be had then
		conn.CloseDeadline(time.Now().Add(farewell))
	}()
	sayIfBlocked(conn)
	connClosed := conn.NotifyClose(make(chan *amqp.Error, 1))
	channel, err := conn.Channel()
	if err != nil {
		return whyLost(fmt.Errorf("open a channel: %w", err), nil, connClosed)
	}

	// Once the channel is closed, whatever work is at is in vain.
	working, end := context.WithCancelCause(ctx)
	channelClosed := channel.NotifyClose(make(chan *amqp.Error, 1))
	go func() {
		if why := <-channelClosed; why != nil {
			end(why)
		}
		end(nil) // if there was no reason; else the first one counts
	}()
	err = work(working, channel)
	switch {
	case ctx.Err() != nil: // Ctrl-C
		return ctx.Err()
	case err == nil:
		if err := conn.Close(); err != nil {
			return fmt.Errorf("close the connection: %w", err)
		}
		return nil
	}
	var why *amqp.Error
	if channel.IsClosed() {
		<-working.Done() // in a moment
		errors.As(context.Cause(working), &why)
	}
	return whyLost(err, why, connClosed)
}

// sayIfBlocked says so when the broker takes no messages, and when it does
// again.
func sayIfBlocked(conn connection) {
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	go func() {
		for b := range blocked {
			if b.Active {
				log.Printf("the broker takes no messages for now (%s)",
					b.Reason)
			} else {
				log.Print("the broker takes messages again")
			}
		}
	}()
}

// whyLost looks for the reason behind the error of work. What work meets is
// often only a consequence of what the broker has said when it closed the
// channel, and then perhaps the connection.
func whyLost(err error, channelClosed *amqp.Error,
	connClosed <-chan *amqp.Error) error {
	var broken *net.OpError
	if errors.As(err, &broken) { // the library learns of it later
		return Lost("lost the broker (" + reason(err) + ")")
	}
	if channelClosed != nil {
		err = channelClosed
	}
	if !worthRetry(err) {
		return err
	}
	select {
	case why := <-connClosed:
		if why != nil {
			err = why
		}
		return Lost("lost the broker (" + reason(err) + ")")
	case <-time.After(time.Second):
	}
	if channelClosed != nil {
		return Lost("the broker closed the channel (" + reason(err) + ")")
	}
	return err
}

// dialAgain connects to a broker as soon as one answers. It says why, and
// says so again if there is a new reason. It fails only if ctx ends.
func dialAgain(ctx context.Context, urls string, lost error) (connection,
	error) {
	said := ""
	say := func(why string) {
		if why != said {
			log.Printf("%s; connecting again", why)
			said = why
		}
	}
	// If the broker answers at once, it may tell what is behind the loss: that
	// there is no such vhost any more, for example.
	soon, stop := context.WithTimeout(ctx, timeToExplain)
	defer stop()
	conn, err := dial(soon, urls)
	if isRefusal(err) {
		// While a vhost is being deleted it says first this, then that.
		if err := cli.Sleep(ctx, pause); err != nil {
			return connection{}, err
		}
		conn, err = dial(ctx, urls)
	}
	for wasRefused := false; ; conn, err = dial(ctx, urls) {
		switch {
		case ctx.Err() != nil:
			return connection{}, ctx.Err()
		case isRefusal(err):
			say(reason(err))
		case said == "":
			say(reason(lost))
		case wasRefused && err != nil: // and now it is gone
			say(reason(err))
		}
		wasRefused = isRefusal(err)
		if err := cli.Sleep(ctx, pause); err != nil {
			return connection{}, err
		}
		if err == nil && !conn.IsClosed() {
			return conn, nil
		}
	}
}

// isRefusal tells whether something answers, and cannot be used.
func isRefusal(err error) bool {
	return err != nil && !errors.Is(err, ErrNoAnswer)
}

// worthRetry tells whether a new connection can cure the failure.
func worthRetry(err error) bool {
	var lost Lost
	if errors.As(err, &lost) || errors.Is(err, amqp.ErrClosed) ||
		errors.Is(err, context.Canceled) {
		return true
	}
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case amqp.AccessRefused, amqp.PreconditionFailed, amqp.NotImplemented:
		return false
	}
	return true
}
