// Package broker is what the RabbitMQ programs need beside publish, consume
// and acknowledge: to find a broker, to come back after losing it, and, for
// experiments, to have one of their own.
package broker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/cli"
)

const (
	pause    = 500 * time.Millisecond // between two tries to connect
	farewell = 100 * time.Millisecond // for a proper goodbye after Ctrl-C
)

// Flag defines -broker: one or more URLs, separated by commas.
func Flag() *string {
	url := os.Getenv("AMQP_URL")
	if url == "" {
		url = "amqp://guest:guest@localhost:5672/"
	}
	return flag.String("broker", url,
		"`url` of the broker; several, with commas, are tried in turn")
}

// A Lost is an error after which it is worth connecting anew.
type Lost string

func (l Lost) Error() string { return string(l) }

// KeepConnected returns what runs work on a channel of a connection to the
// first of the brokers that answers. When the connection is lost it says so,
// connects again as soon as a broker answers, and runs work again, until work
// returns nil or ctx ends. It fails where no broker can be had at first, and
// where work fails for a reason that a new connection does not cure.
func KeepConnected(urls *string,
	work func(context.Context, *amqp.Channel) error,
) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := dial(ctx, *urls)
		for err == nil {
			err = use(ctx, conn, work)
			if ctx.Err() != nil || err == nil {
				return nil
			}
			if !worthRetry(err) {
				return explain(err)
			}
			log.Printf("%s; connecting again", reason(err))
			conn, err = dialUntil(ctx, *urls)
		}
		return err
	}
}

// dialUntil connects to a broker, as soon as one answers.
func dialUntil(ctx context.Context, urls string) (connection, error) {
	for {
		if err := cli.Sleep(ctx, pause); err != nil {
			return connection{}, err
		}
		if conn, err := dial(ctx, urls); err == nil {
			return conn, nil
		}
	}
}

// A connection and the wire beneath it, which can be cut.
type connection struct {
	*amqp.Connection
	wire  net.Conn
	where string
}

// use runs work on a connection and closes it, in good order if it can.
func use(ctx context.Context, conn connection,
	work func(context.Context, *amqp.Channel) error) error {
	log.Printf("connected to %s", conn.where)
	defer cutAfter(ctx, conn.wire)()
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
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
	channel, err := conn.Channel()
	if err != nil {
		err = fmt.Errorf("open a channel: %w", err)
	} else {
		err = work(ctx, channel)
	}
	if err == nil {
		if err = conn.Close(); err != nil {
			return fmt.Errorf("close the connection: %w", err)
		}
		return nil
	}
	var broken *net.OpError
	if errors.As(err, &broken) { // the wire: the library learns of it later
		conn.Close()
		return Lost("lost the broker (" + reason(err) + ")")
	}
	if errors.Is(err, amqp.ErrClosed) { // the reason is about to come
		select {
		case why := <-closed:
			if why != nil {
				err = why
			}
		case <-time.After(time.Second):
		}
		conn.Close()
		return Lost("lost the broker (" + reason(err) + ")")
	}
	select {
	case why := <-closed: // says more than what failed because of it
		if why != nil {
			err = why
		}
		return Lost("lost the broker (" + reason(err) + ")")
	default:
		conn.Close()
		return err
	}
}

// Answers says whether one of the brokers can be had.
func Answers(ctx context.Context, urls string) bool {
	conn, err := dial(ctx, urls)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// cutAfter cuts the wire a moment after ctx ends: a broker that does not
// listen, or that reads nothing, must not keep a program from ending.
func cutAfter(ctx context.Context, wire net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		time.Sleep(farewell)
		wire.Close()
	})
}

// dial connects to the first broker that answers.
func dial(ctx context.Context, urls string) (connection, error) {
	var failures []string
	cure := ""
	for _, url := range strings.Split(urls, ",") {
		conn, err := dialOne(ctx, strings.TrimSpace(url))
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err.Error())
		if errors.Is(err, errSilent) {
			cure = "; start one with: make broker"
		}
	}
	return connection{}, errors.New(strings.Join(failures, "; ") + cure)
}

var errSilent = errors.New("no broker answers")

func dialOne(ctx context.Context, url string) (connection, error) {
	uri, err := amqp.ParseURI(url)
	if err != nil {
		return connection{}, fmt.Errorf("bad broker URL %q (%w); one looks "+
			"like amqp://guest:guest@localhost:5672/", url, err)
	}
	var wire net.Conn
	stop := func() bool { return true }
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(cli.Name()) // seen on the page
	conn, err := amqp.DialConfig(url, amqp.Config{
		Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: 5 * time.Second}
			wire, err = dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			stop = cutAfter(ctx, wire)
			// A broker that is being started takes the connection, and
			// then says nothing. The library lifts this in the end.
			return wire, wire.SetDeadline(time.Now().Add(10 * time.Second))
		},
	})
	stop()
	where := fmt.Sprintf("amqp://%s:%d/%s", uri.Host, uri.Port,
		strings.TrimPrefix(uri.Vhost, "/"))
	if err == nil {
		return connection{conn, wire, where}, nil
	}
	var refused *amqp.Error
	switch {
	case errors.Is(err, amqp.ErrCredentials),
		errors.As(err, &refused) && refused.Code == amqp.AccessRefused:
		err = fmt.Errorf("the broker at %s refuses user %q: wrong name or "+
			"password, or no right to this vhost (guest may only come "+
			"from its own machine)", where, uri.Username)
	case errors.As(err, &refused) && refused.Code == amqp.NotAllowed:
		err = fmt.Errorf("the broker at %s has no such vhost, or user %q "+
			"has no right to it (%s)", where, uri.Username, refused.Reason)
	default:
		err = fmt.Errorf("%w at %s (%s)", errSilent, where, reason(err))
	}
	return connection{}, err
}

// worthRetry says whether a new connection can cure the failure.
func worthRetry(err error) bool {
	var lost Lost
	if errors.As(err, &lost) || errors.Is(err, amqp.ErrClosed) {
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

// reason is what a broker's error says, without its wrapping.
func reason(err error) string {
	var why *amqp.Error
	if errors.As(err, &why) {
		return why.Reason
	}
	var failed *net.OpError
	if errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

var otherKind = regexp.MustCompile(
	`(queue|exchange) '([^']+)' in vhost '([^']+)'`)

// explain adds the cure where the broker refused a declaration.
func explain(err error) error {
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		return err
	}
	what := otherKind.FindStringSubmatch(refused.Reason)
	if what == nil {
		return err
	}
	kind, name, vhost := what[1], what[2], what[3]
	_, why, _ := strings.Cut(refused.Reason, " - ")
	in := ""
	if vhost != "/" {
		in = "-p " + vhost + " "
	}
	switch {
	case refused.Code == amqp.AccessRefused:
		return fmt.Errorf("no right to %s %s (%s); give it by: sudo "+
			"rabbitmqctl set_permissions %sUSER '.*' '.*' '.*'", kind, name,
			why, in)
	case refused.Code == amqp.PreconditionFailed && kind == "queue":
		return fmt.Errorf("queue %s is there already, with other arguments "+
			"(%s); remove it, and what it holds, by: sudo rabbitmqctl "+
			"%sdelete_queue %s (or on the management page)", name, why, in,
			name)
	case refused.Code == amqp.PreconditionFailed:
		return fmt.Errorf("exchange %s is there already, of another kind "+
			"(%s); remove it on the management page, or by: rabbitmqadmin "+
			"delete exchange name=%s", name, why, name)
	}
	return err
}
