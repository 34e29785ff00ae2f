package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture is a plot: its title says what one sees, with the numbers of the
// runs that it shows.
type picture struct {
	name   string
	title  string     // with a %s for each of the comparisons
	times  [][2]point // how many times as much the first one is
	x, y   string
	lines  []line
	bars   []string  // names of the groups; without them it has log axes
	plus   float64   // what is added to x, where 0 has to stand on a log axis
	legend vg.Length // how far from the left it stands
	bottom bool      // it stands there, and not at the top
}

type point struct {
	series string
	at     float64
}

// A line is a series, what it is called, and what it looks like.
type line struct {
	series, name string
	look
}

var pictures = []picture{
	{name: "take-last", plus: 1,
		title: "Among 100,000 others, a take takes the simple space\n" +
			"%s times as long as alone, the indexed one %s times",
		times: [][2]point{{{"take simple ours", 100_000},
			{"take simple ours", 0}}, {{"take indexed ours", 100_000},
			{"take indexed ours", 0}}},
		x: "tuples in the space, with the one that is taken",
		y: "µs to write and take it",
		lines: []line{{"take simple ours", "simple space", second},
			{"take indexed ours", "indexed space", first},
			{"take indexed bare", "ZeroMQ alone", bare}}},
	{name: "wake-up",
		title: "Beside 9,000 that wait, a wake-up takes the simple space\n" +
			"%s times as long as beside 1, the indexed one %s times",
		times: [][2]point{{{"wake simple ours", 9000},
			{"wake simple ours", 1}}, {{"wake indexed ours", 9000},
			{"wake indexed ours", 1}}},
		x: "others that wait for something else",
		y: "µs to wake up",
		lines: []line{{"wake simple ours", "simple space", second},
			{"wake indexed ours", "indexed space", first},
			{"wake indexed bare", "ZeroMQ alone", bare}}},
	{name: "events",
		title: "To 1 subscriber our publisher is %s times as fast\n" +
			"as ZeroMQ alone, to 100 subscribers %s times",
		times: [][2]point{{{"publisher ours", 1}, {"publisher bare", 1}},
			{{"publisher ours", 100}, {"publisher bare", 100}}},
		x: "subscribers", y: "events per second", bottom: true,
		lines: []line{{"publisher ours", "our programs print all", first},
			{"publisher bare", "ZeroMQ alone", bare}}},
	{name: "prefetch",
		title: "With 100 orders in hand our consumer handles %s times\n" +
			"as many as with 1, and %s times the bare library's",
		times: [][2]point{{{"consumer ours", 100}, {"consumer ours", 1}},
			{{"consumer ours", 100}, {"consumer bare", 100}}},
		x: "prefetch: orders in hand, at most", y: "orders per second",
		lines: []line{{"consumer ours", "our consumer prints all", first},
			{"consumer bare", "RabbitMQ's Go client alone", bare}}},
	{name: "confirms",
		title: "100 at a time, our producer has %s times as many\n" +
			"orders confirmed as 1 at a time; the bare library %s",
		times: [][2]point{{{"publish quorum ours", 100},
			{"publish quorum ours", 1}}, {{"publish quorum bare", 100},
			{"publish quorum bare", 1}}},
		x: "orders on their way, not confirmed yet",
		y: "confirmed per second",
		lines: []line{{"publish quorum ours", "our producer", first},
			{"publish quorum bare", "RabbitMQ's Go client alone",
				bare}}},
	{name: "durable", legend: 340, bottom: true,
		title: "1 at a time, a transient queue confirms %s times as\n" +
			"many orders as a quorum queue; 100 at a time %s times",
		times: [][2]point{{{"publish transient bare", 1},
			{"publish quorum bare", 1}}, {{"publish transient bare", 100},
			{"publish quorum bare", 100}}},
		x: "orders on their way, not confirmed yet",
		y: "confirmed per second",
		lines: []line{{"publish quorum bare", "quorum queue", first},
			{"publish classic bare", "durable queue, persistent", second},
			{"publish transient bare", "transient queue", bare}}},
	{name: "curve", legend: 470,
		title: "Encrypted by CURVE, our server replies %s times as\n" +
			"often to one client, %s to 8 clients, %s with 10 kB",
		times: [][2]point{
			{{"server curve ours", 0}, {"server plain ours", 0}},
			{{"server curve ours", 1}, {"server plain ours", 1}},
			{{"server curve ours", 2}, {"server plain ours", 2}}},
		y:    "replies per second",
		bars: []string{"1 client", "8 clients", "1 client, 10 kB"},
		lines: []line{{"server plain ours", "our server", first},
			{"server curve ours", "our server, CURVE", second},
			{"server plain bare", "ZeroMQ alone", bare},
			{"server curve bare", "ZeroMQ, CURVE", pale}}},
}

