// Package requestreply is what server and client must agree on. See README.md.
package requestreply

// Address is where the server listens and the client connects, unless a flag
// names another address. A request is one text frame, its reply another.
const Address = "tcp://127.0.0.1:12345"
