package requestreply_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// BenchmarkServer asks servers again and again, each time when the reply is
// there, and shows round trips per second: of our server, which prints two
// lines for each request into a pipe that is read, and of a bare one, which
// prints nothing; both as they are, and with CURVE. They take turns, so that
// whatever else the machine does slows down all of them; each figure is the
// median of its turns. Our client asks once and ends: so the benchmark itself
// is all of the clients.
func BenchmarkServer(b *testing.B) {
	const turns, trips = 10, 400
	l := labtest.New(b)
	defer l.Close()
	servers := map[string]asked{}
	for _, kind := range []string{"plain", "curve"} {
		servers[kind+" ours"] = startOurs(b, l, kind == "curve")
		servers[kind+" bare"] = startBare(b, l, kind == "curve")
	}
	for _, load := range []struct {
		name           string
		clients, bytes int
	}{{"clients=1", 1, 5}, {"clients=8", 8, 5}, {"bytes=10000", 1, 10_000}} {
		took := map[string][]time.Duration{}
		for range turns {
			for name, server := range servers {
				took[name] = append(took[name], server.ask(b, load.clients,
					trips/load.clients, strings.Repeat("x", load.bytes)))
			}
		}
		rate := func(name string) float64 {
			slices.Sort(took[name])
			return trips / took[name][turns/2].Seconds()
		}
		for _, kind := range []string{"plain", "curve"} {
			b.Run(kind+"/"+load.name, func(b *testing.B) {
				ours, bare := rate(kind+" ours"), rate(kind+" bare")
				b.ReportMetric(ours, "ours-roundtrips/s")
				b.ReportMetric(bare, "bare-roundtrips/s")
				b.ReportMetric(ours/bare, "ours/bare")
				b.ReportMetric(0, "ns/op") // would count nothing
			})
		}
	}
}

// asked is a server, and the sockets of those who ask it.
type asked []*zmq.Socket

const crowd = 8

// startOurs starts our server, with CURVE if it is to have a key.
func startOurs(b *testing.B, l *lab.Lab, curve bool) asked {
	address, key := l.Address(), ""
	args, env := []string{"-bind", address}, []string(nil)
	if curve {
		args = append(args, "-curve")
		env = append(env, "DISTSYS_CURVE="+filepath.Join(b.TempDir(), "key"))
	}
	server := l.StartEnv(env, "request_reply/server", args...).Mute()
	if curve {
		_, key, _ = strings.Cut(server.WaitFor("-key '"), "-key '")
		key = strings.TrimSuffix(key, "'")
	}
	server.WaitFor("listening")
	return connect(b, address, key)
}

// startBare starts a server that has nothing but the library's calls.
func startBare(b *testing.B, l *lab.Lab, curve bool) asked {
	address := l.Address()
	if !curve {
		labtest.StartBare(l, "server", address)
		return connect(b, address, "")
	}
	public, secret, err := zmq.NewCurveKeypair()
	labtest.Must(b, err)
	labtest.StartBare(l, "server", address, secret)
	return connect(b, address, public)
}

// connect returns sockets that have asked once.
func connect(b *testing.B, address, key string) (server asked) {
	for range crowd {
		socket := labtest.Socket(b, zmq.REQ)
		if key != "" {
			public, secret, err := zmq.NewCurveKeypair()
			labtest.Must(b, err)
			labtest.Must(b, socket.ClientAuthCurve(key, public, secret))
		}
		labtest.Must(b, socket.Connect(address))
		server = append(server, socket)
	}
	server.ask(b, crowd, 1, "hello")
	return server
}

// ask has some clients ask at a time, n times each, and returns how long that
// takes.
func (server asked) ask(b *testing.B, clients, n int,
	text string) time.Duration {
	failed := make(chan error, clients)
	begun := time.Now()
	for _, socket := range server[:clients] {
		go func() { failed <- askAgain(socket, n, text) }()
	}
	for range clients {
		labtest.Must(b, <-failed)
	}
	return time.Since(begun)
}

func askAgain(socket *zmq.Socket, n int, text string) error {
	for range n {
		if _, err := socket.Send(text, 0); err != nil {
			return err
		}
		reply, err := socket.Recv(0)
		if err != nil {
			return err
		}
		if reply != text+"!" {
			return fmt.Errorf("the reply is %.60q", reply)
		}
	}
	return nil
}

// playBare is a server with nothing but the library's calls, until it is
// killed. If it is given a secret key it uses CURVE.
func playBare(role []string) error {
	socket, err := zmq.NewSocket(zmq.REP)
	if err != nil {
		return err
	}
	if len(role) > 2 {
		if err := errors.Join(socket.SetCurveServer(1),
			socket.SetCurveSecretkey(role[2])); err != nil {
			return err
		}
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
