package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"distsys/internal/local"
)

// A cluster, too, tries again with other ports if one was taken meanwhile, and
// once more if the machine was too busy. Its nodes keep its folder locked, even
// if whoever started them is no more. One node is enough to see that.
func TestClusterOfOne(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := newCluster(1)
	must(err)
	t.Cleanup(func() { must(errors.Join(c.kill(), os.RemoveAll(c.dir))) })
	c.Nodes[0].scripts, _ = busy(t, "2", c.Nodes[0].scripts)
	taken := c.Nodes[0].DistPort
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	must(err)
	defer listener.Close()
	must(c.start(t.Context()))
	if c.Nodes[0].DistPort == taken {
		t.Errorf("it runs on port %d, which is taken", taken)
	}

	knowsItself(t, c.Nodes[0])

	must(c.lock.File().Close()) // as the end of this process would do
	_, err = local.LockDir(c.dir)
	if used := (local.InUse{}); !errors.As(err, &used) {
		t.Errorf("a node runs in %s, but: %v", c.dir, err)
	}
	must(c.kill())
	for err := error(local.InUse{}); err != nil && t.Context().Err() == nil; {
		_, err = local.LockDir(c.dir)
	}
}

// knowsItself checks that a node does not pass off as itself another one that
// has its ports. A RabbitMQ which would not say, in the words we know, that it
// has come up is known by its process id.
func knowsItself(t *testing.T, n *Node) {
	for !n.knowsItself(t.Context()) && t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond) // leaves it the processor
	}
	other := *n
	other.process = &exec.Cmd{Process: &os.Process{Pid: n.PID() + 1}}
	if other.knowsItself(t.Context()) {
		t.Error("a node takes another one for itself")
	}
	other.Dir = t.TempDir() // it has not come up, and yet its port answers
	if !n.answers(t.Context()) || other.answers(t.Context()) {
		t.Error("a node passes off another one as itself")
	}
}
