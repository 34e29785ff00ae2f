package broker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// OwnNames is the pattern that gives a user the right to what the suite's
// programs use, and to nothing else.
const OwnNames = "^(sensor_data|delivery-orders|subscriber-|" +
	"amq[.](gen-|default$))"

// What the network says when a connection ends or cannot be had, and the
// same in plain words.
var network = []struct{ sign, words string }{
	{"i/o timeout", "no answer in time"},
	{"deadline exceeded", "no answer in time"},
	{"EOF", "it closed the connection without a word"},
	{"connection reset by peer", "it closed the connection without a word"},
	{"broken pipe", "it closed the connection without a word"},
	{"connection is not open", "it closed the connection without a word"},
	{"connection refused", "connection refused"},
}

// inWords returns in plain words what the network says. What it does not
// know it returns as it is, without the addresses.
func inWords(text string) (words string, known bool) {
	for _, n := range network {
		if strings.HasSuffix(text, n.sign) {
			return n.words, true
		}
	}
	text = addresses.ReplaceAllString(text, "")
	return wrapping.ReplaceAllString(text, "$1"), false
}

var (
	addresses = regexp.MustCompile(`(dial|read|write) tcp \S+ `)
	wrapping  = regexp.MustCompile(`Exception \(\d+\) Reason: "(.*)"`)
)

// reason is what an error says, without its wrapping and without a cure.
func reason(err error) string {
	var failed *failure
	if errors.As(err, &failed) {
		return failed.text
	}
	text := err.Error()
	var why *amqp.Error
	if errors.As(err, &why) {
		text = why.Reason
	}
	words, _ := inWords(text)
	return words
}

var (
	timedOut = regexp.MustCompile(
		`delivery acknowledgement .* timed out\. Timeout value used: (\d+) ms`)
	resource = regexp.MustCompile(
		`(queue|exchange) '([^']+)' in vhost '([^']+)'`)
	difference = regexp.MustCompile(
		`inequivalent arg '([^']+)' .*: (received .*)`)
)

// explain says in plain words why the broker refused something, and how that
// is put right.
func explain(err error, uri amqp.URI) error {
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		return err
	}
	if limit := timedOut.FindStringSubmatch(refused.Reason); limit != nil {
		return fmt.Errorf("the broker took back what was not acknowledged "+
			"within %s, and closed the channel: choose a shorter -work, or a "+
			"longer consumer_timeout in the broker's rabbitmq.conf",
			seconds(limit[1]))
	}
	what := resource.FindStringSubmatch(refused.Reason)
	if what == nil {
		return err
	}
	kind, name := what[1], what[2]
	switch refused.Code {
	case amqp.AccessRefused:
		_, why, _ := strings.Cut(refused.Reason, " - ")
		return fmt.Errorf("user %q has no right to %s %s in vhost %q (%s); %s",
			uri.Username, kind, name, uri.Vhost, why, permit(uri))
	case amqp.PreconditionFailed:
		return fmt.Errorf("%s %s is there already, %s; %s", kind, name,
			differs(kind, refused.Reason, uri), remove(kind, name, uri))
	}
	return err
}

// seconds turns a number of milliseconds into a time as it is written in Go.
func seconds(milliseconds string) string {
	limit, err := time.ParseDuration(milliseconds + "ms")
	if err != nil {
		return milliseconds + " ms"
	}
	return limit.String()
}

// differs says how a queue or an exchange differs from ours.
func differs(kind, reason string, uri amqp.URI) string {
	what := "with other arguments"
	detail := reason
	if d := difference.FindStringSubmatch(reason); d != nil {
		detail = d[1] + ": " + d[2]
		if kind == "exchange" && d[1] == "type" {
			what = "of another kind"
		}
	}
	return fmt.Sprintf("%s, in vhost %q (%s)", what, uri.Vhost, detail)
}

// remove says how to remove a queue or an exchange. rabbitmqctl finds no
// private node, and knows no command for exchanges; the HTTP API is there
// wherever the management page is.
func remove(kind, name string, uri amqp.URI) string {
	administrator := "ADMINISTRATOR" // curl asks for the password
	if isLocal(uri) {
		administrator = "guest:guest"
	}
	command := fmt.Sprintf("remove it with: curl -u %s -X DELETE "+
		"'http://%s/api/%ss/%s/%s'", administrator, page(uri), kind,
		url.PathEscape(uri.Vhost), url.PathEscape(name))
	if kind == "queue" {
		return command + ", or, on a package's broker, with: sudo " +
			"rabbitmqctl" + inVhost(uri) + " delete_queue " + quote(name) +
			" (its messages go, too)"
	}
	return command + " (a package's broker understands it after: sudo " +
		"rabbitmq-plugins enable rabbitmq_management)"
}

// permit says how to give a user the rights that the suite's programs need.
func permit(uri amqp.URI) string {
	pattern := quote(OwnNames)
	return fmt.Sprintf("give it on the management page (Admin, %s, Set "+
		"permission), or with: sudo rabbitmqctl set_permissions%s %s %s %s %s",
		uri.Username, inVhost(uri), quote(uri.Username), pattern, pattern,
		pattern)
}

func inVhost(uri amqp.URI) string {
	if uri.Vhost == "/" {
		return ""
	}
	return " -p " + quote(uri.Vhost)
}

// page returns the address of the broker's management page, if it is where
// it usually is.
func page(uri amqp.URI) string {
	port := uri.Port + pageOffset
	if uri.Scheme == "amqps" {
		port++ // 5671 and 15672
	}
	return net.JoinHostPort(uri.Host, strconv.Itoa(port))
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// quote returns a word as it is typed in a shell.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
