package screen

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// twoAtOnce is a command of three parts, of which two run at a time. It
// prints a result to the writer that it is given.
func twoAtOnce(p *Progress, out *bytes.Buffer) {
	one := p.Begin("one")
	two := p.Begin("two")
	one()
	p.Println(out, "one holds")
	three := p.Begin("three")
	two()
	two() // it has ended already
	three()
	p.End()
}

// In a file or a pipe there is a line for each part, and nothing is
// rewritten.
func TestProgressInAFile(t *testing.T) {
	var shown bytes.Buffer
	twoAtOnce(&Progress{out: &shown, total: 3}, &shown)
	const want = "1 of 3: one\n2 of 3: two\none holds\n3 of 3: three\n"
	if shown.String() != want {
		t.Errorf("it shows %q, expected %q", shown.String(), want)
	}
}

// On a terminal one line says what runs; results stay above it, and in the
// end it is gone.
func TestProgressOnATerminal(t *testing.T) {
	var shown bytes.Buffer
	p := &Progress{out: &shown, total: 3, rewrite: true}
	twoAtOnce(p, &shown)
	want := []string{"", "1 of 3: one", "2 of 3: one, two", "2 of 3: two",
		"one holds\n", "2 of 3: two", "3 of 3: two, three", "3 of 3: three",
		"", ""}
	text := strings.NewReplacer(cutOff, "", goesOn, "").
		Replace(shown.String())
	if lines := strings.Split(text, toLeft+erase); strings.Join(lines, "|") !=
		strings.Join(want, "|") {
		t.Errorf("it shows %q, expected %q", lines, want)
	}
	// Lines that stay are not cut off.
	before, _, _ := strings.Cut(shown.String(), "one holds")
	if strings.LastIndex(before, goesOn) < strings.LastIndex(before, cutOff) ||
		!strings.HasSuffix(shown.String(), goesOn) {
		t.Errorf("the terminal goes on cutting lines off: %q", shown.String())
	}
}

// Results may go to a file while the terminal shows how far the command is.
func TestProgressLeavesResultsAlone(t *testing.T) {
	var shown, results bytes.Buffer
	twoAtOnce(&Progress{out: &shown, total: 3, rewrite: true}, &results)
	if results.String() != "one holds\n" {
		t.Errorf("the results are %q", results.String())
	}
}

// Only a terminal that can do it is rewritten. (/dev/null passes for one.)
func TestProgressRewrites(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "xterm")
	if !NewProgress(terminal, 1).rewrite || NewProgress(file, 1).rewrite {
		t.Error("a terminal is not rewritten, or a file is")
	}
	t.Setenv("TERM", "dumb")
	if NewProgress(terminal, 1).rewrite {
		t.Error("a dumb terminal is rewritten")
	}
}
