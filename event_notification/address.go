// Package eventnotification is what publisher and subscriber must agree on.
// See README.md.
package eventnotification

// Address is where the publisher listens and subscribers connect, unless a
// flag names another address.
const Address = "tcp://127.0.0.1:12346"
