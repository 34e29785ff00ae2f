package labtest

import (
	"testing"

	zmq "github.com/pebbe/zmq4"
	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
)

// Socket returns a ZeroMQ socket for the test itself, which plays the other
// end of a program.
func Socket(t testing.TB, kind zmq.Type) *zmq.Socket {
	t.Helper()
	socket, err := zmq.NewSocket(kind)
	Must(t, err)
	t.Cleanup(func() { socket.Close() })
	Must(t, socket.SetLinger(0))
	Must(t, socket.SetRcvtimeo(lab.Patience))
	Must(t, socket.SetSndtimeo(lab.Patience))
	return socket
}

// Channel returns an AMQP channel for the test itself.
func Channel(t testing.TB, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	Must(t, err)
	t.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	Must(t, err)
	return channel
}

// Must ends the test where err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
