package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"distsys/internal/lab"
)

// A pattern is a folder of the suite, as the README's table names it.
type pattern struct {
	folder, title    string
	whom, middleware string
	broker           bool // it needs RabbitMQ
	readme           string
	parts            []*part
}

// left says whether the pattern's experiments are left out.
func (p *pattern) left() bool {
	return p.broker && os.Getenv("SKIP_RABBITMQ") != ""
}

// claims returns the claims of all of its parts.
func (p *pattern) claims() (all []*claim) {
	for _, part := range p.parts {
		all = append(all, part.claims...)
	}
	return all
}

// A part is a run program: a story, and experiments.
type part struct {
	folder, what string
	hasTime      bool // it has -for
	story        *showing
	claims       []*claim
}

// A claim is shown by an experiment.
type claim struct {
	folder, name string
	text         string
	without      string     // what is left out in the second run
	lines        []lab.Line // all that can be left out

	asItIs, changed *showing
	fault           string // why there is no good end, if there is none
	printed         string // then: all that was printed
}

// path returns where something of the claim is, from the top.
func (c *claim) path(end string) string {
	return path.Join(c.folder, c.name) + end
}

// row is a row of the README's table of patterns.
var row = regexp.MustCompile(
	`(?m)^\| \[([^]]+)\]\(([a-z_]+)/\) \| (.+) \| (.+) \|$`)

// known returns the patterns in the order of the README.
func known() (all []*pattern, err error) {
	text, err := lab.SourceText("README.md")
	if err != nil {
		return nil, err
	}
	for _, parts := range row.FindAllStringSubmatch(string(text), -1) {
		p := &pattern{title: parts[1], folder: parts[2], whom: parts[3],
			middleware: parts[4], broker: parts[4] == "RabbitMQ"}
		readme, err := lab.SourceText(p.folder + "/README.md")
		if err != nil {
			return nil, err
		}
		p.readme = string(readme)
		all = append(all, p)
	}
	return all, nil
}

// choose returns the patterns of that name, or all if there is no name.
func choose(names []string) ([]*pattern, error) {
	all, err := known()
	if err != nil {
		return nil, err
	}
	var wanted, folders []string
	for _, name := range names {
		wanted = append(wanted, path.Clean(name))
	}
	var chosen []*pattern
	for _, p := range all {
		folders = append(folders, p.folder)
		if len(names) == 0 || slices.Contains(wanted, p.folder) {
			chosen = append(chosen, p)
		}
	}
	for _, name := range wanted {
		if !slices.Contains(folders, name) {
			return nil, fmt.Errorf("no pattern %q; there are: %s", name,
				strings.Join(folders, ", "))
		}
	}
	return chosen, nil
}

// ask asks the run programs of the patterns what they have.
func (s *site) ask(ctx context.Context) error {
	for _, p := range s.patterns {
		folders, err := runFolders(p.folder)
		if err != nil {
			return err
		}
		err = lab.Do(ctx, io.Discard, func(l *lab.Lab) {
			for _, folder := range folders {
				if one := askRun(l, folder); one != nil {
					p.parts = append(p.parts, one)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// runFolders returns the folders at and below one that have a run program.
func runFolders(folder string) (folders []string, err error) {
	files, err := sources(folder)
	for _, file := range files {
		if path.Base(file) == "main.go" && path.Base(path.Dir(file)) == "run" {
			folders = append(folders, path.Dir(path.Dir(file)))
		}
	}
	slices.Sort(folders)
	return folders, err
}

// askRun asks a run program what it has: nothing, if it can keep no record.
func askRun(l *lab.Lab, folder string) *part {
	there := l.List(folder)
	if !there.Has("-record") {
		return nil
	}
	one := &part{folder: folder, what: there.What, hasTime: there.Has("-for"),
		story: &showing{path: folder + "/story"}}
	lines := l.Lines(folder)
	for _, name := range there.Names {
		c := &claim{folder: folder, name: name, text: there.Claims[name]}
		for _, line := range lines {
			if line.Experiment == name {
				c.lines = append(c.lines, line)
			}
		}
		if len(there.Without[name]) > 0 {
			c.without = there.Without[name][0]
		}
		one.claims = append(one.claims, c)
	}
	return one
}
