package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"distsys/internal/broker/installed"
	"distsys/internal/local"
)

// A Node is a private RabbitMQ node: a real one, from the package that is
// installed on this machine, but in a folder of its own, on ports of its
// own, on loopback only. It needs no root, and knows nothing of any other
// broker on the machine.
type Node struct {
	Dir            string // holds configuration, data and logs
	Name           string // the Erlang node's name, as in lab@localhost
	Port           int    // AMQP
	ManagementPort int    // management page and HTTP API
	DistPort       int    // between Erlang nodes
	EpmdPort       int    // of the node's own name server

	askedPort, askedPage int  // 0: any
	settled              bool // it has run: its ports stay from now on

	peers      []string // names of all nodes, in a cluster
	scripts    string   // the folder of RabbitMQ's own programs
	lock       *local.Lock
	process    *exec.Cmd
	exited     chan struct{} // closed when process has ended
	epmd       *exec.Cmd     // nil: another node of the cluster runs it
	epmdExited chan struct{}
}

// NewNode prepares a node in dir, which is made if it is missing. A port of
// 0 stands for any free one. Nothing runs until Start. The folder is locked
// until Close or Remove: if another process runs a node in it, the error is
// a local.InUse.
func NewNode(dir string, port, managementPort int) (*Node, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	n, err := newNode(dir, lock, port, managementPort)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return n, nil
}

// lockDir locks a folder. If its owner was just killed, its node ends within
// a moment: so it tries for a while.
func lockDir(dir string) (lock *local.Lock, err error) {
	for begun := time.Now(); time.Since(begun) < timeToEnd; {
		lock, err = local.LockDir(dir)
		if used := (local.InUse{}); !errors.As(err, &used) {
			break
		}
		time.Sleep(timeToEnd / 20)
	}
	return lock, err
}

const timeToEnd = 2 * time.Second

// newNode prepares a node in a folder that is locked.
func newNode(dir string, lock *local.Lock, port, managementPort int) (*Node,
	error) {
	scripts, err := installed.Scripts()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	n := &Node{Dir: dir, Name: "lab@localhost", scripts: scripts, lock: lock,
		askedPort: port, askedPage: managementPort}
	n.choosePorts()
	return n, n.configure()
}

// TemporaryNode returns a node with a new folder, on free ports, that runs.
// Remove ends it.
func TemporaryNode(ctx context.Context) (*Node, error) {
	dir, lock, err := local.TempDir(temporary)
	if err != nil {
		return nil, err
	}
	n, err := newNode(dir, lock, 0, 0)
	if err == nil {
		err = n.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir), lock.Release())
	}
	return n, nil
}

// temporary begins the names of the folders of temporary nodes.
const temporary = "distsys-broker-"

// Attach returns the running node whose folder is dir. It can be used and
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

// configure writes the files that RabbitMQ reads when it starts, and
// node.json for Attach.
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
		// Nothing is to be said here of +sbwt, by which Erlang's threads look
		// for work a moment longer before they sleep. A node then starts in
		// half the time on an idle machine, but in two minutes instead of ten
		// seconds on one whose processors are busy with something else.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+
			"-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_CRASH_DUMP_SECONDS=0", // its log says enough
		fmt.Sprintf("ERL_EPMD_PORT=%d", n.EpmdPort),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		// The script then becomes the node, instead of watching over it:
		// the process that is started is the one that is killed.
		"RUNNING_UNDER_SYSTEMD=true",
	)
}

// Close stops the node and what belongs to it; its folder stays.
func (n *Node) Close() error {
	return errors.Join(n.Stop(), n.stopEpmd(), n.unlock())
}

// Remove kills the node and removes its folder.
func (n *Node) Remove() error {
	return errors.Join(n.Kill(), n.stopEpmd(), os.RemoveAll(n.Dir),
		n.unlock())
}

func (n *Node) unlock() error {
	if n.lock == nil {
		return nil
	}
	lock := n.lock
	n.lock = nil
	return lock.Release()
}
