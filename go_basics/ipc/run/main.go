// Run starts two processes joined by a two-way pipe: a client, which sends a
// list, and a server, which prints what arrives. What the two do stands in
// roles.go; here they are started.
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

var list = flag.Bool("list", false, "name the experiments: there are none")

func main() {
	// The program starts itself twice; each child is told its role.
	role := cmp.Or(os.Getenv("IPC_ROLE"), "run")
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
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find our own program: %w", err)
	}
	// What Unix calls a pipe goes one way; a pair of sockets goes both ways.
	// CloseOnExec: no child is to have the other's end, too.
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("create the pipe: %w", err)
	}
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])

	var children [2]*exec.Cmd
	for i, role := range []string{"server", "client"} {
		end := os.NewFile(uintptr(ends[i]), role)
		child := exec.CommandContext(ctx, program)
		child.Env = append(os.Environ(), "IPC_ROLE="+role)
		child.ExtraFiles = []*os.File{end} // its file 3, after 0, 1 and 2
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return fmt.Errorf("start the %s: %w", role, err)
		}
		end.Close() // the child has its own
		children[i] = child
	}
	for _, child := range children {
		if err := child.Wait(); err != nil {
			return fmt.Errorf("wait for the children: %w", err)
		}
	}
	return nil
}
