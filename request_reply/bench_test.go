package requestreply_test

import (
	"fmt"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab/labtest"
)

// BenchmarkServer asks a server again and again, each time when the reply is
// there, and shows round trips per second: with our server, which prints two
// lines for each request into a pipe that is read; with a bare server, which
// prints nothing; and which part of the second the first reaches. Our client
// asks once and ends: so the benchmark itself is the client of both.
func BenchmarkServer(b *testing.B) {
	const trips = 20_000
	var ours, bare time.Duration
	for range b.N {
		l := labtest.New(b)
		address := l.Address()
		labtest.StartBare(l, "server", address)
		bare += ask(b, address, trips)

		server, address := serve(l)
		server.Mute()
		ours += ask(b, address, trips)
		l.Close()
	}
	total := float64(trips * b.N)
	b.ReportMetric(total/ours.Seconds(), "ours-roundtrips/s")
	b.ReportMetric(total/bare.Seconds(), "bare-roundtrips/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
	b.ReportMetric(0, "ns/op") // would count the start of the processes
}

// ask makes n round trips, after a first one that also connects.
func ask(b *testing.B, address string, n int) time.Duration {
	socket := labtest.Socket(b, zmq.REQ)
	labtest.Must(b, socket.Connect(address))
	var begun time.Time
	for i := range n + 1 {
		if i == 1 {
			begun = time.Now()
		}
		if _, err := socket.Send("hello", 0); err != nil {
			b.Fatal(err)
		}
		if reply, err := socket.Recv(0); err != nil || reply != "hello!" {
			b.Fatalf("the reply is %q, %v", reply, err)
		}
	}
	return time.Since(begun)
}

// playBare is a server with nothing but the library's calls, until it is
// killed.
func playBare(role []string) error {
	socket, err := zmq.NewSocket(zmq.REP)
	if err != nil {
		return err
	}
	if err := socket.Bind(role[1]); err != nil {
		return fmt.Errorf("listen on %s: %w", role[1], err)
	}
	for {
		request, err := socket.Recv(0)
		if err != nil {
			return err
		}
		if _, err := socket.Send(request+"!", 0); err != nil {
			return err
		}
	}
}
