package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/cli"
)

const (
	timeToConnect = 5 * time.Second
	timeToGreet   = 10 * time.Second // a broker that starts is slow
	farewell      = 100 * time.Millisecond
)

// A connection and the wire beneath it, which can be cut.
type connection struct {
	*amqp.Connection
	wire net.Conn
	uri  amqp.URI
}

// ErrNoAnswer tells, in the error of Reach, that nothing answers as a broker
// does: one may be started.
var ErrNoAnswer = errors.New("no broker answers")

// A failure is why a broker cannot be had.
type failure struct {
	text   string
	cure   string // what to do about it, or ""
	silent bool   // it is an ErrNoAnswer
}

func (f *failure) Error() string {
	if f.cure == "" {
		return f.text
	}
	return f.text + "; " + f.cure
}

func (f *failure) Is(target error) bool {
	return f.silent && target == ErrNoAnswer
}

// Reach returns nil if one of the brokers can be had, and else why not.
func Reach(ctx context.Context, urls string) error {
	conn, err := dial(ctx, urls)
	if err != nil {
		return err
	}
	return conn.CloseDeadline(time.Now().Add(timeToGreet))
}

// dial connects to the first broker that can be had. If there is none, its
// error is a failure that says of each why not.
func dial(ctx context.Context, urls string) (connection, error) {
	var texts, cures []string
	silent := true
	for _, url := range cli.SplitURLs(urls) {
		conn, failed := dialOne(ctx, url)
		if failed == nil {
			return conn, nil
		}
		texts = append(texts, failed.text)
		if failed.cure != "" && !slices.Contains(cures, failed.cure) {
			cures = append(cures, failed.cure)
		}
		silent = silent && failed.silent
	}
	return connection{}, &failure{strings.Join(texts, "; "),
		strings.Join(cures, "; "), silent}
}

func dialOne(ctx context.Context, url string) (connection, *failure) {
	uri, failed := parse(url)
	if failed != nil {
		return connection{}, failed
	}
	var wire *hearing
	stop := func() bool { return true }
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(cli.Name()) // seen on the page
	begun := time.Now()
	conn, err := amqp.DialConfig(url, amqp.Config{
		Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: timeToConnect}
			opened, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			wire = newWire(opened)
			stop = cutAfter(ctx, wire)
			// A broker that is being started takes the connection, and
			// then says nothing. The library lifts this in the end.
			return wire, wire.SetDeadline(time.Now().Add(timeToGreet))
		},
	})
	stop()
	switch {
	case err == nil:
		return connection{conn, wire, uri}, nil
	case ctx.Err() != nil: // what failed is our own doing
		return connection{}, noConnection(uri, ctx.Err())
	case wire == nil:
		return connection{}, noConnection(uri, err)
	default:
		if uri.Scheme == "amqp" && wire.isForeign() {
			err = amqp.ErrFrame
		}
		return connection{}, noGreeting(uri, err, time.Since(begun))
	}
}

// A hearing wire remembers with which byte the other side begins. If that is none of
// AMQP, the library may be so quick to close the connection that it then
// gives that as the reason.
type hearing struct {
	net.Conn
	first chan byte
}

func newWire(conn net.Conn) *hearing { return &hearing{conn, make(chan byte, 1)} }

func (w *hearing) Read(p []byte) (n int, err error) {
	n, err = w.Conn.Read(p)
	if n > 0 {
		select {
		case w.first <- p[0]:
		default: // it is not the first
		}
	}
	return n, err
}

// isForeign tells whether the other side has said something that is not AMQP.
func (w *hearing) isForeign() bool {
	select {
	case first := <-w.first:
		const method, header = 1, 'A' // a frame, or another version's greeting
		return first != method && first != header
	default:
		return false
	}
}

// cutAfter cuts the wire a moment after ctx ends: a broker that does not
// listen, or that reads nothing, must not keep a program from ending.
func cutAfter(ctx context.Context, wire net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		time.Sleep(farewell) // for a proper goodbye
		wire.Close()
	})
}

