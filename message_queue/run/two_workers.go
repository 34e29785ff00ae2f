package main

import (
	"fmt"

	"distsys/internal/lab"
)

// The scenario of slow-worker and worker-crash, here and in the pipeline:
// twenty orders, and two workers, one of them ten times slower.
const (
	orders = 20
	quick  = "50ms"
	slow   = "500ms"
)

// push submits all the orders at once.
func push(l *lab.Lab, url string) *lab.Process {
	return producer(l, url, "-count", fmt.Sprint(orders), "-interval", "0")
}
