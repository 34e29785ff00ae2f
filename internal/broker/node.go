package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker/installed"
	"distsys/internal/cli"
	"distsys/internal/local"
)

// A Node is a private RabbitMQ node: a real one, from the package that is
// installed on this machine, but in a directory of its own, on ports of its
// own, on loopback only. It needs no root, and knows nothing of any other
// broker on the machine.
type Node struct {
	Dir            string // holds configuration, data and logs
	Name           string // the Erlang node's name, as in lab@localhost
	Port           int    // AMQP
	ManagementPort int    // management page and HTTP API
	DistPort       int    // between Erlang nodes
	EpmdPort       int    // of the node's own name server

	peers   []string // names of all nodes, in a cluster
	scripts string
	process *exec.Cmd
	exited  chan struct{} // closed when process has ended
	epmd    *exec.Cmd
}

// NewNode prepares a node in dir, which is made where it is missing. A port
// of 0 stands for any free one. Nothing runs until Start.
func NewNode(dir string, port, managementPort int) (*Node, error) {
	scripts, err := installed.Scripts()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	n := &Node{Dir: dir, Name: "lab@localhost", Port: port,
		ManagementPort: managementPort, scripts: scripts}
	for _, p := range []*int{&n.Port, &n.ManagementPort, &n.DistPort,
		&n.EpmdPort} {
		if *p == 0 {
			*p = local.FreePort()
		}
	}
	return n, n.configure()
}

// TemporaryNode is a node with a new directory, on free ports, that runs.
func TemporaryNode(ctx context.Context) (*Node, error) {
	dir, err := os.MkdirTemp("", "distsys-broker-")
	if err != nil {
		return nil, err
	}
	n, err := NewNode(dir, 0, 0)
	if err == nil {
		err = n.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return n, nil
}

// Attach returns the running node whose directory is dir. It can be used and
// asked, but only whoever started it can stop it.
func Attach(dir string) (*Node, error) {
	scripts, err := installed.Scripts()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "node.json"))
	if err != nil {
		return nil, err
	}
	n := &Node{scripts: scripts}
	return n, json.Unmarshal(text, n)
}