// drawAll writes every plot into a folder. One whose figures are not all
// there is left out, and what an earlier run has left of it is removed: plots
// beside each other are of one run.
func drawAll(dir string, all []figure) error {
	for _, p := range pictures {
		name := filepath.Join(dir, p.name+".svg")
		svg, err := p.svg(all)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(os.Stderr, "no plot %s: %v\n", p.name, err)
			err = os.Remove(name)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		} else if err == nil {
			err = os.WriteFile(name, svg, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errMissing = errors.New("not all of its figures were measured")

const width, height = 960 * vg.Length(1), 540 * vg.Length(1)

// svg draws a plot.
func (p picture) svg(all []figure) ([]byte, error) {
	title, err := p.sentence(all)
	if err != nil {
		return nil, err
	}
	page := plot.New()
	style(page)
	page.X.Label.Text, page.Y.Label.Text = p.x, p.y
	page.Legend.Top = !p.bottom
	page.Legend.XOffs += p.legend
	if p.bottom {
		page.Legend.YOffs = 16
	}
	if p.bars != nil {
		err = p.addBars(page, all)
	} else {
		err = p.addLines(page, all)
	}
	if err != nil {
		return nil, err
	}
	canvas := vgsvg.New(width, height)
	paper := draw.New(canvas)
	paper.SetColor(color.White)
	paper.Fill(paper.Rectangle.Path())
	page.Draw(draw.Crop(paper, 8, -28, 8, -112))
	head := page.Title.TextStyle
	for i, text := range append(strings.Split(title, "\n"), p.note(all)) {
		if i == 2 {
			head.Font = page.X.Tick.Label.Font
		}
		paper.FillText(head, vg.Point{X: 24, Y: height - 10 - 34*vg.Length(i)},
			text)
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	return finish(out.Bytes(), title)
}

// sentence is the title with its numbers.
func (p picture) sentence(all []figure) (string, error) {
	var words []any
	for _, pair := range p.times {
		above := at(all, pair[0].series, pair[0].at)
		below := at(all, pair[1].series, pair[1].at)
		if len(above) == 0 || len(below) == 0 || median(below) == 0 {
			return "", errMissing
		}
		words = append(words, factor(median(above)/median(below)))
	}
	return fmt.Sprintf(p.title, words...), nil
}

// note says what a point is.
func (p picture) note(all []figure) string {
	first := p.times[0][0]
	n := len(at(all, first.series, first.at))
	if n == 1 {
		return "A single run."
	}
	return fmt.Sprintf("Median of %d runs; the thin bars reach from the "+
		"lowest to the highest.", n)
}

// factor writes how many times as much something is.
func factor(times float64) string {
	switch {
	case times >= 10:
		return grouped(times)
	case times >= 1:
		return fmt.Sprintf("%.1f", times)
	}
	return fmt.Sprintf("%.2f", times)
}

// spreads are points with error bars, from the lowest run to the highest.
type spreads struct {
	plotter.XYs
	plotter.YErrors
}

// points returns a series: the medians, and how far the runs are from them.
// Both axes are measured by scale.
func (p picture) points(all []figure, series string,
	scale func(float64) float64) (runs spreads) {
	for _, f := range all {
		values := at(all, series, f.At)
		if len(values) == 0 || !strings.HasPrefix(series, f.Series+" ") {
			continue
		}
		y := scale(median(values))
		runs.XYs = append(runs.XYs, plotter.XY{X: scale(f.At + p.plus), Y: y})
		runs.YErrors = append(runs.YErrors, struct{ Low, High float64 }{
			y - scale(slices.Min(values)), scale(slices.Max(values)) - y})
	}
	return runs
}

// addLines draws a line for each series, on axes of powers of ten. A series
// of a single point, which does not depend on x, goes from side to side.
func (p picture) addLines(page *plot.Plot, all []figure) error {
	page.X.Tick.Marker, page.Y.Tick.Marker = powers{}, powers{" "}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: pale.color, Width: 1}
	grid.Vertical = grid.Horizontal
	page.Add(grid)
	for _, l := range p.lines {
		runs := p.points(all, l.series, math.Log10)
		if len(runs.XYs) == 0 {
			return errMissing
		}
		bars, err := plotter.NewYErrorBars(runs)
		if err != nil {
			return err
		}
		bars.LineStyle = draw.LineStyle{Color: l.color, Width: 3}
		bars.CapWidth = 24
		if len(runs.XYs) == 1 {
			runs.XYs = plotter.XYs{{X: page.X.Min, Y: runs.XYs[0].Y},
				{X: page.X.Max, Y: runs.XYs[0].Y}}
		}
		curve, dots, err := plotter.NewLinePoints(runs)
		if err != nil {
			return err
		}
		curve.LineStyle = draw.LineStyle{Color: l.color, Width: 5,
			Dashes: l.dashes}
		dots.GlyphStyle = draw.GlyphStyle{Color: l.color, Radius: 8,
			Shape: l.shape}
		page.Add(curve, bars, dots)
		page.Legend.Add(l.name, curve, dots)
	}
	page.X.Max = max(page.X.Max, math.Ceil(page.X.Max-nearly))
	page.Y.Min, page.Y.Max = math.Floor(page.Y.Min), math.Ceil(page.Y.Max)
	return nil
}

// nearly keeps 1,000,000 and the one that is taken from having an axis that
// goes up to 10,000,000.
const nearly = 0.01

// addBars draws groups of bars, one of each series, above their names.
func (p picture) addBars(page *plot.Plot, all []figure) error {
	step := float64(len(p.lines) + 1)
	wide := width * 0.8 / vg.Length(step*float64(len(p.bars)))
	for i, l := range p.lines {
		runs := p.points(all, l.series, func(v float64) float64 { return v })
		if len(runs.XYs) != len(p.bars) {
			return errMissing
		}
		for j := range runs.XYs {
			runs.XYs[j].X = runs.XYs[j].X*step + float64(i)
			bar, err := plotter.NewBarChart(
				plotter.Values{runs.XYs[j].Y}, wide)
			if err != nil {
				return err
			}
			bar.XMin, bar.Color = runs.XYs[j].X, l.color
			bar.LineStyle.Width = 0
			page.Add(bar)
			if j == 0 {
				page.Legend.Add(l.name, bar)
			}
		}
		bars, err := plotter.NewYErrorBars(runs)
		if err != nil {
			return err
		}
		bars.LineStyle = draw.LineStyle{Color: red, Width: 3}
		bars.CapWidth = 24
		page.Add(bars)
	}
	var names []plot.Tick
	for i, name := range p.bars {
		names = append(names, plot.Tick{Label: name,
			Value: float64(i)*step + (step-2)/2})
	}
	page.X.Tick.Marker, page.Y.Tick.Marker = plot.ConstantTicks(names),
		steps{}
	page.X.Tick.Length = 0
	page.X.Min, page.X.Max = -1, step*float64(len(p.bars))-1
	page.Y.Min, page.Y.Max = 0, page.Y.Max*1.04
	return nil
}

// A look is how a series is drawn. The colours differ in how light they are,
// too: so they can be told apart in print without colour, and by who sees no
// colours.
type look struct {
	color  color.Color
	dashes []vg.Length
	shape  draw.GlyphDrawer
}

var (
	first  = look{color.RGBA{G: 60, B: 130, A: 255}, nil, draw.CircleGlyph{}}
	second = look{color.RGBA{R: 240, G: 140, B: 20, A: 255}, nil,
		draw.BoxGlyph{}}
	bare = look{color.RGBA{R: 90, G: 90, B: 90, A: 255},
		[]vg.Length{14, 8}, draw.PyramidGlyph{}}
	pale = look{color.RGBA{R: 185, G: 185, B: 185, A: 255},
		[]vg.Length{4, 8}, draw.TriangleGlyph{}}
	red = color.RGBA{R: 200, A: 255}
)

// style makes what is written large enough for the last row.
func style(page *plot.Plot) {
	sans := func(size vg.Length, weight font.Font) font.Font {
		weight.Typeface, weight.Variant = "Liberation", "Sans"
		weight.Size = size
		return weight
	}
	bold := font.Font{Weight: 2}
	page.Title.TextStyle.Font = sans(27, bold)
	page.Title.TextStyle.XAlign = draw.XLeft
	page.Legend.TextStyle.Font = sans(23, font.Font{})
	page.Legend.ThumbnailWidth = 56
	page.Legend.Padding = 8
	page.Legend.Left, page.Legend.XOffs, page.Legend.YOffs = true, 40, -12
	for _, axis := range []*plot.Axis{&page.X, &page.Y} {
		axis.Label.TextStyle.Font = sans(25, font.Font{})
		axis.Label.Padding = 8
		axis.Tick.Label.Font = sans(22, font.Font{})
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = 2, 2
		axis.Tick.Length, axis.Padding = 8, 8
	}
}

// finish gives the picture a title that readers without eyes hear, and other
// fonts where its own is not installed.
func finish(svg []byte, title string) ([]byte, error) {
	for _, change := range [][2]string{
		{`xlink">`, `xlink" role="img">` + "\n<title>" +
			html.EscapeString(strings.ReplaceAll(title, "\n", " ")) +
			"</title>"},
		{"font-family:Liberation Sans;", "font-family:Liberation Sans," +
			"Arial,Helvetica,sans-serif;"},
	} {
		if !bytes.Contains(svg, []byte(change[0])) {
			return nil, fmt.Errorf("the library's SVG has no %s", change[0])
		}
		svg = bytes.ReplaceAll(svg, []byte(change[0]), []byte(change[1]))
	}
	return svg, nil
}
