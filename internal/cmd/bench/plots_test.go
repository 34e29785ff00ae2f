package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kept reads the figures of a real run.
func kept(t *testing.T) (all []figure) {
	t.Helper()
	text, err := os.ReadFile("testdata/figures.json")
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An SVG as a reader gets it: its title, all text in the picture, and how
// often each style is used.
type seen struct {
	title  string
	texts  []string
	styles map[string]int
}

// read reads an SVG, which has to be well-formed.
func read(t *testing.T, name string) (s seen) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s.styles = map[string]int{}
	in := ""
	for decoder := xml.NewDecoder(file); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			return s
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local
			for _, attribute := range token.Attr {
				if attribute.Name.Local == "style" {
					s.styles[attribute.Value]++
				}
			}
		case xml.CharData:
			switch in {
			case "title":
				s.title += strings.TrimSpace(string(token))
			case "text":
				s.texts = append(s.texts, string(token))
			}
		case xml.EndElement:
			in = ""
		}
	}
}

// What each plot says of the run in testdata, and some of what stands beside
// its axes.
var expected = map[string]struct {
	title string
	texts []string
}{
	"take-last": {"Among 100,000 others, a take takes the simple space " +
		"21 times as long as alone, the indexed one 1.0 times",
		[]string{"1", "10", "1,000,000", "100 ", "10,000 "}},
	"wake-up": {"Beside 9,000 that wait, a wake-up takes the simple " +
		"space 3.6 times as long as beside 1, the indexed one 1.1 times",
		[]string{"1", "1,000", "10,000", "100 ", "1,000 "}},
	"events": {"To 1 subscriber our publisher is 0.21 times as fast as " +
		"ZeroMQ alone, to 100 subscribers 0.48 times",
		[]string{"1", "10", "100", "1,000,000 "}},
	"prefetch": {"With 100 orders in hand our consumer handles 14 times " +
		"as many as with 1, and 0.58 times the bare library's",
		[]string{"1", "1,000", "1,000 ", "100,000 "}},
	"confirms": {"100 at a time, our producer has 18 times as many " +
		"orders confirmed as 1 at a time; the bare library 23",
		[]string{"1", "1,000", "100 ", "100,000 "}},
	"durable": {"1 at a time, a transient queue confirms 5.0 times as " +
		"many orders as a quorum queue; 100 at a time 1.3 times",
		[]string{"1", "1,000", "100 ", "100,000 "}},
	"curve": {"Encrypted by CURVE, our server replies 0.82 times as " +
		"often to one client, 0.60 to 8 clients, 1.2 with 10 kB",
		[]string{"1 client", "8 clients", "1 client, 10 kB", "0 ",
			"10,000 ", "20,000 "}},
}

// Each plot has its sentence, with the numbers of the run; names and units on
// its axes; and a legend for each of its series.
func TestPlots(t *testing.T) {
	dir := t.TempDir()
	if err := drawAll(dir, kept(t)); err != nil {
		t.Fatal(err)
	}
	if len(pictures) != len(expected) {
		t.Errorf("there are %d plots, and %d are looked at", len(pictures),
			len(expected))
	}
	for _, p := range pictures {
		shown := read(t, filepath.Join(dir, p.name+".svg"))
		if shown.title != expected[p.name].title {
			t.Errorf("%s: its title is %q", p.name, shown.title)
		}
		texts := append(expected[p.name].texts,
			strings.Split(p.title, "\n")[0][:4], p.x, p.y, "Median of 3 runs")
		for _, l := range p.lines {
			texts = append(texts, l.name)
		}
		for _, text := range texts {
			if text != "" && !slices.ContainsFunc(shown.texts,
				func(s string) bool { return strings.HasPrefix(s, text) }) {
				t.Errorf("%s: nothing reads %q", p.name, text)
			}
		}
	}
}

// Each bar, and each dot, is there once for its point, and once in the legend;
// and each point has its spread, a line with two ends. Whatever is written can
// be written in a font that is there.
func TestEveryPointIsDrawn(t *testing.T) {
	dir := t.TempDir()
	all := kept(t)
	if err := drawAll(dir, all); err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		shown := read(t, filepath.Join(dir, p.name+".svg"))
		spreads := 0
		for style, n := range shown.styles {
			if strings.HasSuffix(style, ";stroke-width:3") {
				spreads += n
			}
			if strings.HasPrefix(style, "font-family:") &&
				!strings.Contains(style, "Arial,Helvetica,sans-serif;") {
				t.Errorf("%s: text is written in %s", p.name, style)
			}
		}
		for _, l := range p.lines {
			points := len(p.points(all, l.series, math.Log10).XYs)
			spreads -= 3 * points
			if points == 1 {
				points = 2 // at both ends of its line
			}
			if n := shown.styles[fillOf(l.look)]; n != points+1 {
				t.Errorf("%s: %s has %d marks for %d points", p.name, l.name,
					n, points)
			}
		}
		if spreads != 0 {
			t.Errorf("%s: %d strokes of spreads too many", p.name, spreads)
		}
	}
}

