package labtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab/brokerlab"
)

// Inventory returns what is in the virtual host of a URL: its exchanges, its
// bindings, and its queues with the number of messages in each.
func Inventory(t testing.TB, broker string) string {
	t.Helper()
	uri, err := amqp.ParseURI(broker)
	Must(t, err)
	node, err := brokerlab.Shared()
	Must(t, err)
	var all []string
	for _, kind := range []string{"exchanges", "bindings"} {
		things, err := node.List(t.Context(), kind, uri.Vhost)
		Must(t, err)
		for _, thing := range things {
			all = append(all, fmt.Sprint(thing))
		}
	}
	slices.Sort(all)
	queues, err := node.List(t.Context(), "queues", uri.Vhost)
	Must(t, err)
	channel := Channel(t, broker)
	for _, queue := range queues {
		// The list would tell how many there were some seconds ago.
		q, err := channel.QueueDeclarePassive(queue.Name, true, false, false,
			false, nil)
		Must(t, err)
		all = append(all, fmt.Sprintf("%s has %d", queue.Name, q.Messages))
	}
	return strings.Join(all, "\n")
}

// User returns the URL of a virtual host for another user, who has rights on
// the names that match a pattern, and no others.
func User(t testing.TB, broker, name, pattern string) string {
	t.Helper()
	to, err := url.Parse(broker)
	Must(t, err)
	node, err := brokerlab.Shared()
	Must(t, err)
	Must(t, node.AddUser(t.Context(), name))
	Must(t, node.Permit(t.Context(), strings.TrimPrefix(to.Path, "/"), name,
		pattern))
	to.User = url.UserPassword(name, name)
	return to.String()
}
