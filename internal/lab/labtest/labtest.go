// Package labtest is what the tests of the patterns share: they build a
// pattern's programs once, start them in labs, and run every experiment
// that the pattern's run program names.
package labtest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// Main is the TestMain of a pattern: it builds the programs of the folder,
// runs the tests, and fails where one of the programs was never started.
func Main(m *testing.M, folder string) {
	os.Exit(Run(m, folder))
}

// Run is Main for tests that have to clean up before they exit with the
// status that it returns.
func Run(m *testing.M, folder string) (status int) {
	return run(m, folder, func() error { return nil })
}

// SkipWithoutBroker ends the tests of a folder that needs RabbitMQ where
// SKIP_RABBITMQ is set, with a word.
func SkipWithoutBroker(folder string) {
	if os.Getenv("SKIP_RABBITMQ") != "" {
		fmt.Println("SKIPPED, since SKIP_RABBITMQ is set:", folder)
		os.Exit(0)
	}
}

// MainWithBroker is Main for a pattern that needs RabbitMQ: the tests share
// a private node.
func MainWithBroker(m *testing.M, folder string) {
	SkipWithoutBroker(folder)
	os.Exit(RunWithBroker(m, folder))
}

// RunWithBroker is Run for tests that share a private node. If there is one
// already, since make test has started it for all folders, they share that;
// if SKIP_RABBITMQ is set, there is none.
func RunWithBroker(m *testing.M, folder string) (status int) {
	node, err := brokerlab.Shared()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if node != nil || os.Getenv("SKIP_RABBITMQ") != "" {
		return Run(m, folder)
	}
	// It takes some seconds to start: meanwhile, the programs are built.
	started := make(chan error, 1)
	go func() {
		var err error
		node, err = broker.TemporaryNode(context.Background())
		started <- err
	}()
	ready := sync.OnceValue(func() error {
		if err := <-started; err != nil {
			return fmt.Errorf("these tests need RabbitMQ (SKIP_RABBITMQ=1 "+
				"leaves them out): %w", err)
		}
		return brokerlab.Use(node)
	})
	status = run(m, folder, ready)
	if err := ready(); err == nil {
		if err := node.Remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	return status
}

// run builds the programs, waits until all is ready, and runs the tests.
func run(m *testing.M, folder string, ready func() error) (status int) {
	programs, remove, err := lab.Build(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	// A program that does not end by itself on Ctrl-C must not pass.
	err = errors.Join(os.Setenv("DISTSYS_GRACE", "1h"), ready())
	// The tests mostly wait for others, so that more than one for each
	// processor can go on at a time.
	flag.Parse()
	err = errors.Join(err, flag.Set("test.parallel",
		strconv.Itoa(2*runtime.GOMAXPROCS(0))))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status = m.Run()
	everything := flag.Lookup("test.run").Value.String() == "" &&
		flag.Lookup("test.list").Value.String() == ""
	for _, program := range lab.NeverStarted(programs) {
		if status == 0 && everything {
			fmt.Fprintln(os.Stderr, "no test has started", program)
			status = 1
		}
	}
	return status
}

// A record keeps what a lab shows, for the case that the test fails.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

// knowSources has Go know that the tests depend on every source file of the
// module. The programs are built by a command of their own: without this, go
// test would answer "ok (cached)" after one of them was changed. It counts
// only while tests run, and so has to be called by a test.
var knowSources = sync.OnceFunc(func() {
	root, err := lab.Source(".")
	if err != nil {
		return
	}
	filepath.WalkDir(root, func(file string, _ fs.DirEntry, _ error) error {
		switch filepath.Ext(file) {
		case ".go", ".c", ".html", ".mod":
			os.Stat(file) // go test notes what is asked for
		}
		return nil
	})
})

// New returns a lab for one test, which ends with it. What happened in it is
// shown where the test fails.
func New(t testing.TB) *lab.Lab {
	t.Helper()
	knowSources()
	shown := &record{}
	l, err := lab.New(t.Context(), shown, func(reason string) {
		t.Helper()
		t.Fatal(reason)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		if t.Failed() {
			t.Logf("what happened:\n%s", &shown.text)
		}
	})
	return l
}

// Experiments runs every experiment of a pattern by its run program, and
// checks that those are the ones that the test expects.
func Experiments(t *testing.T, pattern string, expected ...string) {
	l := New(t)
	names := l.List(pattern).Names
	if !slices.Equal(names, expected) {
		t.Errorf("experiments: %q, expected: %q", names, expected)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcome := New(t).Try(pattern, name)
			if !outcome.Holds || outcome.Claim == "" {
				t.Errorf("the claim %q does not hold: %s", outcome.Claim,
					outcome.Counted)
			}
			shown := verdictInReadme(t, pattern, name)
			if shape(shown) != shape(outcome.Counted) {
				t.Errorf("the verdict is %q, and the README has %q",
					outcome.Counted, shown)
			}
		})
	}
}

// Refused runs a program that is expected to refuse or give up: status 1,
// and one last line on standard error that holds all of the texts.
func Refused(t *testing.T, program string, args []string, texts ...string) {
	t.Helper()
	p := New(t).Start(program, args...)
	status := p.Wait()
	lines := p.Stderr()
	if status != 1 || len(lines) == 0 {
		t.Errorf("%s %q: status %d, standard error %q", program, args, status,
			lines)
		return
	}
	for _, text := range texts {
		if !strings.Contains(lines[len(lines)-1], text) {
			t.Errorf("%s %q says %q, without %q", program, args,
				lines[len(lines)-1], text)
		}
	}
}

// StopsAtOnce stops a program as Ctrl-C does, and fails where it does not end
// by itself, with the line "stopped". At once is within a second where
// nothing else goes on; on a machine that is busy with other tests, and with
// the race detector, more must be granted.
func StopsAtOnce(t *testing.T, p *lab.Process) {
	t.Helper()
	if took := p.Stop(); took > 5*time.Second {
		t.Errorf("Ctrl-C took %v", took)
	}
	lines := p.Lines()
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, ": stopped") {
		t.Errorf("after Ctrl-C the last line is %q", last)
	}
}
