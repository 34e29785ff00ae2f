// Run starts two processes joined by a two-way pipe: a client, which sends a
// list, and a server, which prints what arrives. They are started here; what
// they do is in roles.go.
//
//	go run ./go_basics/ipc/run
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"distsys/internal/cli"
)

var list = flag.Bool("list", false,
	"list the names of the experiments: there are none")

// roleVar is the environment variable with a child's role.
const roleVar = "IPC_ROLE"

func main() {
	// The program starts itself twice, each time with another role.
	role := cmp.Or(os.Getenv(roleVar), "run")
	cli.Parse("go_basics/ipc/"+role, "Run joins two processes by a pipe.")
	switch {
	case *list:
	case role == "server":
		cli.Main(server)
	case role == "client":
		cli.Main(client)
	default:
		cli.Main(parent)
	}
}

func parent(ctx context.Context) error {
	// What Unix calls a pipe goes one way; a pair of sockets goes both ways.
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("create the pipe: %w", err)
	}
	// Otherwise each child would have the other's end, too.
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])

	server, err := start(ctx, "server", ends[0])
	if err != nil {
		return err
	}
	client, err := start(ctx, "client", ends[1])
	if err != nil {
		return err
	}

	if err := server.Wait(); err != nil {
		return fmt.Errorf("wait for the server: %w", err)
	}
	if err := client.Wait(); err != nil {
		return fmt.Errorf("wait for the client: %w", err)
	}
	return nil
}

// start starts a child, and hands it one end of the pipe.
func start(ctx context.Context, role string, fd int) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own program: %w", err)
	}
	child := exec.CommandContext(ctx, program)
	child.Env = append(os.Environ(), roleVar+"="+role)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr

	// An open file is all that the child is given: its file 3, after the
	// standard files 0, 1 and 2. Nobody else can reach this pipe.
	end := os.NewFile(uintptr(fd), role)
	defer end.Close() // the child has its own
	child.ExtraFiles = []*os.File{end}

	err = child.Start()
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", role, err)
	}
	return child, nil
}
