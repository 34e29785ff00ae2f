package main

import (
	"fmt"
	"html/template"
	"path"
	"slices"
	"strconv"
	"strings"

	"distsys/internal/lab"
	"distsys/internal/lab/record"
)

// A listing is a program's source on a page, with lines that are marked.
type listing struct {
	File  string
	At    string // its own page
	Lines []line
}

type line struct {
	Number int
	At     string // its id on the page
	Text   template.HTML
	Mark   string // what is left out with it; "": nothing
	Chosen bool   // it is left out in the run that is shown
}

// Of a long file, only what is around the lines that are marked is shown on
// the page of a claim.
const (
	longFile = 160
	around   = 20
)

// Parts returns what is shown of the file, the marked lines among it.
func (l *listing) Parts() (parts [][]line) {
	if len(l.Lines) <= longFile {
		return [][]line{l.Lines}
	}
	end := 0 // of what is shown so far
	for i, one := range l.Lines {
		if one.Mark == "" {
			continue
		}
		from, to := max(i-around, 0), min(i+around, len(l.Lines))
		if len(parts) > 0 && from <= end {
			last := &parts[len(parts)-1]
			*last = append(*last, l.Lines[end:max(to, end)]...)
		} else {
			parts = append(parts, slices.Clone(l.Lines[from:to]))
		}
		end = max(to, end)
	}
	return parts
}

// A choice is a line that could be left out, too.
type choice struct {
	lab.Line
	Command string
	Chosen  bool
}

// claimPages writes a page for each claim.
func (s *site) claimPages() error {
	for _, p := range s.patterns {
		all := p.claims()
		for i, c := range all {
			more := map[string]any{"Claim": c, "Choices": c.choices(),
				"Sources": s.programsOf(c)}
			if i > 0 {
				more["Previous"] = all[i-1]
			}
			if i < len(all)-1 {
				more["Next"] = all[i+1]
			}
			var err error
			more["Changes"], more["Listings"], err = s.marked(c)
			if err != nil {
				return err
			}
			err = s.page("claim.html", view{At: c.At(), Title: c.text, Here: p,
				More: more})
			if err != nil {
				return err
			}
			home := "Back to: " + c.name
			if err := s.replay(c.asItIs, c.At(), home); err != nil {
				return err
			}
			if err := s.replay(c.changed, c.At(), home); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *claim) choices() (all []choice) {
	for _, line := range c.lines {
		all = append(all, choice{line, "go run ./" + c.folder +
			"/run -without " + line.Name + " " + c.name,
			line.Name == c.without})
	}
	return all
}

// A change is one that was made for the second run.
type change struct {
	File     string
	At       string // the id of the line, on the page
	Number   int
	Was, Now []string
}

// marked returns the changes of the second run, and the files that they are
// in, marked.
func (s *site) marked(c *claim) (changes []change, listings []*listing,
	err error) {
	if c.changed == nil {
		return nil, nil, nil
	}
	var names []string
	for _, e := range c.changed.changes {
		changes = append(changes, newChange(e))
		file, _, _ := strings.Cut(e.Source, ":")
		names = appendNew(names, file)
	}
	for i, name := range names {
		one, err := s.listing(name)
		if err != nil {
			return nil, nil, err
		}
		for n := range one.Lines { // the same line may be of two files
			one.Lines[n].At = fmt.Sprintf("F%d", i+1) + one.Lines[n].At
		}
		for n := range changes {
			if changes[n].File == name {
				changes[n].At = one.Lines[changes[n].Number-1].At
			}
		}
		one.mark(c)
		listings = append(listings, &one)
	}
	return changes, listings, nil
}

func newChange(e record.Event) change {
	file, number, _ := strings.Cut(e.Source, ":")
	n, _ := strconv.Atoi(number)
	return change{File: file, Number: n, Was: split(e.Text),
		Now: split(e.Become)}
}

// split returns the lines of a part of a program, as far to the left as
// they go.
func split(text string) []string {
	if text == "" {
		return nil
	}
	text = strings.ReplaceAll(strings.Trim(text, "\n"), "\t", "    ")
	lines := strings.Split(text, "\n")
	indent := len(text)
	for i, line := range lines {
		inside := len(line) - len(strings.TrimLeft(line, " "))
		if inside < len(line) && (i > 0 || inside > 0 || len(lines) == 1) {
			indent = min(indent, inside)
		}
	}
	for i, line := range lines {
		lines[i] = line[min(indent, len(line)-len(strings.TrimLeft(line,
			" "))):]
	}
	return lines
}

// mark marks the lines of a file that an experiment leaves out: those of the
// run that is shown, and where else one could be left out.
func (l *listing) mark(c *claim) {
	for _, other := range c.lines {
		at := -1
		for i, line := range l.text() {
			if other.File == l.File && strings.Contains(line, other.Text) {
				if at >= 0 {
					at = -1 // it cannot be told which one it is
					break
				}
				at = i
			}
		}
		if at >= 0 {
			l.Lines[at].add(other.Name, other.Name == c.without)
		}
	}
	for _, e := range c.changed.changes {
		one := newChange(e)
		if one.File != l.File {
			continue
		}
		for i := range one.Was {
			if n := one.Number - 1 + i; n < len(l.Lines) {
				l.Lines[n].add(c.without, true)
			}
		}
	}
}

func (l *line) add(name string, chosen bool) {
	l.Chosen = l.Chosen || chosen
	for _, known := range strings.Split(l.Mark, ", ") {
		if known == name {
			return
		}
	}
	l.Mark = strings.TrimPrefix(l.Mark+", "+name, ", ")
}

// text returns the lines as they stand in the file.
func (l *listing) text() []string {
	text, err := lab.SourceText(l.File)
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\n")
}

// programsOf returns the sources of the programs that took part, and of the
// experiment itself.
func (s *site) programsOf(c *claim) (all []string) {
	experiment := c.folder + "/run/" + strings.ReplaceAll(c.name, "-", "_") +
		".go"
	wanted := []string{experiment}
	if c.asItIs != nil {
		for _, program := range c.asItIs.programs {
			wanted = append(wanted, path.Join(program, "main.go"))
		}
	}
	for _, file := range wanted {
		if s.hasSource(file) {
			all = append(all, file)
		}
	}
	return all
}