// NewCluster prepares a cluster of nodes, each in a directory of its own
// below dir. They find each other when they are started, all at once.
func NewCluster(dir string, size int) ([]*Node, error) {
	var nodes []*Node
	var names []string
	for i := range size {
		names = append(names, fmt.Sprintf("lab%d@localhost", i+1))
		n, err := NewNode(filepath.Join(dir, fmt.Sprint(i+1)), 0, 0)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	for i, n := range nodes {
		n.Name, n.peers = names[i], names
		n.EpmdPort = nodes[0].EpmdPort // they find each other there
		if err := n.configure(); err != nil {
			return nil, err
		}
		// Whoever knows the cookie may join.
		if err := os.WriteFile(filepath.Join(n.Dir, ".erlang.cookie"),
			[]byte("distsys"), 0o400); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// StartCluster starts all nodes at once, and returns when they are one.
func StartCluster(ctx context.Context, nodes []*Node) error {
	if err := nodes[0].startEpmd(); err != nil {
		return err
	}
	failures := make(chan error, len(nodes))
	for _, n := range nodes {
		go func() { failures <- n.start(ctx) }()
	}
	var all error
	for range nodes {
		all = errors.Join(all, <-failures)
	}
	for all == nil {
		running, err := nodes[0].running(ctx)
		if err == nil && running == len(nodes) {
			return nil
		}
		all = cli.Sleep(ctx, 200*time.Millisecond)
	}
	return all
}

// running says how many nodes of the cluster run, as far as this one knows.
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

func (n *Node) configure() error {
	if err := os.MkdirAll(n.Dir, 0o700); err != nil {
		return err
	}
	self, err := json.Marshal(n)
	if err != nil {
		return err
	}
	cluster := ""
	for i, name := range n.peers {
		cluster += fmt.Sprintf(
			"cluster_formation.classic_config.nodes.%d = %s\n", i+1, name)
	}
	if cluster != "" {
		cluster += "cluster_formation.peer_discovery_backend = classic_config\n"
	}
	for file, text := range map[string]string{
		"node.json":       string(self),
		"enabled_plugins": "[rabbitmq_management].\n",
		"env.conf":        "",
		"rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\n"+
			"management.tcp.ip = 127.0.0.1\n"+
			"management.tcp.port = %d\n"+
			"collect_statistics_interval = 1000\n",
			n.Port, n.ManagementPort) + cluster,
	} {
		path := filepath.Join(n.Dir, file)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// env is the environment that keeps the node, and the commands that speak to
// it, away from whatever RabbitMQ the system itself runs.
func (n *Node) env() []string {
	in := func(name string) string { return filepath.Join(n.Dir, name) }
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "RABBITMQ_") &&
			!strings.HasPrefix(v, "ERL_") {
			env = append(env, v)
		}
	}
	return append(env,
		"HOME="+n.Dir, // where the Erlang cookie is kept
		"RABBITMQ_NODENAME="+n.Name,
		"RABBITMQ_CONF_ENV_FILE="+in("env.conf"),
		"RABBITMQ_CONFIG_FILE="+in("rabbitmq.conf"),
		"RABBITMQ_CONFIG_FILES="+in("conf.d"),
		"RABBITMQ_ADVANCED_CONFIG_FILE="+in("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+in("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE="+in("data"),
		"RABBITMQ_LOG_BASE="+in("log"),
		"RABBITMQ_GENERATED_CONFIG_DIR="+in("generated"),
		"RABBITMQ_PID_FILE="+in("pid"),
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", n.DistPort),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+
			"-kernel inet_dist_use_interface {127,0,0,1}",
		fmt.Sprintf("ERL_EPMD_PORT=%d", n.EpmdPort),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		// The script then becomes the node, instead of watching over it:
		// the process that is started is the one that is killed.
		"RUNNING_UNDER_SYSTEMD=true",
	)
}

// Start starts the node and returns when it takes connections. It can be
// called again after Stop or Kill: the node then has its data back.
func (n *Node) Start(ctx context.Context) error {
	if err := n.startEpmd(); err != nil {
		return err
	}
	return n.start(ctx)
}

func (n *Node) start(ctx context.Context) error {
	boot, err := os.Create(filepath.Join(n.Dir, "boot.log"))
	if err != nil {
		return err
	}
	defer boot.Close()
	n.process = exec.Command(filepath.Join(n.scripts, "rabbitmq-server"))
	n.process.Env = n.env()
	n.process.Dir = n.Dir
	n.process.Stdout, n.process.Stderr = boot, boot
	n.process.SysProcAttr = local.OwnGroup()
	if err := n.process.Start(); err != nil {
		return errors.Join(fmt.Errorf("start RabbitMQ: %w", err), n.stopEpmd())
	}
	exited := make(chan struct{})
	n.exited = exited
	go func(process *exec.Cmd) {
		process.Wait()
		close(exited)
	}(n.process)
	if err := n.ready(ctx); err != nil {
		return errors.Join(err, n.Kill(), n.stopEpmd())
	}
	return nil
}

// ready waits until the node takes connections and its HTTP API answers.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		// A port that answers with nothing is not to hold up Ctrl-C.
		if conn, err := amqp.DialConfig(n.URL("/"), amqp.Config{
			Dial: amqp.DefaultDial(2 * time.Second)}); err == nil {
			conn.Close()
			if n.request(ctx, "GET", "overview", "") == nil {
				return nil
			}
		}
		select {
		case <-n.exited:
			return fmt.Errorf("RabbitMQ ended at once: %s", n.complaint())
		case <-ctx.Done():
			return fmt.Errorf("wait for RabbitMQ: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// complaint is what the node printed before it ended.
func (n *Node) complaint() string {
	text, err := os.ReadFile(filepath.Join(n.Dir, "boot.log"))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-1000):]))
}

// Erlang's name server outlives the node that starts it. So each of our
// nodes has one of its own, started and ended here.
func (n *Node) startEpmd() error {
	if n.epmd != nil {
		return nil
	}
	path, err := exec.LookPath("epmd")
	if err != nil {
		found, err := filepath.Glob("/usr/lib*/erlang/erts-*/bin/epmd")
		if err != nil || len(found) == 0 {
			return errors.New("no epmd: Erlang is not on the PATH")
		}
		path = found[0]
	}
	epmd := exec.Command(path, "-address", "127.0.0.1",
		"-port", fmt.Sprint(n.EpmdPort))
	epmd.SysProcAttr = local.OwnGroup()
	if err := epmd.Start(); err != nil {
		return fmt.Errorf("start epmd: %w", err)
	}
	n.epmd = epmd
	return nil
}

func (n *Node) stopEpmd() error {
	if n.epmd == nil {
		return nil
	}
	epmd := n.epmd
	n.epmd = nil
	if err := epmd.Process.Kill(); err != nil {
		return err
	}
	epmd.Wait() // says "killed", as it should
	return nil
}

// Kill ends the node at once, as a power failure would (SIGKILL).
func (n *Node) Kill() error { return n.end(syscall.SIGKILL) }

// Stop ends the node in good order.
func (n *Node) Stop() error { return n.end(syscall.SIGTERM) }

func (n *Node) end(signal syscall.Signal) error {
	if n.process == nil {
		return nil
	}
	process := n.process
	n.process = nil
	if err := process.Process.Signal(signal); err != nil &&
		!errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-n.exited:
	case <-time.After(30 * time.Second):
		if err := process.Process.Kill(); err != nil {
			return err
		}
		<-n.exited
	}
	// Helpers of the Erlang machine end when their pipe to it closes; where
	// one hangs it is in the node's own process group.
	syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
	return nil
}

