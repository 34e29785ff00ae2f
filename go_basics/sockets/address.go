// Package sockets is what server and client must agree on. See ../README.md.
package sockets

// Address is where the server listens and the client connects, unless a flag
// names another address.
const Address = "127.0.0.1:12350"
