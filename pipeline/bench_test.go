package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"distsys/internal/lab/labtest"
	"distsys/internal/zeromq"
	"distsys/pipeline"
)

// BenchmarkPipeline pushes orders through one pusher, two workers that do no
// work, and one sink. It does so with our programs, and beside them in the
// same run with four processes that do nothing but the bare library's calls:
// once with orders that are written as JSON and read by each process, as ours
// are, and once with bytes of the same length that nobody looks at. It shows
// orders per second from end to end, from the first that the sink receives to
// the last, and which part of each bare rate ours reaches.
func BenchmarkPipeline(b *testing.B) {
	const orders = 200_000
	var ours, bare, blind time.Duration
	for range b.N {
		blind += runBare(b, orders, false)
		bare += runBare(b, orders, true)
		ours += runOurs(b, orders)
	}
	total := float64(orders * b.N)
	b.ReportMetric(total/ours.Seconds(), "ours-orders/s")
	b.ReportMetric(total/bare.Seconds(), "bare-orders/s")
	b.ReportMetric(total/blind.Seconds(), "blind-bytes/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
	b.ReportMetric(blind.Seconds()/ours.Seconds(), "ours/blind")
	b.ReportMetric(0, "ns/op") // would count the start of the processes
}

func runOurs(b *testing.B, orders int) time.Duration {
	l := labtest.New(b)
	defer l.Close()
	source, results := l.Address(), l.Address()
	count := strconv.Itoa(orders)
	s := l.Start(sink, "-bind", results, "-count", count, "-quiet")
	for _, id := range []string{"1", "2"} {
		l.Start(worker, "-connect", source, "-sink", results, "-work", "0",
			"-quiet", id)
	}
	l.Start(pusher, "-bind", source, "-wait", "2", "-count", count,
		"-interval", "0", "-quiet")
	if s.Wait() != 0 {
		b.Fatal("the sink failed")
	}
	return took(b, s.Text())
}

// took reads how long the sink says it took.
func took(b *testing.B, text string) time.Duration {
	_, after, _ := strings.Cut(text, "delivered in ")
	seconds, _, _ := strings.Cut(after, " s")
	d, err := time.ParseDuration(seconds + "s")
	if err != nil || d == 0 {
		b.Fatalf("the sink says %q: %v", text, err)
	}
	return d
}

// The bare counterparts run in processes of their own: the test's program,
// started again with this variable set to a role, two addresses and a count.
const roleVar = "DISTSYS_BARE"

func runBare(b *testing.B, orders int, coded bool) time.Duration {
	l := labtest.New(b)
	defer l.Close()
	source, results := l.Address(), l.Address()
	start := func(role string) *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			b.Fatal(err)
		}
		command := exec.Command(self)
		command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d %v",
			roleVar, role, source, results, orders, coded))
		command.Stderr = os.Stderr
		return command
	}
	var others []*exec.Cmd
	for _, role := range []string{"worker", "worker", "pusher"} {
		other := start(role)
		if err := other.Start(); err != nil {
			b.Fatal(err)
		}
		others = append(others, other)
	}
	defer func() {
		for _, other := range others {
			if err := other.Process.Kill(); err != nil {
				b.Log(err)
			}
			other.Wait()
		}
	}()
	text, err := start("sink").Output()
	if err != nil {
		b.Fatal(err)
	}
	return took(b, string(text))
}

// beBare plays the role that the variable names, and says whether it has.
func beBare() (bool, error) {
	var role, source, results string
	var orders int
	var coded bool
	if _, err := fmt.Sscan(os.Getenv(roleVar), &role, &source, &results,
		&orders, &coded); err != nil {
		return false, nil
	}
	order := pipeline.NewOrder(source, 100_000)
	switch role {
	case "pusher":
		push, err := zeromq.Open(context.Background(), zmq.PUSH)
		if err != nil {
			return true, err
		}
		if err := push.WatchPeers(); err != nil {
			return true, err
		}
		if err := push.Bind(source); err != nil {
			return true, err
		}
		log.SetOutput(io.Discard)
		if err := push.AwaitPeers(2, "workers"); err != nil {
			return true, err
		}
		payload := order.Encode()
		for range orders {
			if coded {
				if payload, err = json.Marshal(order); err != nil {
					return true, err
				}
			}
			if _, err := push.SendBytes(payload, 0); err != nil {
				return true, err
			}
		}
		select {} // killed when the sink has all
	case "worker":
		pull, err := zmq.NewSocket(zmq.PULL)
		if err != nil {
			return true, err
		}
		push, err := zmq.NewSocket(zmq.PUSH)
		if err != nil {
			return true, err
		}
		if err := pull.Connect(source); err != nil {
			return true, err
		}
		if err := push.Connect(results); err != nil {
			return true, err
		}
		order.Worker = "1"
		payload := order.Encode()
		for {
			message, err := pull.RecvBytes(0)
			if err != nil {
				return true, err
			}
			if coded {
				if err := json.Unmarshal(message, &order); err != nil {
					return true, err
				}
				order.Worker = "1"
				if payload, err = json.Marshal(order); err != nil {
					return true, err
				}
			}
			if _, err := push.SendBytes(payload, 0); err != nil {
				return true, err
			}
		}
	case "sink":
		pull, err := zmq.NewSocket(zmq.PULL)
		if err != nil {
			return true, err
		}
		if err := pull.Bind(results); err != nil {
			return true, err
		}
		var begun time.Time
		for i := range orders {
			message, err := pull.RecvBytes(0)
			if err != nil {
				return true, err
			}
			if coded {
				if err := json.Unmarshal(message, &order); err != nil {
					return true, err
				}
			}
			if i == 0 {
				begun = time.Now()
			}
		}
		fmt.Printf("delivered in %.3f s\n", time.Since(begun).Seconds())
		return true, nil
	}
	return true, fmt.Errorf("no role %q", role)
}
