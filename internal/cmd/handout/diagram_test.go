package main

import (
	"encoding/xml"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
	"distsys/internal/lab/stage"
)

// Every diagram of the READMEs is understood, and drawn so that no text is on
// another or over the edge.
func TestDiagramsOfTheReadmes(t *testing.T) {
	all, err := known()
	labtest.Must(t, err)
	for _, p := range all {
		found := mermaid.FindAllStringSubmatch(p.readme, -1)
		if len(found) != 1 {
			t.Errorf("%s has %d diagrams", p.folder, len(found))
			continue
		}
		d, err := parse(found[0][1])
		labtest.Must(t, err)
		svg, err := d.draw(false, p.title)
		labtest.Must(t, err)
		if dir := os.Getenv("HANDOUT_SHOTS"); dir != "" {
			labtest.Must(t, os.WriteFile(filepath.Join(dir, p.folder+".svg"),
				[]byte(svg), 0o600))
		}
		var any struct{}
		labtest.Must(t, xml.Unmarshal([]byte(svg), &any))
		for _, label := range marks.Split(found[0][1], -1) {
			text := html.EscapeString(strings.TrimSpace(label))
			if strings.Contains(text, " ") &&
				!strings.Contains(svg, ">"+text+"</text>") {
				t.Errorf("%s: %s is not drawn", p.folder, text)
			}
		}
		if n := strings.Count(svg, "2.6"); n != arrows(d) {
			t.Errorf("%s: %d arrows are drawn of %d", p.folder, n, arrows(d))
		}
		apart(t, p.folder, svg)
	}
}

// marks are what stands between the names and the labels of a diagram.
var marks = regexp.MustCompile(`--?>>?|-\.->|\|"?|"\||[([{][([{]|[)}\]][)}\]]|` +
	`\n|: | as |Note over |participant |flowchart LR`)

func arrows(d *diagram) (n int) {
	for _, e := range d.edges {
		if e.from != e.to {
			n++
		}
	}
	return n
}

var drawnText = regexp.MustCompile(`<text x="([0-9.]+)" y="([0-9.]+)" ` +
	`font-size="(\d+)" font-weight="bold" (?:text-anchor="(\w+)" )?` +
	`fill="#\w+">([^<]*)<`)

var (
	drawnArrow = regexp.MustCompile(`<path d="(M[^"]*)" [^>]*"2\.6"`)
	drawnPoint = regexp.MustCompile(`[ML]([0-9.]+) ([0-9.]+)`)
)

// apart checks that the texts of a picture stand apart from each other.
func apart(t *testing.T, name, svg string) {
	t.Helper()
	type box struct {
		text                   string
		left, right, top, base float64
	}
	var boxes []box
	number := func(text string) float64 {
		n, err := strconv.ParseFloat(text, 64)
		labtest.Must(t, err)
		return n
	}
	whole := regexp.MustCompile(`width="(\d+)"`).FindStringSubmatch(svg)
	for _, m := range drawnText.FindAllStringSubmatch(svg, -1) {
		x, y, size := number(m[1]), number(m[2]), number(m[3])
		wide := stage.WidthOf(m[5], true) * size
		if m[4] == "middle" {
			x -= wide / 2
		}
		b := box{m[5], x, x + wide, y - size*.75, y}
		if b.left < 0 || b.right > number(whole[1]) {
			t.Errorf("%s: %s is cut off", name, b.text)
		}
		for _, o := range boxes {
			if b.left < o.right && o.left < b.right && b.top < o.base &&
				o.top < b.base {
				t.Errorf("%s: %s stands on %s", name, b.text, o.text)
			}
		}
		boxes = append(boxes, b)
	}
	var runs [][3]float64 // how arrows go straight: y, from, to
	for _, m := range drawnArrow.FindAllStringSubmatch(svg, -1) {
		points := drawnPoint.FindAllStringSubmatch(m[1], -1)
		for i, p := range points[1:] {
			x, y := number(points[i][1]), number(p[2])
			if points[i][2] == p[2] {
				runs = append(runs, [3]float64{y, min(x, number(p[1])),
					max(x, number(p[1]))})
			}
		}
	}
	for i, r := range runs {
		for _, o := range runs[:i] {
			if r[0] == o[0] && r[1] < o[2] && o[1] < r[2] {
				t.Errorf("%s: an arrow is on another: %v, %v", name, r, o)
			}
		}
		for _, b := range boxes {
			if b.top < r[0] && r[0] < b.base && b.left < r[2] &&
				r[1] < b.right {
				t.Errorf("%s: an arrow goes through %s", name, b.text)
			}
		}
	}
	if len(boxes) < 4 {
		t.Errorf("%s: only %d texts are drawn", name, len(boxes))
	}
}

// What goes there has its label above it, what comes back has it below.
func TestDiagramThereAndBack(t *testing.T) {
	d, err := parse("flowchart LR\na([here]) -->|go| b[(there)]\n" +
		"b -->|come| a")
	labtest.Must(t, err)
	svg, err := d.draw(false, "there and back")
	labtest.Must(t, err)
	y := map[string]float64{}
	for _, m := range drawnText.FindAllStringSubmatch(svg, -1) {
		y[m[5]], err = strconv.ParseFloat(m[2], 64)
		labtest.Must(t, err)
	}
	if y["go"]+60 > y["come"] || y["go"] == 0 || strings.Count(svg,
		"<ellipse") != 1 {
		t.Errorf("the labels are at %v in %s", y, svg)
	}
}

// A diagram that is not understood is not left out without a word.
func TestDiagramThatIsNotUnderstood(t *testing.T) {
	for _, text := range []string{"pie\n", "flowchart LR\na --- b",
		"flowchart LR\na>x] --> b", "sequenceDiagram\nloop a"} {
		if d, err := parse(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}
