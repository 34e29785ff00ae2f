package tuplespace

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// attackVar is how long each attack lasts: as long as a test may take, or
// longer in make soak.
const attackVar = "TUPLESPACE_ATTACK"

// An attack is what a stranger does with its connections: over and over, or
// once with each.
type attack struct {
	name        string
	connections int
	once        int // in make soak, so many; 0: over and over
	megabytes   int // which the real server may use at most, with everything
	do          func(n int, r *zmq.Socket) error
}

const mib = 1 << 20

var attacks = []attack{
	{"envelopes", 20, 133, 1000, func(_ int, r *zmq.Socket) error {
		// Each message is in memory as a whole before it can be refused.
		return sendAndDrop(r, strings.Repeat("x", 15*mib), "",
			`{"op":"take","pattern":["never"],"wait_ms":10000}`)
	}},
	{"waits", 100, 1524, 400, func(n int, r *zmq.Socket) error {
		return sendAndDrop(r, "", fmt.Sprintf(`{"op":"take","pattern":`+
			`["%d%s"],"wait_ms":10000}`, n, strings.Repeat("x", mib-200)))
	}},
	{"tuples", 4, 0, 2200, func(n int, r *zmq.Socket) error {
		return sendAndDrop(r, "", fmt.Sprintf(`{"op":"write","tuples":`+
			`[["%d","%s"]]}`, n, strings.Repeat("x", mib-200)))
	}},
	{"small-tuples", 4, 0, 2200, func(n int, r *zmq.Socket) error {
		return sendAndDrop(r, "", `{"op":"write","tuples":[[`+
			strings.Repeat(`7],[`, 1000)+`7]]}`)
	}},
	{"unread-replies", 30, 0, 600, func(n int, r *zmq.Socket) error {
		if n == 0 {
			return sendAndDrop(r, "", `{"op":"write","tuples":[["large","`+
				strings.Repeat("x", mib-200)+`"]],"ttl_ms":60000}`)
		}
		_, err := r.SendMessage("", `{"op":"read","pattern":["large",null]}`)
		return err
	}},
	{"names", 4, 0, 400, func(_ int, r *zmq.Socket) error {
		return sendAndDrop(r, "", `{"op":"read","pattern":["x"],"client":"`+
			rand.Text()+`","seq":1}`)
	}},
	{"loans", 4, 0, 400, func(_ int, r *zmq.Socket) error {
		err := sendAndDrop(r, "", `{"op":"write","tuples":[["l"]],"ttl_ms":9000}`)
		if err != nil {
			return err
		}
		return sendAndDrop(r, "", `{"op":"take","pattern":["l"],"loan_ms":9000}`)
	}},
	{"nonsense", 4, 0, 400, func(_ int, r *zmq.Socket) error {
		return sendAndDrop(r, "", `{"op":"write","tuples":[[`+
			strings.Repeat("[", 100_000))
	}},
}

// sendAndDrop sends a message, and drops the replies that have come.
func sendAndDrop(r *zmq.Socket, frames ...any) error {
	_, err := r.SendMessage(frames...)
	for err == nil {
		_, err = r.RecvMessageBytes(zmq.DONTWAIT)
	}
	if isAgain(err) {
		return nil
	}
	return err
}

// attacker does what an attack is, until it is killed.
func attacker(address, name string) error {
	i := slices.IndexFunc(attacks, func(a attack) bool {
		return a.name == name
	})
	a := attacks[i]
	if os.Getenv(attackVar) != "" && a.once > 0 {
		a.connections = a.once
		zmq.SetMaxSockets(2 * a.once)
	}
	sockets := make([]*zmq.Socket, a.connections)
	for i := range sockets {
		var err error
		if sockets[i], err = zmq.NewSocket(zmq.DEALER); err != nil {
			return err
		}
		sockets[i].SetRcvhwm(1)
		sockets[i].SetSndhwm(2)
		if err := sockets[i].Connect(address); err != nil {
			return err
		}
	}
	fmt.Println("begins")
	if a.once > 0 {
		for n, r := range sockets {
			if err := a.do(n, r); err != nil {
				return err
			}
		}
		select {} // they wait
	}
	poller := zmq.NewPoller() // who does not take more now is left out
	for _, socket := range sockets {
		poller.Add(socket, zmq.POLLOUT)
	}
	for n := 0; ; {
		ready, err := poller.Poll(-1)
		if err != nil {
			return err
		}
		for _, r := range ready {
			if err := a.do(n, r.Socket); err != nil {
				return err
			}
			n++
		}
	}
}

// While strangers attack the real server, an innocent client writes and takes
// as it always does, and the server's memory is bounded. The one attack that
// nothing can be done about is a message of frames without end: ZeroMQ shows
// it only when it is complete.
//
//	TUPLESPACE_ATTACK=20s go test -run Attack ./tuple_spaces/tuplespace
func TestAttack(t *testing.T) {
	soak := os.Getenv(attackVar)
	long, err := time.ParseDuration(cmp.Or(soak, "300ms"))
	must(t, err)
	program := filepath.Join(t.TempDir(), "server")
	// Go keeps what it has linked for go run, not for go build.
	build := exec.Command("go", "run", "-buildvcs=false", "-exec", "cp",
		"../server", program)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	echo := begin(t, "echo", newAddress())
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			s := begin(t, program, newAddress())
			innocent, bare := connect(t, s.address), asker(t, echo.address)
			begin(t, "attacker", s.address, a.name)
			var ours, echoes []time.Duration
			pair := func() {
				must(t, innocent.Write(context.Background(), "innocent", 1))
				_, err := innocent.Take(context.Background(), "innocent", Any)
				must(t, err)
			}
			pair()
			for end := time.Now().Add(long); time.Now().Before(end); {
				begun := time.Now()
				pair()
				between := time.Now()
				bare(writeText)
				bare(takeText)
				ours = append(ours, between.Sub(begun))
				echoes = append(echoes, time.Since(between))
			}
			p99, bare99 := percentile(ours, 99), percentile(echoes, 99)
			used := peak(t, s)
			t.Logf("p99 %v, of an echo %v, at most %v, %d pairs, %d MiB", p99,
				bare99, percentile(ours, 100), len(ours), used)
			// In so short a time, or on a busy machine, p99 says nothing.
			if soak != "" && p99 > max(50*time.Millisecond, 5*bare99) {
				t.Errorf("a write and a take take %v at p99, two echoes %v",
					p99, bare99)
			}
			if used > a.megabytes {
				t.Errorf("the server uses %d MiB", used)
			}
		})
	}
}

func percentile(values []time.Duration, n int) time.Duration {
	slices.Sort(values)
	return values[min(len(values)*n/100, len(values)-1)]
}

// peak returns how many megabytes a process has used at most.
func peak(t *testing.T, p *process) (megabytes int) {
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	_, err = fmt.Sscan(after, &megabytes)
	must(t, err)
	return megabytes / 1024
}
