package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"syscall"

	"distsys/internal/cli"
)

// pipeEnd is the number of the open file that the parent gave each child: its
// end of the pipe.
const pipeEnd = 3

func client(context.Context) error {
	pipe := os.NewFile(pipeEnd, "pipe")

	// A pipe carries bytes: JSON turns values into bytes, and back.
	values := []any{42, "hello world", map[string]any{"key": "value"}}
	err := json.NewEncoder(pipe).Encode(values)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	log.Print("sent a list of a number, a text and a map")
	return pipe.Close()
}

func server(ctx context.Context) error {
	// Like this Go waits for the data, and not the operating system: so the
	// wait can be ended by Ctrl-C.
	if err := syscall.SetNonblock(pipeEnd, true); err != nil {
		return fmt.Errorf("set up the pipe: %w", err)
	}
	pipe := os.NewFile(pipeEnd, "pipe")
	cli.CloseOnStop(ctx, pipe)

	log.Print("waiting for a list")
	var values []any
	err := json.NewDecoder(pipe).Decode(&values)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	for _, value := range values {
		log.Printf("received %v, as %T", value, value)
	}
	return pipe.Close()
}
