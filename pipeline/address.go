// Package pipeline is what pusher, worker and sink must agree on.
// See README.md.
package pipeline

const (
	// Pusher is where a pusher listens and workers connect, unless a flag
	// names another address.
	Pusher = "tcp://127.0.0.1:12347"
	// Second is where a second pusher on the same machine listens.
	Second = "tcp://127.0.0.1:12348"
	// Sink is where the sink listens and workers connect.
	Sink = "tcp://127.0.0.1:12349"
)
