package screen

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab/record"
)

// Colours are for a terminal that wants them. (/dev/null passes for one.)
func TestColours(t *testing.T) {
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
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm-256color")
	if !colourful(terminal) || colourful(file) || colourful(&bytes.Buffer{}) {
		t.Error("a terminal has no colours, or something else has")
	}
	s := NewPlain(terminal)
	var shown bytes.Buffer
	s.out = &shown
	for _, label := range []string{"server 1", "client 1", "server 1"} {
		role, _, _ := strings.Cut(label, " ")
		s.Show(record.Event{Kind: record.Print, Role: role, Label: label,
			Text: label + ": a line"})
	}
	lines := strings.Split(shown.String(), "\n")
	colour := func(line string) string {
		_, line, _ = strings.Cut(line, "\x1b[")
		line, _, _ = strings.Cut(line, "m")
		return line
	}
	if a, b, c := colour(lines[0]), colour(lines[1]), colour(lines[2]); a ==
		"" || a == b || a != c {
		t.Errorf("the roles have the colours %q, %q, %q", a, b, c)
	}
	t.Setenv("NO_COLOR", "1")
	if colourful(terminal) {
		t.Error("NO_COLOR is not respected")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if colourful(terminal) {
		t.Error("a dumb terminal gets colours")
	}
	shown.Reset()
	Heading(&shown, "plain")
	if shown.String() != "plain\n" {
		t.Errorf("a heading that is piped is %q", shown.String())
	}
}
