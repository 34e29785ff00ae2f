package main

import (
	"encoding/xml"
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
		for _, n := range d.nodes {
			if !strings.Contains(svg, ">"+n.label+"</text>") {
				t.Errorf("%s: %s is not drawn", p.folder, n.label)
			}
		}
		if n := strings.Count(svg, "2.6"); n != arrows(d) {
			t.Errorf("%s: %d arrows are drawn of %d", p.folder, n, arrows(d))
		}
		apart(t, p.folder, svg)
	}
}

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
	if len(boxes) < 4 {
		t.Errorf("%s: only %d texts are drawn", name, len(boxes))
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
