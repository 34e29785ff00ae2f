package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"distsys/internal/lab/stage"
)

// A drawing is an SVG picture as it comes to be, in the stage's colours.
type drawing struct {
	colours map[string]string
	lanes   []string
	shapes  strings.Builder
	texts   strings.Builder
	right   float64 // how far it goes
	bottom  float64
}

// Sizes in pixels, as on the stage.
const (
	nodeSize  = 22 // of a text in a node
	labelSize = 19
	nodeHigh  = 62.
	rowGap    = 46.
	margin    = 16.
)

func newDrawing(dark bool) (*drawing, error) {
	colours, lanes, err := stage.Colours(dark)
	return &drawing{colours: colours, lanes: lanes}, err
}

// svg returns the picture as a file.
func (d *drawing) svg(title string) string {
	w, h := math.Ceil(d.right+margin), math.Ceil(d.bottom+margin)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%g" `+
		`height="%g" viewBox="0 0 %g %g" font-family="%s"><title>%s</title>`+
		`<rect width="100%%" height="100%%" fill="%s"/>%s`+
		`<g paint-order="stroke" stroke="%s" stroke-width="4" `+
		`stroke-linejoin="round">%s</g></svg>`+"\n", w, h, w, h,
		"'DejaVu Sans', Verdana, 'Segoe UI', system-ui, sans-serif",
		html.EscapeString(title), d.colours["ground"], &d.shapes,
		d.colours["ground"], &d.texts)
}

// text writes a text whose middle, or other anchor, is at a place.
func (d *drawing) text(x, y float64, size int, anchor, colour, text string) {
	w := stage.WidthOf(text, true) * float64(size)
	left := x - w/2
	if anchor == "start" {
		left = x
	}
	d.right = math.Max(d.right, left+w)
	d.bottom = math.Max(d.bottom, y+float64(size)*.3)
	fmt.Fprintf(&d.texts, `<text x="%.1f" y="%.1f" font-size="%d" `+
		`font-weight="bold" text-anchor="%s" fill="%s">%s</text>`, x, y, size,
		anchor, colour, html.EscapeString(text))
}

// arrow draws a line along some points, with a head at the last.
func (d *drawing) arrow(dashed bool, points ...[2]float64) {
	colour, dash := d.colours["arrow"], ""
	if dashed {
		dash = ` stroke-dasharray="7 5"`
	}
	path := fmt.Sprintf("M%.1f %.1f", points[0][0], points[0][1])
	last := points[0]
	var x, y, bx, by, ux, uy float64 // the tip, its back, the direction
	for _, p := range points[1:] {
		long := math.Hypot(p[0]-last[0], p[1]-last[1])
		if long == 0 {
			continue
		}
		if x != 0 {
			path += fmt.Sprintf("L%.1f %.1f", x, y)
		}
		x, y = p[0], p[1]
		ux, uy = (x-last[0])/long, (y-last[1])/long
		bx, by = x-ux*13, y-uy*13
		last = p
	}
	fmt.Fprintf(&d.shapes, `<path d="%sL%.1f %.1f" stroke="%s" `+
		`stroke-width="2.6" fill="none"%s/><path d="M%.1f %.1fL%.1f %.1f`+
		`L%.1f %.1fZ" fill="%s"/>`, path, bx, by, colour, dash, x, y,
		bx-uy*5.5, by+ux*5.5, bx+uy*5.5, by-ux*5.5, colour)
}

