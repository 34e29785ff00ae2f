// Package labtest is what the tests of the patterns share: they build a
// pattern's programs once, start them in labs, and run every experiment
// that the pattern's run program names.
package labtest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"distsys/internal/lab"
)

// Main is the TestMain of a pattern: it builds the programs of the folder,
// runs the tests, and fails where one of the programs was never started.
func Main(m *testing.M, folder string) {
	programs, remove, err := lab.Build(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	everything := flag.Lookup("test.run").Value.String() == "" &&
		flag.Lookup("test.list").Value.String() == ""
	for _, program := range lab.NeverStarted(programs) {
		if status == 0 && everything {
			fmt.Fprintln(os.Stderr, "no test has started", program)
			status = 1
		}
	}
	remove()
	os.Exit(status)
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

// New returns a lab for one test, which ends with it. What happened in it is
// shown where the test fails.
func New(t *testing.T) *lab.Lab {
	t.Helper()
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
	list := l.Start(pattern+"/run", "-list")
	if status := list.Wait(); status != 0 {
		t.Fatalf("run -list ended with status %d", status)
	}
	names := list.Lines()
	if !slices.Equal(names, expected) {
		t.Errorf("experiments: %q, expected: %q", names, expected)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			experiment := New(t).Start(pattern+"/run", name)
			status := experiment.Wait()
			lines := experiment.Lines()
			last := lines[len(lines)-1]
			if status != 0 || !strings.HasPrefix(last, "verdict: ") ||
				!strings.HasSuffix(last, ": claim holds") {
				t.Errorf("status %d, last line %q", status, last)
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
