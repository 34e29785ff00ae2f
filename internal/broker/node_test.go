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

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/lab/labtest"
	"distsys/internal/local"
)

func TestMain(m *testing.M) {
	labtest.SkipWithoutBroker("internal/broker")
	labtest.Main(m, "internal/broker")
}

// reachable says whether something listens on a port, from loopback or from
// any other address of this machine.
func reachable(t *testing.T, port int) (loopback, elsewhere bool) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
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

func TestNodeIsPrivateAndLeavesNothing(t *testing.T) {
	t.Parallel()
	node, err := broker.TemporaryNode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
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
	if err := node.Remove(); err != nil {
		t.Fatal(err)
	}
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

// make broker: what it stores is there again when it is started again.
func TestForegroundNodeKeepsItsData(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	dir := filepath.Join(t.TempDir(), "data")
	port := local.FreePort()
	args := []string{"-dir", dir, "-port", fmt.Sprint(port), "-page",
		fmt.Sprint(local.FreePort())}
	url := fmt.Sprintf("amqp://guest:guest@localhost:%d/", port)
	for _, messages := range []int{0, 1} {
		node := l.Start("internal/cmd/broker", args...)
		node.WaitFor("ready on amqp://")
		node.WaitFor("management page: http://")
		conn, err := amqp.Dial(url)
		if err != nil {
			t.Fatal(err)
		}
		channel, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		queue, err := channel.QueueDeclare("kept", true, false, false, false,
			nil)
		if err != nil || queue.Messages != messages {
			t.Errorf("%d messages are kept (%v), expected %d", queue.Messages,
				err, messages)
		}
		if err := channel.PublishWithContext(t.Context(), "", "kept", true,
			false, amqp.Publishing{DeliveryMode: amqp.Persistent}); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if messages == 1 { // a second one on the same port
			labtest.Refused(t, "internal/cmd/broker", args,
				"address already in use", "use that one")
		}
		if status := node.Stop(); status == 0 || node.Running() {
			t.Error("Ctrl-C does not stop the node")
		}
		if !strings.HasSuffix(node.Text(), ": stopped") {
			t.Errorf("the node says %q", node.Text())
		}
	}
}

func TestNodeThatCannotStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	node, err := broker.NewNode(t.TempDir(),
		taken.Addr().(*net.TCPAddr).Port, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "RabbitMQ ended at once") {
		t.Errorf("on a port that is taken: %v", err)
	}
}