// box draws a node, of which x and y are the middle, in the colour of a lane.
func (d *drawing) box(n *node, x, y, w float64, colour string) {
	left, top := x-w/2, y-nodeHigh/2
	d.right = math.Max(d.right, left+w)
	d.bottom = math.Max(d.bottom, top+nodeHigh)
	paint := fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="3"`,
		d.colours["ground"], colour)
	switch n.shape {
	case "[": // what is kept, as in a queue
		paint = fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="3"`,
			d.colours["area"], colour)
		fmt.Fprintf(&d.shapes, `<path d="M%.1f %.1fv%.1fa%.1f 9 0 0 0 %.1f 0`+
			`v-%.1f" %s/><ellipse cx="%.1f" cy="%.1f" rx="%.1f" ry="9" %s/>`,
			left, top+4, nodeHigh-8, w/2, w, nodeHigh-8, paint, x, top+4, w/2,
			paint)
		y += 6
	case "{": // an exchange
		fmt.Fprintf(&d.shapes, `<path d="M%.1f %.1fl16 %.1fh%.1fl16 -%.1f`+
			`l-16 -%.1fh-%.1fZ" %s/>`, left, y, nodeHigh/2, w-32, nodeHigh/2,
			nodeHigh/2, w-32, paint)
	default:
		fmt.Fprintf(&d.shapes, `<rect x="%.1f" y="%.1f" width="%.1f" `+
			`height="%.1f" rx="%.1f" %s/>`, left, top, w, nodeHigh, nodeHigh/2,
			paint)
	}
	d.text(x, y+nodeSize*.36, nodeSize, "middle", colour, n.label)
}

// draw draws a diagram.
func (g *diagram) draw(dark bool, title string) (string, error) {
	d, err := newDrawing(dark)
	if err != nil {
		return "", err
	}
	if g.sequence {
		g.drawSequence(d)
	} else {
		g.drawFlow(d)
	}
	return d.svg(title), nil
}

// drawSequence draws as the stage does: a lane for each, time runs to the
// right.
func (g *diagram) drawSequence(d *drawing) {
	left := 0.
	for _, n := range g.nodes {
		left = math.Max(left, stage.WidthOf(n.label, true)*nodeSize)
	}
	left += 2 * margin
	rows := map[*node]float64{}
	for i, n := range g.nodes {
		rows[n] = 50 + float64(i)*120
		d.text(margin, rows[n]+nodeSize*.36, nodeSize, "start", d.lanes[i],
			n.label)
	}
	var bars strings.Builder
	x := left + 20
	for _, e := range g.edges {
		wide := stage.WidthOf(e.label, true) * labelSize
		y1, y2 := rows[e.from], rows[e.to]
		if e.from == e.to { // what it does
			fmt.Fprintf(&bars, `<rect x="%.1f" y="%.1f" width="%.1f" `+
				`height="34" rx="3" fill="%s"/><text x="%.1f" y="%.1f" `+
				`font-size="%d" font-weight="bold" fill="%s">%s</text>`,
				x, y1-17, wide+24, d.laneOf(g, e.from), x+12,
				y1+labelSize*.36, labelSize, d.colours["onbar"],
				html.EscapeString(e.label))
			x += wide + 34
			continue
		}
		sign := 1.
		if y2 < y1 {
			sign = -1
		}
		d.arrow(false, [2]float64{x, y1 + sign*4},
			[2]float64{x + 34, y2 - sign*3})
		d.text(x+30, (y1+y2)/2+labelSize*.36, labelSize, "start",
			d.colours["text"], e.label)
		x += math.Max(44, wide+48)
	}
	lines := ""
	for _, n := range g.nodes {
		lines += fmt.Sprintf(`<path d="M%.1f %.1fH%.1f" stroke="%s" `+
			`stroke-width="4"/>`, left, rows[n], x, d.laneOf(g, n))
		d.bottom = math.Max(d.bottom, rows[n]+20)
	}
	d.right = math.Max(d.right, x)
	arrows := d.shapes.String()
	d.shapes.Reset()
	d.shapes.WriteString(lines + bars.String() + arrows)
}

func (d *drawing) laneOf(g *diagram, n *node) string {
	for i, other := range g.nodes {
		if other == n {
			return d.lanes[i%len(d.lanes)]
		}
	}
	return d.colours["text"]
}
