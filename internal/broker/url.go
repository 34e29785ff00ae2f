// Package broker is what the RabbitMQ programs need beside publish, consume
// and acknowledge: to find a broker, to come back after losing it, and, for
// experiments, to have one of their own.
package broker

import (
	"cmp"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/cli"
)

// Flag defines -broker: one or more URLs, separated by commas. If it is not
// given, the environment's AMQP_URL counts, or else a broker on this machine.
func Flag() *string {
	const usual = "amqp://guest:guest@localhost:5672/"
	url := cmp.Or(os.Getenv("AMQP_URL"), usual)
	value := flag.String("broker", url,
		"`URL` of the broker; several, separated by commas, are tried in turn")
	flag.Lookup("broker").DefValue = cli.HidePasswords(url) // what -h prints
	return value
}

// parse takes a URL apart. What it says of a bad one is its own: the library
// quotes the password.
func parse(url string) (amqp.URI, *failure) {
	uri, err := amqp.ParseURI(url)
	scheme, rest, _ := strings.Cut(url, "://")
	host := max(0, strings.LastIndex(rest, "@"))
	why := ""
	switch {
	case scheme != "amqp" && scheme != "amqps":
		why = "it does not begin with amqp:// or amqps://"
	case strings.ContainsAny(rest[:host], "#/?"):
		why = "there is a #, / or ? before the @"
	case strings.Contains(rest[host:], ","):
		why = "what follows a comma does not begin with amqp://"
	case err != nil:
		why = "a part of it cannot be understood"
	case uri.Port < 1 || uri.Port > 65535:
		why = "ports go from 1 to 65535"
	default:
		return uri, nil
	}
	return uri, &failure{
		text: fmt.Sprintf("bad broker URL %q: %s", cli.HidePassword(url), why),
		cure: "one looks like amqp://NAME:PASSWORD@HOST:5672/VHOST, where " +
			"%23 stands for #, %25 for %, %2C for a comma, %2F for /, %3F " +
			"for ? and %40 for @",
	}
}

// where is what programs print as a broker's address: it has no user and no
// password.
func where(uri amqp.URI) string {
	return fmt.Sprintf("%s://%s/%s", uri.Scheme,
		net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)),
		strings.TrimPrefix(uri.Vhost, "/"))
}

// isLocal tells whether a URL names this machine.
func isLocal(uri amqp.URI) bool {
	ip := net.ParseIP(uri.Host)
	return uri.Host == "localhost" || ip != nil && ip.IsLoopback()
}
