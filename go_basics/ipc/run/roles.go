package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"syscall"
)

// pipeEnd is the number of the open file that the parent gave each child: its
// end of the pipe.
const pipeEnd = 3

func client(context.Context) error {
	pipe := os.NewFile(pipeEnd, "pipe")
	// A pipe carries bytes: JSON makes bytes of values, and values again.
	values := []any{42, "hello world", map[string]any{"key": "value"}}
	if err := json.NewEncoder(pipe).Encode(values); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	log.Print("sent a list of a number, a text and a map")
	return pipe.Close()
}

func server(ctx context.Context) error {
	// On Ctrl-C, Close makes the Decode below return, where the pipe is set
	// to have Go wait for data, and not the operating system.
	if err := syscall.SetNonblock(pipeEnd, true); err != nil {
		return fmt.Errorf("set up the pipe: %w", err)
	}
	pipe := os.NewFile(pipeEnd, "pipe")
	context.AfterFunc(ctx, func() { pipe.Close() })

	log.Print("waiting for a list")
	var values []any
	if err := json.NewDecoder(pipe).Decode(&values); err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	for _, value := range values {
		log.Printf("received %v, as %T", value, value)
	}
	return pipe.Close()
}
