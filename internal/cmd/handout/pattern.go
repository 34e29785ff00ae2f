package main

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"distsys/internal/lab/stage"
)

// What the templates ask of a pattern, its parts, its claims.

func (p *pattern) Folder() string     { return p.folder }
func (p *pattern) Title() string      { return p.title }
func (p *pattern) Whom() string       { return p.whom }
func (p *pattern) Middleware() string { return p.middleware }
func (p *pattern) At() string         { return p.folder + "/index.html" }
func (p *pattern) Parts() []*part     { return p.parts }
func (p *pattern) Claims() []*claim   { return p.claims() }

func (p *part) Folder() string  { return p.folder }
func (p *part) What() string    { return p.what }
func (p *part) Story() *showing { return p.story }

func (c *claim) Name() string      { return c.name }
func (c *claim) Folder() string    { return c.folder }
func (c *claim) Text() string      { return c.text }
func (c *claim) At() string        { return c.path(".html") }
func (c *claim) AsItIs() *showing  { return c.asItIs }
func (c *claim) Changed() *showing { return c.changed }
func (c *claim) Fault() string     { return c.fault }
func (c *claim) Printed() string   { return c.printed }
func (c *claim) Command() string   { return c.command() }

func (s *showing) Name() string    { return s.name }
func (s *showing) Counted() string { return s.counted }
func (s *showing) Holds() bool     { return s.holds }
func (s *showing) Fault() string   { return s.fault }
func (s *showing) Light() string   { return s.path + ".svg" }
func (s *showing) Dark() string    { return s.path + "-dark.svg" }
func (s *showing) Replay() string  { return s.path + "-replay.html" }

// Sign is how the verdict is marked: "holds" or "fails".
func (s *showing) Sign() string {
	if s.holds {
		return "holds"
	}
	return "fails"
}

// Watch says what to look for, as a sentence.
func (s *showing) Watch() string {
	if s.watch == "" {
		return ""
	}
	return strings.ToUpper(s.watch[:1]) + strings.TrimSuffix(s.watch[1:],
		".") + "."
}

// Title says in words what its picture shows.
func (s *showing) Title() string { return s.title }

// Heading is the name, as a heading.
func (s *showing) Heading() string {
	return strings.ToUpper(s.name[:1]) + s.name[1:]
}

// patternPages writes a page for each pattern.
func (s *site) patternPages() error {
	for _, p := range s.patterns {
		_, text, _ := strings.Cut(p.readme, "\n") // the title stands above
		intro, rest, _ := strings.Cut(text, "\n## ")
		var parts [2]template.HTML
		for i, text := range []string{intro, "## " + rest} {
			text, err := s.diagrams(p, text)
			if err != nil {
				return err
			}
			if parts[i], err = s.markdown(p.At(), p.folder, text); err != nil {
				return err
			}
		}
		err := s.page("pattern.html", view{At: p.At(), Title: p.title, Here: p,
			More: map[string]any{"Intro": parts[0], "Rest": parts[1],
				"Sources": s.sourcesOf(p)}})
		if err != nil {
			return err
		}
		for _, part := range p.parts {
			err := s.replay(part.story, p.At(), "Back to: "+p.title)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// mermaid is a diagram in a README.
var mermaid = regexp.MustCompile("(?ms)^```mermaid\n(.*?)^```\n")

// diagrams draws the diagrams of a README, and puts the pictures in their
// places.
func (s *site) diagrams(p *pattern, text string) (string, error) {
	for _, m := range mermaid.FindAllStringSubmatch(text, -1) {
		d, err := parse(m[1])
		if err != nil {
			return "", fmt.Errorf("%s/README.md: %w", p.folder, err)
		}
		title := "who sends what to whom: " + p.title
		for name, dark := range map[string]bool{"diagram.svg": false,
			"diagram-dark.svg": true} {
			svg, err := d.draw(dark, title)
			if err != nil {
				return "", err
			}
			err = s.out.add(p.folder+"/"+name, []byte(svg))
			if err != nil {
				return "", err
			}
		}
		text = strings.Replace(text, m[0], `<p class="diagram"><picture>`+
			`<source media="screen and (prefers-color-scheme: dark)" `+
			`srcset="diagram-dark.svg"><img src="diagram.svg" alt="`+
			title+`"></picture></p>`+"\n", 1)
	}
	return text, nil
}

// sharedBy returns where the source files are that the replays of a pattern
// share.
func sharedBy(path string) string {
	folder, _, _ := strings.Cut(path, "/")
	return folder + "/sources.js"
}

// replay writes the page that replays a run, if there is one to be shown.
func (s *site) replay(show *showing, home, homeText string) error {
	if show == nil || show.fault != "" {
		return nil
	}
	at := show.Replay()
	var text strings.Builder
	err := stage.ReplayPage{Player: link(at, "stage"),
		Record:  link(at, show.path+".record.js"),
		Sources: link(at, sharedBy(show.path)),
		Home:    link(at, home), HomeText: homeText}.Write(&text)
	if err != nil {
		return err
	}
	s.pages++
	return s.out.add(at, []byte(text.String()))
}