// Close stops the node and what belongs to it; its directory stays.
func (n *Node) Close() error {
	return errors.Join(n.Stop(), n.stopEpmd())
}

// Remove ends the node without ado and removes its directory.
func (n *Node) Remove() error {
	return errors.Join(n.Kill(), n.stopEpmd(), os.RemoveAll(n.Dir))
}

// Exited is closed once the node that was started last has ended.
func (n *Node) Exited() <-chan struct{} { return n.exited }

// PID returns the process id of the node that was started last.
func (n *Node) PID() int { return n.process.Process.Pid }

// URL returns the address for programs, at the virtual host named.
func (n *Node) URL(vhost string) string {
	return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/%s", n.Port,
		strings.TrimPrefix(vhost, "/"))
}

// Management returns the address of the management page (guest, guest).
func (n *Node) Management() string {
	return fmt.Sprintf("http://127.0.0.1:%d/", n.ManagementPort)
}

// AddVhost adds a virtual host, with all rights for guest, and returns its
// URL. Whatever has the same name in another virtual host is another thing.
func (n *Node) AddVhost(ctx context.Context, vhost string) (string, error) {
	if err := n.request(ctx, "PUT", "vhosts/"+vhost, ""); err != nil {
		return "", err
	}
	return n.URL(vhost), n.Permit(ctx, vhost, "guest", ".*")
}

// AddUser adds a user, whose password is the name.
func (n *Node) AddUser(ctx context.Context, user string) error {
	return n.request(ctx, "PUT", "users/"+user,
		fmt.Sprintf(`{"password":%q,"tags":""}`, user))
}

// Permit gives a user the right to all whose name matches a pattern.
func (n *Node) Permit(ctx context.Context, vhost, user, pattern string) error {
	return n.request(ctx, "PUT", "permissions/"+vhost+"/"+user,
		fmt.Sprintf(`{"configure":%[1]q,"write":%[1]q,"read":%[1]q}`, pattern))
}

// RemoveVhost removes a virtual host and all that is in it.
func (n *Node) RemoveVhost(ctx context.Context, vhost string) error {
	return n.request(ctx, "DELETE", "vhosts/"+vhost, "")
}

// SetTracing has the node publish each message that comes and goes in a
// virtual host to its exchange amq.rabbitmq.trace once more, or not.
func (n *Node) SetTracing(ctx context.Context, vhost string, on bool) error {
	return n.request(ctx, "PUT", "vhosts/"+vhost,
		fmt.Sprintf(`{"tracing":%v}`, on))
}

// CloseConnections closes all connections to a virtual host, as an operator
// can.
func (n *Node) CloseConnections(ctx context.Context, vhost string) error {
	_, err := n.Ctl(ctx, "close_all_connections", "--vhost", vhost,
		"closed by an operator")
	return err
}

// request speaks to the management plugin's HTTP API.
func (n *Node) request(ctx context.Context, method, path, body string) error {
	response, err := n.http(ctx, method, path, body)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// ask gets something from the management plugin's HTTP API.
func (n *Node) ask(ctx context.Context, path string, answer any) error {
	response, err := n.http(ctx, "GET", path, "")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

func (n *Node) http(ctx context.Context, method, path, body string) (
	*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method,
		n.Management()+"api/"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("guest", "guest")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		response.Body.Close()
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return response, nil
}

// Ctl runs rabbitmqctl on the node and returns what it prints.
func (n *Node) Ctl(ctx context.Context, args ...string) (string, error) {
	ctl := exec.CommandContext(ctx, filepath.Join(n.scripts, "rabbitmqctl"),
		append([]string{"-n", n.Name}, args...)...)
	ctl.Env = n.env()
	text, err := ctl.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("rabbitmqctl %s: %w: %s",
			strings.Join(args, " "), err, text)
	}
	return string(text), nil
}
