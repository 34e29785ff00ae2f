package main

import (
	"math"
	"slices"

	"distsys/internal/lab/stage"
)

// A spot is where a node of a flow stands.
type spot struct {
	column, row int
	x, y, w     float64 // its middle, and how wide it is
}

// layOut gives each node of a flow its spot: as many columns to the right as
// it takes messages to come there.
func (g *diagram) layOut() map[*node]*spot {
	spots := map[*node]*spot{}
	put := func(n *node, column int) {
		if spots[n] == nil {
			spots[n] = &spot{column: column,
				w: stage.WidthOf(n.label, true)*nodeSize + 44}
		}
	}
	for _, e := range g.edges {
		put(e.from, 0)
		put(e.to, spots[e.from].column+1)
	}
	columns := map[int][]*spot{}
	for _, n := range g.nodes {
		s := spots[n]
		s.row = len(columns[s.column])
		columns[s.column] = append(columns[s.column], s)
	}
	most := 0
	for _, column := range columns {
		most = max(most, len(column))
	}
	x := margin
	for i := 0; i < len(columns); i++ {
		wide := 0.
		for _, s := range columns[i] {
			wide = math.Max(wide, s.w)
		}
		for _, s := range columns[i] {
			s.x = x + s.w/2
			free := float64(most-len(columns[i])) / 2
			s.y = margin + nodeHigh/2 + (float64(s.row)+free)*
				(nodeHigh+rowGap)
		}
		x += wide + g.gapAfter(i, spots)
	}
	return spots
}

// gapAfter returns how much room the labels need behind a column.
func (g *diagram) gapAfter(column int, spots map[*node]*spot) float64 {
	wide := 0.
	for _, e := range g.edges {
		if min(spots[e.from].column, spots[e.to].column) == column {
			wide = math.Max(wide, stage.WidthOf(e.label, true)*labelSize)
		}
	}
	return wide + bend + 50
}

// bend is how long an arrow may be aslant; then it goes on straight, below
// its label.
const bend = 60.

func (g *diagram) drawFlow(d *drawing) {
	spots := g.layOut()
	for _, e := range g.edges {
		g.drawEdge(d, e, spots)
	}
	for i, n := range g.nodes {
		s := spots[n]
		d.box(n, s.x, s.y, s.w, d.lanes[i%len(d.lanes)])
	}
}

// drawEdge draws an arrow, and its label at the end where fewer are.
func (g *diagram) drawEdge(d *drawing, e edge, spots map[*node]*spot) {
	left, right, back := e.from, e.to, false
	if spots[right].column < spots[left].column {
		left, right, back = right, left, true
	}
	aside := 0. // there and back are beside each other
	if g.hasBack(e) {
		aside = -15
		if back {
			aside = 15
		}
	}
	a, b := spots[left], spots[right]
	x1, y1 := a.x+a.w/2, a.y+aside
	x2, y2 := b.x-b.w/2, b.y+aside
	from, to, y := x1, x2, y1 // between which it is straight
	switch many := g.degree(left, b.column, spots) -
		g.degree(right, a.column, spots); {
	case many > 0:
		from, y = x1+bend, y2
	case many < 0:
		to = x2 - bend
	}
	points := [][2]float64{{x1, y1}, {from, y}, {to, y}, {x2, y2}}
	if back {
		slices.Reverse(points)
	}
	d.arrow(e.dashed, points...)
	label := y - 8
	if back {
		label = y + 8 + labelSize*.76
	}
	d.text((from+to)/2, label, labelSize, "middle", d.colours["text"], e.label)
}

// degree returns to how many nodes of a column a node is joined.
func (g *diagram) degree(n *node, column int, spots map[*node]*spot) int {
	others := map[*node]bool{}
	for _, e := range g.edges {
		if e.from == n && spots[e.to].column == column {
			others[e.to] = true
		} else if e.to == n && spots[e.from].column == column {
			others[e.from] = true
		}
	}
	return len(others)
}

// hasBack says whether there is an edge between the same two the other way.
func (g *diagram) hasBack(e edge) bool {
	for _, other := range g.edges {
		if other.from == e.to && other.to == e.from {
			return true
		}
	}
	return false
}
