package screen

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/record"
)

// brief returns what a brief screen shows of events, without the times.
func brief(events ...record.Event) []string {
	var out bytes.Buffer
	s := NewBrief(&out)
	for i, e := range events {
		if e.Time == 0 {
			e.Time = time.Duration(i+1) * time.Microsecond
		}
		s.Show(e)
	}
	s.Show(record.Event{Kind: record.Over})
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if _, text, timed := strings.Cut(line, "0.00s "); timed {
			line = text
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func printed(process int, role, id, format string, args ...any) record.Event {
	label := role + " " + id
	return record.Event{Kind: record.Print, Process: process, Role: role,
		Label: label, Text: label + ": " + fmt.Sprintf(format, args...)}
}

func TestBrief(t *testing.T) {
	var burst, crowd []record.Event
	for i := range 50 {
		burst = append(burst, printed(1, "publisher", "47",
			"published event %d of sensor123: %d degrees", i, i*7%50))
	}
	for i := range 5 {
		crowd = append(crowd, printed(i+1, "client", fmt.Sprint(100+i),
			"waits"))
	}
	one := printed(1, "server", "47", "received \"hello\"")
	step := record.Event{Kind: record.Step, Text: "it crashes"}
	started := record.Event{Kind: record.Start, Process: 1, Label: "server 47"}
	for name, c := range map[string]struct {
		events []record.Event
		want   []string
	}{
		"a burst is one line": {burst, []string{"publisher 47: published " +
			"event 0 to 49 of sensor123: ... degrees (50 lines)"}},
		"a line by itself stays": {[]record.Event{one},
			[]string{"server 47: received \"hello\""}},
		"a turning point ends a burst": {[]record.Event{burst[0], burst[1],
			step, burst[2]}, []string{"publisher 47: published event 0 to 1 " +
			"of sensor123: ... degrees (2 lines)", "» it crashes",
			"publisher 47: published event 2 of sensor123: 14 degrees"}},
		"so does a crash": {[]record.Event{started, one,
			{Kind: record.Kill, Process: 1}}, []string{
			"server 47: received \"hello\"", "server 47 is killed"}},
		"two that print the same share a line": {[]record.Event{
			printed(1, "subscriber", "1", "received event 3"),
			printed(2, "subscriber", "2", "received event 3")},
			[]string{"subscriber 1, subscriber 2: received event 3"}},
		"two that differ do not": {[]record.Event{
			printed(1, "worker", "fast", "received order 3"),
			printed(2, "worker", "slow", "received order 4")},
			[]string{"worker fast: received order 3",
				"worker slow: received order 4"}},
		"a crowd shares one": {crowd, []string{"5 clients: waits"}},
		"what is the same each time is left out": {[]record.Event{
			printed(1, "server", "47", "listening on tcp://127.0.0.1:1"), one},
			[]string{"server 47: received \"hello\""}},
		"a verdict stays": {[]record.Event{{Kind: record.Verdict, Holds: true,
			Text: "1 sent"}}, []string{"verdict: 1 sent: claim holds"}},
		"what is muted is not shown, but for errors": {[]record.Event{
			{Kind: record.Mute, Process: 1}, one,
			{Kind: record.Print, Process: 1, Role: "server",
				Label: "server 47", Text: "server 47: fails", Stderr: true}},
			[]string{"server 47: fails"}},
	} {
		got := brief(c.events...)
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Lines are not held back for ever.
func TestBriefIsNotLate(t *testing.T) {
	var out bytes.Buffer
	s := NewBrief(&out)
	first := printed(1, "worker", "1", "received order 0")
	first.Time = time.Second
	s.Show(first)
	if out.Len() > 0 {
		t.Errorf("nothing is held back: %s", &out)
	}
	later := printed(1, "worker", "1", "received order 1")
	later.Time = first.Time + longest + 1
	s.Show(later)
	if !strings.Contains(out.String(), "received order 0") {
		t.Errorf("a line of %v ago is held back", longest)
	}
}
