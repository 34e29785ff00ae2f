// Package tuplespace is a tuple space: processes put tuples in, look at them
// and take them out, and know nothing of each other. The idea is Linda's
// (David Gelernter, Generative communication in Linda, 1985).
//
// To read it from the idea to speed:
//
//   - The idea: match.go (when a tuple matches a pattern), space.go (what a
//     space can do) and simple.go (a list of tuples, a list of those who wait,
//     and a search). Whoever has read these knows what a tuple space is.
//   - The protocol: messages.go (requests and replies in JSON) and tuple.go
//     (a tuple's fields, and when two of them are equal).
//   - The server: server.go (one goroutine that does one request after the
//     other), outbox.go (replies, and tuples that cannot be delivered),
//     sessions.go (a request that comes twice is done once), unread.go (what
//     is kept for clients that read nothing) and log.go.
//   - The journal: journal.go (what is written down before a reply is sent),
//     recover.go (a server that begins with it) and compact.go (without what
//     came and went).
//   - The client: client.go (Write, Read, Take, Borrow), values.go (Go's
//     values on the wire) and connection.go (a request, until its reply is
//     there).
//   - Speed: indexed.go (the same space without a search), index.go (tuples
//     by their fields), waits.go (waits by their patterns), queue.go and
//     agenda.go (the lists that these are made of), and scan.go (JSON, as most
//     messages are made of it).
package tuplespace
