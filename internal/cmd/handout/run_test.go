package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/labtest"
	"distsys/internal/lab/record"
)

// What is wrong with the outcome of an experiment is said.
func TestJudge(t *testing.T) {
	holds := &showing{counted: "20 sent", holds: true}
	fails := &showing{counted: "20 sent", holds: false}
	for _, one := range []struct {
		c      claim
		breaks bool
		says   string
	}{
		{claim{asItIs: holds, changed: fails, without: "ack"}, true, ""},
		{claim{asItIs: holds}, false, ""}, // there is nothing to leave out
		{claim{}, false, "could not be run"},
		{claim{asItIs: &showing{}, without: "ack"}, true, "could not be run"},
		{claim{asItIs: fails, without: "ack"}, false, "did not hold"},
		{claim{asItIs: fails}, false, "did not hold"},
		{claim{asItIs: holds, without: "ack"}, false, "second run, without " +
			"ack, did not come to its end"},
		{claim{asItIs: holds, changed: &showing{}, without: "ack"}, true,
			"did not come to its end"},
		{claim{asItIs: holds, changed: holds, without: "ack"}, false,
			"held in the second run, too"},
		{claim{asItIs: holds, changed: fails, without: "ack"}, false,
			"held in the second run, too"},
	} {
		got := one.c.judge(one.breaks)
		if !strings.Contains(got, one.says) || one.says == "" && got != "" {
			t.Errorf("%+v: it says %q, not %q", one.c, got, one.says)
		}
	}
}

// A page says of a run what its record says, and has its replay and pictures.
func TestKeep(t *testing.T) {
	const program = "pipeline/worker"
	out, err := openFolder(filepath.Join(t.TempDir(), "site"))
	labtest.Must(t, err)
	defer out.drop()
	s := &site{out: out}
	events := []record.Event{
		{Kind: record.Begin, Version: record.Version, Pattern: "pipeline",
			Name: "worker-crash", Claim: "They are lost.", Without: "work"},
		{Kind: record.Say, Text: "something else"},
		{Kind: record.Change, Source: program + "/main.go:70",
			Text: "work()", Become: "0"},
		{Kind: record.Say, Text: "look here"},
		{Kind: record.Start, Process: 1, Program: program, Role: "worker",
			Label: "worker 1", Text: "go run ./pipeline/worker 1"},
		{Kind: record.Start, Process: 2, Program: program, Role: "worker",
			Label: "worker 2", Text: "go run ./pipeline/worker 2"},
		{Kind: record.Start, Process: 3, Program: "pipeline/sink",
			Role: "sink", Label: "sink 7", Text: "go run ./pipeline/sink"},
		{Kind: record.Step, Text: "work", Time: time.Second},
		{Kind: record.Verdict, Text: "20 sent", Time: 2 * time.Second},
		{Kind: record.Outcome, Name: "as it is", Text: "19 sent", Holds: true},
		{Kind: record.Outcome, Name: "with the cure work", Text: "20 sent"},
		{Kind: record.Over, Time: 2 * time.Second},
	}
	show := &showing{path: "pipeline/worker-crash-changed"}
	labtest.Must(t, s.keep(show, events))
	if show.counted != "20 sent" || show.holds || len(show.changes) != 1 ||
		show.Watch() != "Look here." || show.name != "with the cure work" ||
		show.Heading() != "With the cure work" || show.Sign() != "fails" ||
		show.title != "pipeline worker-crash: They are lost. with the cure "+
			"work: 20 sent" ||
		!slices.Equal(show.programs, []string{program, "pipeline/sink"}) {
		t.Errorf("the page is told %+v", show)
	}
	text := map[string]string{}
	for _, end := range []string{".svg", "-dark.svg", ".record.js"} {
		file, err := os.ReadFile(filepath.Join(out.temp, show.path+end))
		labtest.Must(t, err)
		text[end] = string(file)
	}
	if !strings.Contains(text[".svg"], "#ffffff") ||
		strings.Contains(text["-dark.svg"], "#ffffff") ||
		!strings.Contains(text[".svg"], "worker 2</text>") {
		t.Errorf("the pictures are %s and %s", text[".svg"], text["-dark.svg"])
	}
	// Of the sources, a replay has those alone that were changed for it.
	shared := s.shared["pipeline/sources.js"]
	if shared["pipeline/sink/main.go"] == nil ||
		shared[program+"/main.go"] != nil ||
		!strings.Contains(text[".record.js"], `"`+program+`/main.go":[`) ||
		strings.Contains(text[".record.js"], `"pipeline/sink/main.go":[`) {
		t.Errorf("shared are %d files; the record is %.300s", len(shared),
			text[".record.js"])
	}
}