// fillOf is the style that the library gives what it fills in that colour.
func fillOf(l look) string {
	r, g, b, _ := l.color.RGBA()
	const digits = "0123456789ABCDEF"
	text := []byte("fill:#")
	for _, c := range []uint32{r, g, b} {
		text = append(text, digits[c>>12], digits[c>>8&15])
	}
	return string(text)
}

// A point is the median, and its bar reaches from the lowest run to the
// highest; zero stands at one, on an axis of powers.
func TestPoints(t *testing.T) {
	all := []figure{
		{Ours: []float64{100, 1000, 10}, place: place{"s", 0}},
		{Ours: []float64{5}, place: place{"s", 99}},
		{Ours: []float64{7}, Bare: []float64{8}, place: place{"other s", 1}},
		{Failed: true, place: place{"s", 5}},
		{Ours: []float64{9}},
	}
	same := func(v float64) float64 { return v }
	p := picture{plus: 1}
	got := p.points(all, "s ours", math.Log10)
	if len(got.XYs) != 2 || got.XYs[0].X != 0 || got.XYs[0].Y != 2 ||
		got.XYs[1].X != 2 || got.YErrors[0].Low != 1 ||
		got.YErrors[0].High != 1 || got.YErrors[1].Low != 0 {
		t.Errorf("the points are %v", got)
	}
	got = p.points(all, "s ours", same)
	if got.YErrors[0].Low != 90 || got.YErrors[0].High != 900 {
		t.Errorf("the bar reaches %v", got.YErrors[0])
	}
	if got := p.points(all, "other s bare", same); len(got.XYs) != 1 ||
		got.XYs[0].Y != 8 {
		t.Errorf("the bare ones are %v", got)
	}
}

// Without one of its figures a plot is not drawn, and that of an earlier run
// is removed; the others are drawn.
func TestMissingFigures(t *testing.T) {
	dir := t.TempDir()
	all := kept(t)
	if err := drawAll(dir, all); err != nil {
		t.Fatal(err)
	}
	for _, series := range []string{"consumer", "server curve"} {
		all = slices.DeleteFunc(all, func(f figure) bool {
			return f.Series == series
		})
	}
	for _, dir := range []string{dir, t.TempDir()} {
		if err := drawAll(dir, all); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pictures {
		_, err := os.Stat(filepath.Join(dir, p.name+".svg"))
		gone := p.name == "prefetch" || p.name == "curve"
		if errors.Is(err, fs.ErrNotExist) != gone {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

// Whatever is plotted is a row of the table.
func TestEveryPlotHasItsFigures(t *testing.T) {
	var all []figure
	for _, g := range groups {
		for _, r := range g.rows {
			f := figure{place: r.place}
			if r.ours != "" {
				f.Ours = []float64{1, 2, 3}
			}
			if r.bare != "" {
				f.Bare = []float64{1, 2, 3}
			}
			all = append(all, f)
		}
	}
	for _, p := range pictures {
		if _, err := p.svg(all); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

// A folder that cannot be written is refused before anything is measured, in
// one line.
func TestNoFolderForPlots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { *plots, *from = "", "" }()
	*from = "nothing is read"
	for _, dir := range []string{file, filepath.Join(file, "plots"),
		"/proc"} {
		*plots = dir
		err := bench(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "-plots: ") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("-plots %s: %v", dir, err)
		}
	}
}

// The table for the README of the tuple spaces.
func TestGrowth(t *testing.T) {
	const want = `
| to write a tuple and take it, of so many others | simple | indexed |
|---|---|---|
| 0 | 220 µs | 220 µs |
| 1,000 | 244 µs | 204 µs |
| 10,000 | 407 µs | 220 µs |
| 100,000 | 4,642 µs | 221 µs |

| to wake one that waits, beside so many others | simple | indexed |
|---|---|---|
| 1 | 201 µs | 200 µs |
| 10 | 199 µs | 207 µs |
| 100 | 205 µs | 203 µs |
| 1,000 | 256 µs | 206 µs |
`
	if got := growth(kept(t)); got != want {
		t.Errorf("it is%s", got)
	}
	if got := growth(nil); strings.Count(got, "not measured") != 16 {
		t.Errorf("of nothing it is%s", got)
	}
}

func TestTicks(t *testing.T) {
	var labels []string
	for _, tick := range (powers{}).Ticks(1.9, 4) {
		if tick.Label != "" {
			labels = append(labels, tick.Label)
		}
	}
	if !slices.Equal(labels, []string{"100", "1,000", "10,000"}) {
		t.Errorf("powers: %q", labels)
	}
	for max, n := range map[float64]int{29_000: 6, 99_000: 5, 12_000: 7,
		60: 4, 45: 5} {
		if got := len((steps{}).Ticks(0, max)); got != n {
			t.Errorf("up to %v there are %d steps, not %d", max, got, n)
		}
	}
}
