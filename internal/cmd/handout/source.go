package main

import (
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"distsys/internal/lab"
	"distsys/internal/lab/stage"
)

// sources returns the source files at and below a folder of the module, but
// for the tests.
func sources(folder string) (all []string, err error) {
	root, err := lab.Source(".")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(os.DirFS(root), folder, func(file string,
		_ fs.DirEntry, err error) error {
		isTest := strings.HasSuffix(file, "_test.go")
		if end := path.Ext(file); !isTest && (end == ".go" || end == ".c") {
			all = append(all, file)
		}
		return err
	})
	return all, err
}

// findSources finds the files that get a page: those of the patterns, and
// what else was changed for a run.
func (s *site) findSources() error {
	for _, p := range s.patterns {
		all, err := sources(p.folder)
		if err != nil {
			return err
		}
		s.sources = append(s.sources, all...)
		for _, c := range p.claims() {
			if c.changed == nil {
				continue
			}
			for _, e := range c.changed.changes {
				file, _, _ := strings.Cut(e.Source, ":")
				s.sources = appendNew(s.sources, file)
			}
		}
	}
	return nil
}

func (s *site) hasSource(file string) bool {
	return slices.Contains(s.sources, file)
}

// sourceAt returns where the page of a source file is.
func sourceAt(file string) string { return file + ".html" }

// sourcesOf returns the source files of a pattern: first the programs, then
// what they share, then the experiments.
func (s *site) sourcesOf(p *pattern) (all []string) {
	rank := func(file string) int {
		switch {
		case strings.Contains(file, "/run/"):
			return 2
		case path.Base(file) != "main.go":
			return 1
		}
		return 0
	}
	for _, file := range s.sources {
		if strings.HasPrefix(file, p.folder+"/") {
			all = append(all, file)
		}
	}
	slices.SortStableFunc(all, func(a, b string) int {
		return rank(a) - rank(b)
	})
	return all
}

// listing reads a source file.
func (s *site) listing(file string) (listing, error) {
	text, err := lab.SourceText(file)
	if err != nil {
		return listing{}, err
	}
	l := listing{File: file, At: sourceAt(file)}
	for i, text := range coloured(file, string(text)) {
		l.Lines = append(l.Lines, line{Number: i + 1,
			At: fmt.Sprintf("L%d", i+1), Text: template.HTML(text)})
	}
	return l, nil
}

// coloured returns the lines of a file as HTML.
func coloured(file, text string) []string {
	if filepath.Ext(file) == ".go" {
		return stage.Colour([]byte(text))
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\t", "    ")
	return strings.Split(html.EscapeString(text), "\n")
}

// sourcePages writes a page for each source file.
func (s *site) sourcePages() error {
	for _, file := range s.sources {
		l, err := s.listing(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		var here *pattern
		for _, p := range s.patterns {
			if strings.HasPrefix(file, p.folder+"/") {
				here = p
			}
		}
		err = s.page("source.html", view{At: l.At, Title: file, Here: here,
			More: l})
		if err != nil {
			return err
		}
	}
	return nil
}
