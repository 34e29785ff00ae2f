package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"distsys/internal/cli"
	"distsys/internal/local"
)

// Between choosing a port and using it, which takes RabbitMQ some seconds,
// another program may take it. Then a node tries others, this often.
const maxTries = 4

// errPortTaken is why a node did not start that could with other ports.
var errPortTaken = errors.New("another program has taken a port meanwhile")

// errBusy is why a node did not start that can if it tries again: on a machine
// that is very busy, RabbitMQ does not wait long enough for its own log.
var errBusy = errors.New("the machine is too busy")

const busySign = "file_ctrl_process_not_started"

// Start starts the node and returns when it takes connections. It can be
// called again after Stop or Kill: the node then has its data back, and the
// ports that it had.
func (n *Node) Start(ctx context.Context) error {
	if err := n.askedAreFree(); err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		err := n.startEpmd()
		if err == nil {
			err = n.start(ctx)
		}
		if err == nil {
			return nil
		}
		err = errors.Join(err, n.stopEpmd())
		busy := errors.Is(err, errBusy)
		taken := errors.Is(err, errPortTaken) && !n.settled
		if tries == maxTries || !busy && !taken {
			return err
		}
		if busy {
			continue
		}
		n.choosePorts()
		if err := n.configure(); err != nil {
			return err
		}
	}
}

// start starts RabbitMQ itself; the name server is there.
func (n *Node) start(ctx context.Context) error {
	if n.lock == nil {
		return errors.New("start a node that was closed or only attached to")
	}
	boot, err := os.Create(filepath.Join(n.Dir, bootLog))
	if err != nil {
		return err
	}
	defer boot.Close()
	n.process = exec.Command(filepath.Join(n.scripts, "rabbitmq-server"))
	n.process.Env = n.env()
	n.process.Dir = n.Dir
	n.process.Stdout, n.process.Stderr = boot, boot
	// If this process is killed, the folder is locked for as long as the
	// node still runs.
	n.process.ExtraFiles = []*os.File{n.lock.File()}
	n.process.SysProcAttr = local.OwnGroup()
	if err := n.process.Start(); err != nil {
		n.process = nil
		return fmt.Errorf("start RabbitMQ: %w", err)
	}
	exited := make(chan struct{})
	n.exited = exited
	go func(process *exec.Cmd) {
		process.Wait()
		close(exited)
	}(n.process)
	err = n.lock.Name(n.PID())
	if err == nil {
		err = n.ready(ctx)
	}
	if err != nil {
		return errors.Join(err, n.Kill())
	}
	n.settled = true
	return nil
}

// ready waits until the node takes connections and its HTTP API answers.
func (n *Node) ready(ctx context.Context) error {
	starting, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	go func() {
		defer stop() // there is nothing to wait for any more
		select {
		case <-n.exited:
		case <-n.epmdExited:
		case <-starting.Done():
		}
	}()
	for !n.answers(starting) {
		if err := cli.Sleep(starting, 100*time.Millisecond); err == nil {
			continue
		}
		select {
		case <-n.exited:
			return n.complaint()
		case <-n.epmdExited:
			return fmt.Errorf("start epmd: %w", errPortTaken)
		default:
			return fmt.Errorf("wait for RabbitMQ: %w", starting.Err())
		}
	}
	return nil
}

// answers tells whether the node can be used. What answers on its ports may
// also be another node, which has taken them: so it must have come up itself.
func (n *Node) answers(ctx context.Context) bool {
	if !n.cameUp() && !n.knowsItself(ctx) {
		return false
	}
	conn, err := dial(ctx, n.URL("/"))
	if err != nil {
		return false
	}
	conn.CloseDeadline(time.Now().Add(farewell))
	return true
}

// cameUp tells whether the node has said that it has come up, which it does
// only if it got its ports.
func (n *Node) cameUp() bool {
	text, err := os.ReadFile(filepath.Join(n.Dir, bootLog))
	return err == nil && strings.Contains(string(text), upSign)
}

const (
	bootLog = "boot.log"
	upSign  = "Starting broker... completed"
)

// knowsItself tells the same of a RabbitMQ that says it in other words: what
// answers is asked for its process id. RabbitMQ counts itself only every 5 s,
// and does not know its id before.
func (n *Node) knowsItself(ctx context.Context) bool {
	var node struct {
		PID string `json:"os_pid"`
	}
	err := n.ask(ctx, "nodes/"+n.Name+"?columns=os_pid", &node)
	return err == nil && node.PID == fmt.Sprint(n.PID())
}

// complaint says why the node has ended at once.
func (n *Node) complaint() error {
	text, err := os.ReadFile(filepath.Join(n.Dir, bootLog))
	if err != nil {
		return err
	}
	if err := n.askedAreFree(); err != nil {
		return fmt.Errorf("RabbitMQ ended at once: %w", err)
	}
	for _, port := range []int{n.Port, n.ManagementPort, n.DistPort} {
		if !isFree(port) {
			return fmt.Errorf("RabbitMQ ended at once: %w", errPortTaken)
		}
	}
	for _, sign := range []string{"eaddrinuse", "dist_port_already_used"} {
		if strings.Contains(string(text), sign) {
			return fmt.Errorf("RabbitMQ ended at once: %w", errPortTaken)
		}
	}
	if strings.Contains(string(text), busySign) {
		return fmt.Errorf("RabbitMQ ended at once: %w", errBusy)
	}
	return fmt.Errorf("RabbitMQ ended at once: %s", strings.TrimSpace(
		string(text[max(0, len(text)-1000):])))
}

// askedAreFree returns an error if somebody else has a port that was asked
// for. It cannot be exchanged for another one.
func (n *Node) askedAreFree() error {
	for _, port := range []int{n.askedPort, n.askedPage} {
		if port != 0 && !isFree(port) {
			return fmt.Errorf("another program has port %d", port)
		}
	}
	return nil
}

// Erlang's name server outlives the node that starts it. So each of our
// nodes, or each cluster, has one of its own, started and ended here.
func (n *Node) startEpmd() error {
	if n.epmd != nil || len(n.peers) > 0 && n.Name != n.peers[0] {
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
	ended := make(chan struct{})
	go func() {
		epmd.Wait() // says "killed", as it should
		close(ended)
	}()
	n.epmd, n.epmdExited = epmd, ended
	return nil
}

func (n *Node) stopEpmd() error {
	if n.epmd == nil {
		return nil
	}
	epmd := n.epmd
	n.epmd = nil
	err := epmd.Process.Kill()
	<-n.epmdExited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
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
	// Helpers of the Erlang machine end when their pipe to it closes. One
	// that hangs is in the node's own process group.
	syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
	return nil
}

// Exited is closed once the node that was started last has ended.
func (n *Node) Exited() <-chan struct{} { return n.exited }

// PID returns the process id of the node that was started last.
func (n *Node) PID() int { return n.process.Process.Pid }
