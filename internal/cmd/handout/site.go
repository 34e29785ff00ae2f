package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/stage"
)

//go:embed page
var files embed.FS

// A site is the hand-out: what its pages show.
type site struct {
	out      *folder
	patterns []*pattern
	made     time.Time
	figures  []figure
	sources  []string // files that have a page with their source
	pages    int

	mu     sync.Mutex
	shared map[string]map[string][]string // sources, by the script with them
}

// A figure is a plot that was there already.
type figure struct{ Name, Title string }

var pages = template.Must(template.New("").ParseFS(files, "page/*.html"))

// A view is what every page needs.
type view struct {
	At       string // the page's own place, from the top
	Title    string
	Home     bool // it is the first page
	Patterns []*pattern
	Here     *pattern // it is about this one
	Figures  []figure
	Made     string
	More     any
}

// Link returns how the page gets to another place, named from the top.
func (v view) Link(to string) string { return link(v.At, to) }

// A within is something on a page, for a part of the templates.
type within struct {
	Page view
	It   any
}

// With returns what a part of the templates is called with.
func (v view) With(it any) within { return within{v, it} }

func link(from, to string) string {
	to, part, _ := strings.Cut(to, "#")
	if part != "" {
		part = "#" + part
	}
	if to == from {
		return part
	}
	relative, err := filepath.Rel(filepath.FromSlash(path.Dir(from)),
		filepath.FromSlash(to))
	if err != nil { // both are from the top
		panic(err)
	}
	return filepath.ToSlash(relative) + part
}

// page writes a page by its template.
func (s *site) page(name string, v view) error {
	v.Patterns, v.Figures = s.patterns, s.figures
	v.Made = fmt.Sprintf("Made on %s, on a machine with %d processors "+
		"(%s/%s, %s).", s.made.Format("2 January 2006"), runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, runtime.Version())
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name, v); err != nil {
		return err
	}
	s.pages++
	return s.out.add(v.At, text.Bytes())
}

// write writes all pages, once everything has been run.
func (s *site) write() error {
	if err := s.findFigures(); err != nil {
		return err
	}
	if err := s.findSources(); err != nil {
		return err
	}
	for _, part := range []func() error{s.common, s.index, s.sideBySide,
		s.figurePage, s.patternPages, s.claimPages, s.sourcePages} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// common writes what the pages share.
func (s *site) common() error {
	for name, text := range stage.Player() {
		if err := s.out.add("stage/"+name, []byte(text)); err != nil {
			return err
		}
	}
	for name, sources := range s.shared {
		var script bytes.Buffer
		if err := stage.WriteSources(&script, sources); err != nil {
			return err
		}
		if err := s.out.add(name, script.Bytes()); err != nil {
			return err
		}
	}
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		return err
	}
	colours, err := colourVariables()
	if err != nil {
		return err
	}
	return s.out.add("style.css", append([]byte(colours), style...))
}

// colourVariables returns the stage's colours as variables of a style sheet.
func colourVariables() (string, error) {
	var blocks [2]string
	for i, dark := range []bool{false, true} {
		named, _, err := stage.Colours(dark)
		if err != nil {
			return "", err
		}
		var lines []string
		for name, colour := range named {
			lines = append(lines, "--"+name+": "+colour+";")
		}
		slices.Sort(lines)
		blocks[i] = strings.Join(lines, " ")
	}
	return ":root { color-scheme: light dark; " + blocks[0] + " }\n" +
		"@media screen and (prefers-color-scheme: dark) { :root { " +
		blocks[1] + " } }\n", nil
}

// findFigures finds the plots that another program has left in the folder.
func (s *site) findFigures() error {
	names, err := filepath.Glob(filepath.Join(s.out.dir, plots, "*.svg"))
	for _, name := range names {
		text, failed := os.ReadFile(name)
		err = errors.Join(err, failed)
		title := strings.TrimSuffix(filepath.Base(name), ".svg")
		if _, rest, ok := strings.Cut(string(text), "<title>"); ok {
			title, _, _ = strings.Cut(rest, "</title>")
		}
		s.figures = append(s.figures, figure{plots + "/" + filepath.Base(name),
			html.UnescapeString(strings.TrimSpace(title))})
	}
	return err
}

func (s *site) figurePage() error {
	if len(s.figures) == 0 {
		return nil
	}
	return s.page("figures.html", view{At: "figures.html", Title: "Figures"})
}

// index writes the first page: all claims, with their pictures.
func (s *site) index() error {
	readme, err := lab.SourceText("README.md")
	if err != nil {
		return err
	}
	_, intro, _ := strings.Cut(string(readme), "\n")
	intro, _, _ = strings.Cut(intro, "\n![")
	claims, hold := 0, 0
	for _, p := range s.patterns {
		for _, c := range p.claims() {
			claims++
			if c.asItIs != nil && c.asItIs.holds {
				hold++
			}
		}
	}
	at := "index.html"
	text, err := s.markdown(at, "", intro)
	if err != nil {
		return err
	}
	return s.page("index.html", view{At: at, Home: true,
		Title: "Message-oriented communication, in Go",
		More:  map[string]any{"Intro": text, "Claims": claims, "Hold": hold}})
}

// sideBySide writes the README's table, with its links.
func (s *site) sideBySide() error {
	readme, err := lab.SourceText("README.md")
	if err != nil {
		return err
	}
	const heading = "## The patterns side by side\n"
	_, table, found := strings.Cut(string(readme), heading)
	if !found {
		return errors.New("README.md has no patterns side by side")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	at := "side-by-side.html"
	text, err := s.markdown(at, "", table)
	if err != nil {
		return err
	}
	return s.page("side-by-side.html", view{At: at,
		Title: "The patterns side by side", More: text})
}
