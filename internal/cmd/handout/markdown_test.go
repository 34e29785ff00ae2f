package main

import (
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// A README's links lead to pages of the hand-out: to the claim where an
// experiment is named. What the hand-out does not have is no link.
func TestLinksOfReadmes(t *testing.T) {
	patterns, err := choose([]string{"pipeline/", "message_queue"})
	labtest.Must(t, err)
	for _, p := range patterns {
		p.parts = []*part{{folder: p.folder, claims: []*claim{
			{folder: p.folder, name: "worker-crash"}}}}
	}
	s := &site{patterns: patterns}
	labtest.Must(t, s.findSources())
	for readme, want := range map[string]string{
		"[queue](../message_queue/)": `<a href="../message_queue/index.html">`,
		"[worker](worker/main.go)":   `<a href="worker/main.go.html">`,
		"[all](worker/)":             `<a href="#programs">`,
		"[z](../internal/zeromq/socket.go)": `<a href="` +
			`../internal/zeromq/socket.go.html">`,
		"[below](#run-it)":                     `<a href="#run-it">`,
		"[guide](https://zeromq.org/)":         `<a href="https://zeromq.org/">`,
		"see [tuples](../tuple_spaces/) there": "<p>see tuples there</p>",
		"[no](../Makefile)":                    "<p>no</p>",
		"`go run ./pipeline/run worker-crash`": `<a href="worker-crash.html">`,
		"`worker-crash`":                       "<p><code>worker-crash</code></p>",
		"<!-- varies: 1 -->\nText":             "<p>Text</p>",
		"## Run it":                            `<h2 id="run-it">`,
		"```go\nif a < b {\n```":               "<i class=k>if</i> a &lt; b {",
		"```console\n$ ls\na&b\n```":           "<b>$ ls</b>\na&amp;b",
		"| | [pipeline](../pipeline/) | [q](../message_queue/) |\n" +
			"|---|---|---|\n| `worker-crash` | x | lost `worker-crash` |": `l` +
			`ost <a href="../message_queue/worker-crash.html"><code>`,
	} {
		got, err := s.markdown("pipeline/index.html", "pipeline", readme)
		labtest.Must(t, err)
		if !strings.Contains(string(got), want) ||
			strings.Contains(string(got), "varies") {
			t.Errorf("%s becomes %s", readme, got)
		}
	}
	if !s.hasSource("internal/zeromq/socket.go") {
		t.Error("a file that a README links to gets no page")
	}
}

// The lines that are left out are marked, and what is around them is shown.
func TestListing(t *testing.T) {
	l := &listing{File: "pipeline/worker/main.go"}
	for i := range 300 {
		l.Lines = append(l.Lines, line{Number: i + 1})
	}
	l.Lines[99].add("ack", false)
	l.Lines[99].add("after", true)
	l.Lines[99].add("ack", false)
	l.Lines[110].add("ack", false)
	l.Lines[280].add("ack", false)
	if got := l.Lines[99]; got.Mark != "ack, after" || !got.Chosen {
		t.Errorf("the mark is %q", got.Mark)
	}
	parts := l.Parts()
	if len(parts) != 2 || parts[0][0].Number != 80 ||
		parts[0][len(parts[0])-1].Number != 130 || parts[1][0].Number != 261 ||
		parts[1][len(parts[1])-1].Number != 300 {
		t.Errorf("the parts are %v", parts)
	}
	want := []string{"if err != nil {", "    return err", "}"}
	got := split("if err != nil {\n\t\treturn err\n\t}")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the lines are %q", got)
	}
}
