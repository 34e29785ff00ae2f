package broker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"distsys/internal/cli"
	"distsys/internal/local"
)

// A Cluster is several nodes that are one broker.
type Cluster struct {
	Nodes []*Node
	dir   string
	lock  *local.Lock
}

// TemporaryCluster returns a cluster of so many nodes, with a new folder, on
// free ports, that runs. Remove ends it.
func TemporaryCluster(ctx context.Context, size int) (*Cluster, error) {
	c, err := newCluster(size)
	if err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// newCluster prepares the nodes, each in a folder of its own.
func newCluster(size int) (*Cluster, error) {
	dir, lock, err := local.TempDir(temporary)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, lock: lock}
	for i := range size {
		n, err := newNode(filepath.Join(dir, fmt.Sprint(i+1)), lock, 0, 0)
		if err != nil {
			return nil, errors.Join(err, c.Remove())
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.configure(); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// configure has the nodes find each other when they are started.
func (c *Cluster) configure() error {
	var names []string
	for i := range c.Nodes {
		names = append(names, fmt.Sprintf("lab%d@localhost", i+1))
	}
	for i, n := range c.Nodes {
		n.Name, n.peers = names[i], names
		n.EpmdPort = c.Nodes[0].EpmdPort // they find each other there
		if err := n.configure(); err != nil {
			return err
		}
		// Whoever knows the cookie may join.
		cookie := filepath.Join(n.Dir, ".erlang.cookie")
		if err := os.WriteFile(cookie, []byte("distsys"), 0o400); err != nil {
			return err
		}
	}
	return nil
}

// start starts all nodes at once, and returns when they are one. If another
// program has taken a port meanwhile, or the machine was too busy, it starts
// afresh with other ports.
func (c *Cluster) start(ctx context.Context) error {
	for tries := 1; ; tries++ {
		err := c.startOnce(ctx)
		if tries == maxTries || !errors.Is(err, errPortTaken) &&
			!errors.Is(err, errBusy) {
			return err
		}
		if err := c.kill(); err != nil {
			return err
		}
		for _, n := range c.Nodes {
			n.choosePorts()
			if err := os.RemoveAll(n.Dir); err != nil {
				return err
			}
		}
		if err := c.configure(); err != nil {
			return err
		}
	}
}

func (c *Cluster) startOnce(ctx context.Context) error {
	if err := c.Nodes[0].startEpmd(); err != nil {
		return err
	}
	// As soon as one fails, the others need not go on.
	starting, giveUp := context.WithCancel(ctx)
	defer giveUp()
	failures := make(chan error, len(c.Nodes))
	for _, n := range c.Nodes {
		go func() { failures <- n.start(starting) }()
	}
	var first error
	for range c.Nodes {
		if err := <-failures; err != nil && first == nil {
			first = err
			giveUp()
		}
	}
	for first == nil {
		running, err := c.Nodes[0].running(ctx)
		if err == nil && running == len(c.Nodes) {
			return nil
		}
		first = cli.Sleep(ctx, 200*time.Millisecond)
	}
	return first
}

// running tells how many nodes of the cluster run, as far as this one knows.
func (n *Node) running(ctx context.Context) (count int, err error) {
	var nodes []struct{ Running bool }
	if err := n.ask(ctx, "nodes", &nodes); err != nil {
		return 0, err
	}
	for _, node := range nodes {
		if node.Running {
			count++
		}
	}
	return count, nil
}

func (c *Cluster) kill() (err error) {
	for _, n := range c.Nodes {
		err = errors.Join(err, n.Kill())
	}
	for _, n := range c.Nodes {
		err = errors.Join(err, n.stopEpmd())
	}
	return err
}

// Remove kills all the nodes and removes their folders.
func (c *Cluster) Remove() error {
	return errors.Join(c.kill(), os.RemoveAll(c.dir), c.lock.Release())
}

// Leader returns the name of the node that leads a quorum queue.
func (n *Node) Leader(ctx context.Context, vhost, queue string) (string,
	error) {
	var q struct{ Leader, Node string }
	err := n.ask(ctx, "queues/"+url.PathEscape(vhost)+"/"+queue, &q)
	if q.Leader == "" {
		q.Leader = q.Node
	}
	return q.Leader, err
}
