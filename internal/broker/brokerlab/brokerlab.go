// Package brokerlab gives stories and experiments a RabbitMQ node.
package brokerlab

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"distsys/internal/broker"
	"distsys/internal/lab"
)

// nodeVar names the directory of a private node that is there already, for
// the run programs that tests and the tour start.
const nodeVar = "DISTSYS_NODE"

// Use has all labs of this process, and of those that it starts, share a
// node that runs.
func Use(node *broker.Node) error { return os.Setenv(nodeVar, node.Dir) }

var vhosts atomic.Int32

// Vhost returns the URL of a virtual host that nobody else uses, on the
// shared node where there is one, and else on a node of the lab's own.
func Vhost(l *lab.Lab) (url string) {
	node := sharedNode(l)
	if node == nil {
		node = Node(l)
	}
	vhost := fmt.Sprintf("lab-%d-%d", os.Getpid(), vhosts.Add(1))
	url, err := node.AddVhost(l.Context(), vhost)
	l.Check(err)
	l.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(),
			5*time.Second)
		defer cancel()
		if err := node.RemoveVhost(ctx, vhost); err != nil {
			l.Say("remove the virtual host: %v", err)
		}
	})
	l.Say("management page: %s (guest, guest)", node.Management())
	return url
}

// OrVhost returns url, where a broker answers there, and else that of a
// virtual host of a private node.
func OrVhost(l *lab.Lab, url string) string {
	if os.Getenv(nodeVar) != "" {
		return Vhost(l)
	}
	if broker.Answers(l.Context(), url) {
		l.Say("using the broker that answers at -broker")
		return url
	}
	l.Say("no broker answers at -broker")
	return Vhost(l)
}

// Node returns a node of the lab's own, which can be stopped and killed.
func Node(l *lab.Lab) *broker.Node {
	l.Say("starting a private RabbitMQ node (takes some seconds)")
	node, err := broker.TemporaryNode(l.Context())
	l.Check(err)
	l.Cleanup(func() {
		if err := node.Remove(); err != nil {
			l.Say("remove the node: %v", err)
		}
	})
	return node
}

func sharedNode(l *lab.Lab) *broker.Node {
	dir := os.Getenv(nodeVar)
	if dir == "" {
		return nil
	}
	node, err := broker.Attach(dir)
	l.Check(err)
	return node
}
