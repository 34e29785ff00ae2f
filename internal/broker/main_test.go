package broker_test

import (
	"strings"
	"testing"

	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
)

const (
	producer   = "message_queue/producer"
	consumer   = "message_queue/consumer"
	publisher  = "publish_subscribe/publisher"
	subscriber = "publish_subscribe/subscriber"
	keeper     = "internal/cmd/broker"
)

func TestMain(m *testing.M) { labtest.MainWithBroker(m, "internal/broker") }

// start starts a program that uses the broker at a URL.
func start(l *lab.Lab, program, url string, args ...string) *lab.Process {
	return l.Start(program, append([]string{"-broker", url}, args...)...)
}

// shared returns the node that the tests share, and the URL and the name of
// a virtual host on it that nobody else uses.
func shared(t *testing.T, l *lab.Lab) (node *broker.Node, url, vhost string) {
	t.Helper()
	node, err := brokerlab.Shared()
	labtest.Must(t, err)
	url = brokerlab.Vhost(l)
	return node, url, url[strings.LastIndex(url, "/")+1:]
}

// as returns a URL with another user.
func as(url, name, password string) string {
	return strings.Replace(url, "guest:guest", name+":"+password, 1)
}

// count returns how many lines of a program hold a text.
func count(p *lab.Process, text string) int { return lab.Count(text, p) }
