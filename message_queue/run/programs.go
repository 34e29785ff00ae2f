package main

import "distsys/internal/lab"

// How the lines begin that the programs print of an order's life.
const (
	submitted = "submitted order "
	sent      = "sent order " // without confirms
	received  = "received order "
	handled   = "handled order "
)

// producer starts a producer.
func producer(l *lab.Lab, url string, args ...string) *lab.Process {
	return l.Start("message_queue/producer",
		append([]string{"-broker", url}, args...)...)
}

// consumer starts a consumer, and waits until it consumes.
func consumer(l *lab.Lab, url, id string, args ...string) *lab.Process {
	args = append([]string{"-broker", url}, args...)
	c := l.Start("message_queue/consumer", append(args, id)...)
	c.WaitFor("waiting")
	return c
}