// noConnection explains that nothing takes the connection.
func noConnection(uri amqp.URI, err error) *failure {
	words, _ := inWords(err.Error())
	var unknown *net.DNSError
	if errors.As(err, &unknown) {
		words = "no machine of that name is known"
	}
	cure := "start one with: make broker"
	if !isLocal(uri) {
		cure = "is the name right, does a broker run there, and does its " +
			"firewall let you in?"
	}
	return &failure{fmt.Sprintf("%v at %s (%s)", ErrNoAnswer, where(uri),
		words), cure, true}
}

// noGreeting explains that something takes the connection, but is not a
// broker that can be used.
func noGreeting(uri amqp.URI, err error, took time.Duration) *failure {
	var closed *amqp.Error
	isAMQP := errors.As(err, &closed)
	switch {
	case isAMQP && closed.Server:
		return refused(uri, closed)
	case errors.Is(err, amqp.ErrCredentials) && took > time.Second &&
		took < timeToGreet:
		// RabbitMQ hangs up when it does not like the password, but only
		// after a while, so that nobody can try many.
		return refused(uri, closed)
	case errors.Is(err, amqp.ErrCredentials),
		errors.Is(err, amqp.ErrVhost): // the library's guess
		err = errors.New("EOF")
	case isAMQP:
		err = errors.New(closed.Reason)
	}
	words, known := inWords(err.Error())
	if !known && !isAMQP && uri.Scheme == "amqps" {
		return noTLS(uri, err)
	}
	const ports = "brokers listen on port 5672, or for amqps:// on 5671; " +
		"one that has just been started takes some seconds"
	text := "%v at %s (%s)"
	if !known {
		text = "%v as it should at %s (%s)"
	}
	return &failure{fmt.Sprintf(text, ErrNoAnswer, where(uri), words), ports,
		known}
}

// refused explains that the broker does not let this user in.
func refused(uri amqp.URI, why *amqp.Error) *failure {
	switch {
	case why.Code == amqp.AccessRefused:
		return &failure{text: fmt.Sprintf("the broker at %s refuses user %q: "+
			"wrong name or password (and guest may only come from the "+
			"broker's own machine)", where(uri), uri.Username)}
	case strings.HasSuffix(why.Reason, "not found"):
		return &failure{text: fmt.Sprintf("the broker at %s has no such vhost",
			where(uri)), cure: "it is added on the management page, or " +
			"with: sudo rabbitmqctl add_vhost " + quote(uri.Vhost)}
	case strings.HasSuffix(why.Reason,
		fmt.Sprintf("refused for user '%s'", uri.Username)):
		return &failure{text: fmt.Sprintf("the broker at %s does not let "+
			"user %q into this vhost", where(uri), uri.Username),
			cure: permit(uri)}
	}
	return &failure{text: fmt.Sprintf("the broker at %s refuses the "+
		"connection (%s)", where(uri), why.Reason)}
}

// noTLS explains why there is no encrypted connection.
func noTLS(uri amqp.URI, err error) *failure {
	var (
		plain   tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		other   x509.HostnameError
	)
	switch {
	case errors.As(err, &plain):
		return &failure{text: "what answers at " + where(uri) + " does not " +
			"speak TLS", cure: "use amqp:// there"}
	case errors.As(err, &unknown):
		return &failure{text: "this machine does not trust whoever signed " +
			"the certificate of the broker at " + where(uri),
			cure: "add ?cacertfile=FILE to the URL, with the certificate of " +
				"the authority that signed it"}
	case errors.As(err, &other):
		return &failure{text: fmt.Sprintf("the certificate of the broker at "+
			"%s is not for %s (%v)", where(uri), uri.Host, err),
			cure: "use a name that it is for"}
	}
	return &failure{text: fmt.Sprintf("no encrypted connection to %s (%v)",
		where(uri), err)}
}
