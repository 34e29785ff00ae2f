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
	var all, queues []string
	for _, what := range []string{"list_exchanges name type",
		"list_bindings source_name routing_key destination_name",
		"list_queues name"} {
		words := strings.Fields(what)
		text, err := node.Ctl(t.Context(), append([]string{"-q", "-p",
			uri.Vhost}, words...)...)
		Must(t, err)
		lines := strings.Split(strings.Trim(text, "\n"), "\n")[1:]
		slices.Sort(lines)
		all = append(all, lines...)
		if strings.HasPrefix(what, "list_queues") {
			queues = lines
		}
	}
	channel := Channel(t, broker)
	for _, name := range queues {
		// rabbitmqctl would tell how many there were some seconds ago.
		q, err := channel.QueueDeclarePassive(name, true, false, false, false,
			nil)
		Must(t, err)
		all = append(all, fmt.Sprintf("%s has %d", name, q.Messages))
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
