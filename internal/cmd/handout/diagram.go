package main

import (
	"fmt"
	"regexp"
	"strings"
)

// The diagrams of the READMEs are written in the language of Mermaid, which
// draws them on the web with a script of some megabytes. What these few
// diagrams need of it is read here: a flow of messages between nodes, or a
// sequence of messages between two.

// A diagram is what a README draws.
type diagram struct {
	sequence bool
	nodes    []*node
	edges    []edge // with a sequence, in its order
}

type node struct {
	name, label string
	shape       string // "(": a process, "[": what is kept, "{": an exchange
}

type edge struct {
	from, to *node // the same: a note on what it does
	label    string
	dashed   bool
}

// node returns the node of a name, which is made if it is new.
func (d *diagram) node(name string) *node {
	for _, n := range d.nodes {
		if n.name == name {
			return n
		}
	}
	n := &node{name: name, label: name, shape: "("}
	d.nodes = append(d.nodes, n)
	return n
}

var (
	participant = regexp.MustCompile(`^participant (\w+)(?: as (.*))?$`)
	note        = regexp.MustCompile(`^Note over (\w+): (.*)$`)
	message     = regexp.MustCompile(`^(\w+)->>(\w+): (.*)$`)
	arrow       = regexp.MustCompile(`^(.+?) (-->|-\.->)(?:\|(.*?)\|)? (.+)$`)
	place       = regexp.MustCompile(
		`^(\w+)(?:\(\[(.*)\]\)|\[\((.*)\)\]|\{\{(.*)\}\})?$`)
)

// parse reads a diagram.
func parse(text string) (*diagram, error) {
	d := &diagram{}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case i == 0 && line == "sequenceDiagram":
			d.sequence = true
			continue
		case i == 0 && line == "flowchart LR":
			continue
		case i == 0:
			return nil, fmt.Errorf("a diagram of an unknown kind: %s", line)
		}
		read := d.flowLine
		if d.sequence {
			read = d.sequenceLine
		}
		if !read(line) {
			return nil, fmt.Errorf("a diagram has a line that is not "+
				"understood: %s", line)
		}
	}
	return d, nil
}

func (d *diagram) sequenceLine(line string) bool {
	if m := participant.FindStringSubmatch(line); m != nil {
		n := d.node(m[1])
		if m[2] != "" {
			n.label = m[2]
		}
		return true
	}
	if m := note.FindStringSubmatch(line); m != nil {
		n := d.node(m[1])
		d.edges = append(d.edges, edge{from: n, to: n, label: m[2]})
		return true
	}
	m := message.FindStringSubmatch(line)
	if m != nil {
		d.edges = append(d.edges, edge{from: d.node(m[1]), to: d.node(m[2]),
			label: m[3]})
	}
	return m != nil
}

func (d *diagram) flowLine(line string) bool {
	m := arrow.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	from, to := d.place(m[1]), d.place(m[4])
	if from == nil || to == nil {
		return false
	}
	d.edges = append(d.edges, edge{from: from, to: to,
		label: strings.Trim(m[3], `"`), dashed: m[2] == "-.->"})
	return true
}

// place reads one end of an arrow: the name of a node, and the first time
// its label in the brackets that say what it is.
func (d *diagram) place(text string) *node {
	m := place.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	n := d.node(m[1])
	for i, shape := range []string{"(", "[", "{"} {
		if m[2+i] != "" {
			n.label, n.shape = m[2+i], shape
		}
	}
	return n
}
