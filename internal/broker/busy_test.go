package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// busy returns a folder of RabbitMQ's scripts in which the server fails as on
// a machine that is too busy, so often; then it is the real one of a folder.
// Each start adds a line to the file that is returned, too.
func busy(t *testing.T, times, real string) (scripts, starts string) {
	t.Helper()
	scripts = t.TempDir()
	starts = filepath.Join(scripts, "starts")
	err := os.WriteFile(filepath.Join(scripts, "rabbitmq-server"), []byte(
		"#!/bin/sh\necho start >> "+starts+"\n"+
			"if [ $(wc -l < "+starts+") -gt "+times+" ]; then\n"+
			"exec "+filepath.Join(real, "rabbitmq-server")+"\nfi\n"+
			"echo 'cannot_log_to_file,unknown,"+busySign+"'; exit 1\n"), 0o700)
	if err != nil {
		t.Fatal(err)
	}
	return scripts, starts
}

// A node tries again if the machine was too busy, but not for ever.
func TestTooBusy(t *testing.T) {
	t.Parallel()
	n, err := NewNode(filepath.Join(t.TempDir(), "node"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Remove() })
	var starts string
	n.scripts, starts = busy(t, "1000", "nowhere")
	n.settled = true // though it has run before
	if err := n.Start(context.Background()); !errors.Is(err, errBusy) {
		t.Errorf("on a busy machine: %v", err)
	}
	text, err := os.ReadFile(starts)
	if tries := strings.Count(string(text), "start"); tries != maxTries {
		t.Errorf("it tried %d times (%v)", tries, err)
	}
}

// It is noticed of each port that somebody else has taken it, by the time the
// node would use it. What then is done is in TestPortTakenMeanwhile.
func TestPortsThatAreTaken(t *testing.T) {
	t.Parallel()
	for what, port := range map[string]func(n *Node) int{
		"dist": func(n *Node) int { return n.DistPort },
		"epmd": func(n *Node) int { return n.EpmdPort },
	} {
		n, err := NewNode(filepath.Join(t.TempDir(), "node"), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Remove() })
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d",
			port(n)))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		if err = n.startEpmd(); err == nil {
			err = n.start(t.Context())
		}
		if !errors.Is(err, errPortTaken) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A port that was asked for and is taken while RabbitMQ starts is named, too.
func TestAskedPortIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	n := &Node{Dir: t.TempDir(), askedPage: port}
	if err := os.WriteFile(filepath.Join(n.Dir, bootLog), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("RabbitMQ ended at once: another program has port %d",
		port)
	if err := n.complaint(); err == nil || err.Error() != want {
		t.Errorf("it is said: %v", err)
	}
}

// What closes the connection in the middle of the greeting is no broker, and
// has nothing to do with encryption where none was asked for.
func TestClosedWhileGreeting(t *testing.T) {
	t.Parallel()
	closed := &net.OpError{Op: "write", Net: "tcp", Err: net.ErrClosed}
	err := noGreeting(amqp.URI{Scheme: "amqp", Host: "localhost", Port: 1,
		Vhost: "/"}, closed, 0)
	if !strings.Contains(err.Error(), "no broker answers as it should at") {
		t.Errorf("it is said to be: %v", err)
	}
}
