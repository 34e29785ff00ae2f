package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A pipe counts how often it is written to, and tells each time.
type pipe struct {
	mu      sync.Mutex
	text    bytes.Buffer
	writes  int
	written chan bool
}

func (p *pipe) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	p.text.Write(text)
	select {
	case p.written <- true:
	default:
	}
	return len(text), nil
}

func (p *pipe) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// A line by itself is written at once, and lines that follow each other fast
// are written together, all of them and in their order.
func TestGathered(t *testing.T) {
	p := &pipe{written: make(chan bool, 1)}
	g := &gathered{out: p}
	fmt.Fprintln(g, "line 0")
	if p.String() != "line 0\n" {
		t.Errorf("a line by itself has to wait: %q", p.String())
	}
	want := "line 0\n"
	for i := range 10_000 {
		line := fmt.Sprintf("line %d\n", i+1)
		want += line
		fmt.Fprint(g, line)
	}
	if err := g.flush(); err != nil || p.String() != want {
		t.Errorf("%v, %d of %d bytes", err, len(p.String()), len(want))
	}
	if p.writes > 1000 {
		t.Errorf("10,000 lines are written in %d pieces", p.writes)
	}
}

// What is written late is written without a further line.
func TestGatheredComeSoon(t *testing.T) {
	p := &pipe{written: make(chan bool, 1)}
	g := &gathered{out: p}
	fmt.Fprintln(g, "first")
	<-p.written
	fmt.Fprintln(g, "second")
	<-p.written // or the test waits for ever
	if !strings.HasSuffix(p.String(), "second\n") {
		t.Errorf("%q", p.String())
	}
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestGatheredTellsOfFailure(t *testing.T) {
	g := &gathered{out: broken{}}
	if _, err := fmt.Fprintln(g, "line"); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}
