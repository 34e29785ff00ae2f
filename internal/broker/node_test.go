package broker_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
	"distsys/internal/local"
)

// reachable says whether something listens on a port, from loopback or from
// any other address of this machine.
func reachable(t *testing.T, port int) (loopback, elsewhere bool) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	labtest.Must(t, err)
	for _, address := range addresses {
		ip := address.(*net.IPNet).IP
		if ip.To4() == nil {
			continue
		}
		conn, err := net.Dial("tcp", net.JoinHostPort(ip.String(),
			strconv.Itoa(port)))
		if err != nil {
			continue
		}
		conn.Close()
		if ip.IsLoopback() {
			loopback = true
		} else {
			elsewhere = true
		}
	}
	return loopback, elsewhere
}

// isPrivate checks that nobody outside this machine reaches a node, and that it
// leaves nothing when it is removed.
func isPrivate(t *testing.T, node *broker.Node) {
	ports := []int{node.Port, node.ManagementPort, node.DistPort,
		node.EpmdPort}
	for _, port := range ports {
		loopback, elsewhere := reachable(t, port)
		if !loopback || elsewhere {
			t.Errorf("port %d: from loopback %v, from elsewhere %v", port,
				loopback, elsewhere)
		}
	}
	pid := node.PID()
	labtest.Must(t, node.Remove())
	for _, port := range ports {
		if loopback, _ := reachable(t, port); loopback {
			t.Errorf("port %d is still in use", port)
		}
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("process %d is still there", pid)
	}
	if _, err := os.Stat(node.Dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", node.Dir, err)
	}
}

// make broker: what it stores is there again when it is started again. While
// it runs, a second one is refused: on the same port, and over the same
// folder, where each would destroy what the other one has confirmed.
func TestForegroundBroker(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	dir := filepath.Join(t.TempDir(), "data")
	port := local.FreePort()
	ports := func(port int) []string {
		return []string{"-dir", dir, "-port", fmt.Sprint(port), "-page",
			fmt.Sprint(local.FreePort())}
	}
	url := fmt.Sprintf("amqp://guest:guest@localhost:%d/", port)
	for _, messages := range []int{0, 1} {
		node := l.Start(keeper, ports(port)...)
		inUse := fmt.Sprintf("folder %s is in use by process %d", dir,
			node.PID())
		node.WaitFor("starting RabbitMQ")
		before := written(t, dir)
		labtest.Refused(t, keeper, ports(local.FreePort()), inUse, "-dir")
		node.WaitFor(fmt.Sprintf("ready on amqp://127.0.0.1:%d/", port))
		node.WaitFor("management page: http://")
		conn, err := amqp.Dial(url)
		labtest.Must(t, err)
		channel, err := conn.Channel()
		labtest.Must(t, err)
		queue, err := channel.QueueDeclare("kept", true, false, false, false,
			nil)
		if err != nil || queue.Messages != messages {
			t.Errorf("%d messages are kept (%v), expected %d", queue.Messages,
				err, messages)
		}
		labtest.Must(t, channel.PublishWithContext(t.Context(), "", "kept",
			true, false, amqp.Publishing{DeliveryMode: amqp.Persistent}))
		labtest.Must(t, conn.Close())

		labtest.Refused(t, keeper, ports(local.FreePort()), inUse, "-dir")
		if after := written(t, dir); after != before {
			t.Errorf("the second broker has written:\n%s\nbefore:\n%s",
				after, before)
		}
		labtest.Refused(t, keeper, ports(port),
			fmt.Sprintf("port %d is taken", port), "use that one")
		if messages == 1 { // however it ends, the folder is free again
			node.Kill()
			lock := waitForLock(t, dir)
			labtest.Must(t, lock.Release())
			break
		}
		if status := node.Stop(); status == 0 || node.Running() {
			t.Error("Ctrl-C does not stop the node")
		}
		if !strings.HasSuffix(node.Text(), ": stopped") ||
			strings.Contains(node.Text(), "guest:guest") {
			t.Errorf("the node says %q", node.Text())
		}
	}
}

// written tells when the configuration in a folder was written.
func written(t *testing.T, dir string) (text string) {
	t.Helper()
	for _, name := range []string{"node.json", "rabbitmq.conf"} {
		info, err := os.Stat(filepath.Join(dir, name))
		labtest.Must(t, err)
		text += fmt.Sprintln(name, info.ModTime())
	}
	return text
}

// waitForLock locks a folder as soon as whoever was killed has ended.
func waitForLock(t *testing.T, dir string) *local.Lock {
	t.Helper()
	for t.Context().Err() == nil {
		if lock, err := local.LockDir(dir); err == nil {
			return lock
		}
		lookAgain()
	}
	t.Fatalf("the lock of %s is never released", dir)
	return nil
}

// A node that was to have ports which are taken says so.
func TestPortsOfAnotherNode(t *testing.T) {
	t.Parallel()
	other, err := brokerlab.Shared()
	labtest.Must(t, err)
	node, err := broker.NewNode(filepath.Join(t.TempDir(), "node"),
		other.Port, other.ManagementPort)
	labtest.Must(t, err)
	t.Cleanup(func() { labtest.Must(t, node.Remove()) })
	if err := node.Start(t.Context()); err == nil || !strings.Contains(
		err.Error(), fmt.Sprintf("another program has port %d", other.Port)) {
		t.Errorf("on ports that are taken: %v", err)
	}
}

// A port that was free when it was chosen, and is taken before the node uses
// it, costs a second try. The page's is the last one that RabbitMQ takes.
func TestPortTakenMeanwhile(t *testing.T) {
	t.Parallel()
	node, err := broker.NewNode(filepath.Join(t.TempDir(), "node"), 0, 0)
	labtest.Must(t, err)
	t.Cleanup(func() { node.Remove() }) // if that was not done below
	taken := node.ManagementPort
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	labtest.Must(t, err)
	defer listener.Close()
	labtest.Must(t, node.Start(t.Context()))
	if node.ManagementPort == taken {
		t.Errorf("it runs on port %d, which is taken", taken)
	}
	// Whoever attaches to it finds the new ports.
	attached, err := broker.Attach(node.Dir)
	labtest.Must(t, err)
	_, err = attached.AddVhost(t.Context(), "x")
	labtest.Must(t, err)
	isPrivate(t, node)
}

// Whoever kills a story, so that it cannot clean up, finds what it has left
// gone when the next one has begun: its programs, and its broker's folder.
func TestKilledStoryIsCleanedUpAfter(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	temporary := t.TempDir()
	env := []string{"TMPDIR=" + temporary, "DISTSYS_NODE=", "DISTSYS_BIN="}
	folders := func() []string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(temporary, "distsys-*"))
		labtest.Must(t, err)
		return found
	}
	killed := l.StartEnv(env, "message_queue/run", "offline-consumer")
	killed.WaitFor("submitted order 0 ")
	left := folders()
	killed.Kill()
	if len(left) != 2 {
		t.Fatalf("it works in %q", left)
	}
	for _, dir := range left { // until its broker has ended, too
		labtest.Must(t, waitForLock(t, dir).Release())
	}
	next := l.StartEnv(env, "message_queue/run", "offline-consumer")
	next.WaitFor("starting a private RabbitMQ node")
	for _, dir := range left {
		for exists(dir) && next.Running() {
			lookAgain()
		}
	}
	next.Stop()
	if now := folders(); len(now) != 0 {
		t.Errorf("left: %q", now)
	}
}

// lookAgain leaves the processor to what is waited for.
func lookAgain() { time.Sleep(10 * time.Millisecond) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
