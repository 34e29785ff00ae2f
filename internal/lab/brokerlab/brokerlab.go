// Package brokerlab gives stories and experiments a RabbitMQ node.
package brokerlab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"distsys/internal/broker"
	"distsys/internal/lab"
)

// nodeVar names the directory of a private node that is there already, for
// the run programs that tests and the tour start.
const nodeVar = "DISTSYS_NODE"

// Use has all labs of this process, and of those that it starts, share a
// node, which is to run for as long as they do.
func Use(node *broker.Node) error { return os.Setenv(nodeVar, node.Dir) }

// Share starts a node for all labs of this process, and of those that it
// starts, unless they share one already. The function removes it.
func Share(ctx context.Context) (remove func() error, err error) {
	if shared() != "" {
		return func() error { return nil }, nil
	}
	node, err := broker.TemporaryNode(ctx)
	if err != nil {
		return nil, err
	}
	if err := Use(node); err != nil {
		return nil, errors.Join(err, node.Remove())
	}
	return node.Remove, nil
}

var vhosts atomic.Int32

var trace = flag.Bool("trace", false,
	"show each message as the broker sees it, too")

// Vhost returns the URL of a virtual host that nobody else uses, on the
// shared node if there is one, and else on a node of the lab's own.
func Vhost(l *lab.Lab) (url string) {
	node, err := Shared()
	l.Check(err)
	if node == nil {
		node = ownNode(l)
	}
	vhost := fmt.Sprintf("lab-%d-%d", os.Getpid(), vhosts.Add(1))
	url, err = node.AddVhost(l.Context(), vhost)
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
	if *trace {
		follow(l, node, vhost, url)
	}
	return url
}

// OrVhost returns url if a broker answers there, and else the URL of a virtual
// host on a private node.
func OrVhost(l *lab.Lab, url string) string {
	if shared() != "" {
		return Vhost(l)
	}
	if *trace { // only a private node may be asked for that
		return Vhost(l)
	}
	err := broker.Reach(l.Context(), url)
	if err == nil {
		l.Say("using the broker that is there")
		return url
	}
	if !errors.Is(err, broker.ErrNoAnswer) {
		l.Check(err) // one is there, but cannot be used
	}
	l.Say("no broker is there")
	return Vhost(l)
}

// Node returns a node of the lab's own, which can be stopped and killed.
func Node(l *lab.Lab) *broker.Node {
	noTrace(l)
	return ownNode(l)
}

// Stage returns a node of the lab's own, and has the stage offer buttons that
// stop it, kill it and start it again.
func Stage(l *lab.Lab) *broker.Node {
	node := Node(l)
	var runs, rests []lab.Button
	end := func(name, said string, do func() error) lab.Button {
		return lab.Button{Name: name, Do: func() error {
			l.Say("the broker %s", said)
			l.Buttons(rests...)
			return do()
		}}
	}
	runs = []lab.Button{end("Stop the broker", "is stopped", node.Stop),
		end("Kill the broker", "is killed", node.Kill)}
	rests = []lab.Button{{Name: "Start the broker", Do: func() error {
		l.Say("the broker is started again (takes some seconds)")
		err := node.Start(l.Context())
		if err == nil {
			l.Buttons(runs...)
		}
		return err
	}}}
	l.Buttons(runs...)
	return node
}

// noTrace refuses -trace for experiments that stop the broker itself, or send
// messages by the hundred.
func noTrace(l *lab.Lab) {
	if *trace {
		l.Fail("-trace is not for this experiment")
	}
}

func ownNode(l *lab.Lab) *broker.Node {
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

// Cluster returns three nodes that are one broker, and a URL with all of
// their addresses.
func Cluster(l *lab.Lab) (nodes []*broker.Node, urls string) {
	noTrace(l)
	l.Say("starting a cluster of three RabbitMQ nodes (takes half a minute)")
	cluster, err := broker.TemporaryCluster(l.Context(), 3)
	l.Check(err)
	l.Cleanup(func() {
		if err := cluster.Remove(); err != nil {
			l.Say("remove the cluster: %v", err)
		}
	})
	var all []string
	for _, node := range cluster.Nodes {
		all = append(all, node.URL("/"))
	}
	l.Say("management page: %s (guest, guest)", cluster.Nodes[0].Management())
	return cluster.Nodes, strings.Join(all, ",")
}

// Shared returns the node that all labs share, or nil if there is none.
func Shared() (*broker.Node, error) {
	if shared() == "" {
		return nil, nil
	}
	return broker.Attach(shared())
}

// shared is the directory of that node. It does not matter to a test which
// node it is, so go test is not to note that it was asked for: it would take
// another node for a reason to run the test again.
func shared() string {
	dir, _ := syscall.Getenv(nodeVar)
	return dir
}
