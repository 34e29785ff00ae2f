package stage_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	"distsys/internal/lab/record"
	"distsys/internal/lab/stage"
)

// What is drawn without a browser is what a browser draws.
func (p *tab) samePicture(events []record.Event) {
	p.t.Helper()
	fresh := eval[string](p, "picture()")
	svg, err := stage.Picture(stage.Frames(events, lab.SourceText),
		stage.Usual, "a <title>")
	labtest.Must(p.t, err)
	want, got := shapeOf(p.t, fresh), shapeOf(p.t, svg)
	if !maps.Equal(want, got) {
		p.t.Errorf("without a browser the picture has %v, not %v", got, want)
	}
	if !strings.Contains(svg, "><title>a &lt;title&gt;</title>") {
		p.t.Errorf("the picture has no title: %.200s", svg)
	}
}

// The widths of texts are those that a browser measures.
func TestWidthsOfTexts(t *testing.T) {
	t.Parallel()
	p := replay(t, synthetic(2, 3))
	if !eval[bool](p, `["DejaVu Sans", "Verdana"].some(name => {
		const wide = font => { ruler.font = "100px " + font;
			return ruler.measureText("iii").width; };
		return wide("'" + name + "', monospace") !== wide("monospace");
	})`) {
		t.Skip("this machine has neither DejaVu Sans nor Verdana")
	}
	for _, text := range []string{"worker slow", "no reply (try 1 of 1000)",
		"20 messages: 0 1 2", "WwMm@%|il[]{}~^", "11 goes back …"} {
		quoted, err := json.Marshal(text)
		labtest.Must(t, err)
		for _, bold := range []string{"true", "false"} {
			want := eval[float64](p, "widthOf("+string(quoted)+", 1, "+bold+
				")")
			got := stage.WidthOf(text, bold == "true")
			if math.Abs(got-want) > .03*want {
				t.Errorf("%q is %.2f wide, a browser says %.2f", text, got,
					want)
			}
		}
	}
}

// The colours are the page's.
func TestColours(t *testing.T) {
	t.Parallel()
	p := replay(t, synthetic(2, 3))
	for theme, dark := range map[string]bool{"light": false, "dark": true} {
		named, lanes, err := stage.Colours(dark)
		labtest.Must(t, err)
		want := eval[map[string]any](p, "themes."+theme)
		if len(lanes) != len(want["lanes"].([]any)) ||
			lanes[1] != want["lanes"].([]any)[1] {
			t.Errorf("%s: the lanes are %q", theme, lanes)
		}
		delete(want, "lanes")
		if len(named) != len(want) || named["ground"] != want["ground"] {
			t.Errorf("%s: the colours are %q, not %q", theme, named, want)
		}
	}
}

// A replay keeps no more than it shows: not every line's label, not the end
// of a line that is too long.
func TestReplayIsShort(t *testing.T) {
	t.Parallel()
	events := synthetic(1, 2)
	long := strings.Repeat("0123456789", 40)
	events = slices.Insert(events, len(events)-1, record.Event{
		Kind: record.Print, Process: 2, Role: "worker", Label: "worker 9",
		Text: "worker 9: " + long, Time: events[len(events)-1].Time})
	text, err := json.Marshal(stage.Frames(events, lab.SourceText))
	labtest.Must(t, err)
	if strings.Contains(string(text), long) ||
		!strings.Contains(string(text), "worker 9: "+long[:100]) {
		t.Error("a line that is too long is not cut off, or too early")
	}
	// When the process starts; with its new label, and in its lane.
	for label, n := range map[string]int{"worker 0": 1, "worker 9": 2} {
		if got := strings.Count(string(text), `"label":"`+label+`"`); got != n {
			t.Errorf("the label %q is kept %d times", label, got)
		}
	}
	p := replay(t, events)
	if got := eval[string](p, `[...model.processes.values()].map(p =>
		p.label).join(", ")`); got != "pusher 1001, worker 9" {
		t.Errorf("the processes are %s", got)
	}
}

// A crowd of clients that come and go, hundreds in a second, is no more than
// can be seen of it.
func TestPictureOfManyClients(t *testing.T) {
	t.Parallel()
	const many = 1500
	events := []record.Event{{Kind: record.Begin, Version: record.Version,
		Pattern: "tuple_spaces"}}
	add := func(n int, e record.Event) {
		e.Process = n
		e.Time = time.Duration(len(events)) * time.Millisecond
		events = append(events, e)
	}
	add(1, record.Event{Kind: record.Start, Program: "tuple_spaces/server",
		Role: "server", Label: "server 7", PID: 7,
		Text: "go run ./tuple_spaces/server"})
	for n := range many {
		add(n+2, record.Event{Kind: record.Start, Role: "client",
			Program: "tuple_spaces/client", Label: "client 9", PID: 9,
			Text: "go run ./tuple_spaces/client tryread temp"})
		add(n+2, record.Event{Kind: record.Mute})
		add(n+2, record.Event{Kind: record.End})
	}
	add(0, record.Event{Kind: record.Over})
	run := stage.Frames(events, lab.SourceText)
	svg, err := stage.Picture(run, stage.Usual, "")
	labtest.Must(t, err)
	if n := strings.Count(svg, "<line") + strings.Count(svg, "<circle"); n <
		100 || n > 1300 {
		t.Errorf("of %d clients %d lines are drawn", many, n)
	}
	if n := strings.Count(svg, `class="life"`); n != 2 {
		t.Errorf("%d lives are drawn: the server's, and one of all clients", n)
	}
	var script strings.Builder
	labtest.Must(t, stage.WriteRecord(&script, run))
	if strings.Contains(script.String(), `"mute"`) {
		t.Error("what no page shows is kept")
	}
	if script.Len() > 200*many {
		t.Errorf("%d clients take %d bytes", many, script.Len())
	}
}
