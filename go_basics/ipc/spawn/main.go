// Spawn starts a child process, which greets by name, and waits until the
// child has ended.
//
//	go run ./go_basics/ipc/spawn bob
//
// Every process has an id, and a parent: the process that started it. Parent
// and child here are the same program, but they share no memory: the parent
// must pass on what the child is to know.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"

	"distsys/internal/cli"
)

// nameVar is the environment variable with the name to greet. A process that
// finds it is the child.
const nameVar = "SPAWN_NAME"

func main() {
	cli.Parse("go_basics/ipc/spawn [name]",
		"Spawn starts a child process, which greets by name.")
	if name := os.Getenv(nameVar); name != "" {
		child(name)
	} else {
		cli.Main(parent)
	}
}

func parent(ctx context.Context) error {
	log.Printf("parent: my parent is process %d, I am process %d",
		os.Getppid(), os.Getpid())

	// Go has no fork, which in C or Python copies a process as it runs: the
	// child starts from the beginning of main, here with our own program.
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find our own program: %w", err)
	}
	command := exec.CommandContext(ctx, program)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr

	// What the child is to know travels in its environment.
	name := cmp.Or(flag.Arg(0), "bob")
	command.Env = append(os.Environ(), nameVar+"="+name)

	// From here on both run at the same time.
	err = command.Start()
	if err != nil {
		return fmt.Errorf("start the child: %w", err)
	}

	// Without Wait, parent and child would end in any order.
	err = command.Wait()
	if err != nil {
		return fmt.Errorf("wait for the child: %w", err)
	}
	log.Print("parent: the child has ended")
	return nil
}

func child(name string) {
	log.Printf("child: hello %s", name)
	log.Printf("child: my parent is process %d, I am process %d",
		os.Getppid(), os.Getpid())
}
