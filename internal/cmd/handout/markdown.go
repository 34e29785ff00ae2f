package main

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"distsys/internal/lab"
	"distsys/internal/lab/stage"
)

// comments are for the tests of the READMEs.
var comments = regexp.MustCompile(`(?ms)^<!-- .*?-->\n`)

// markdown makes HTML of a part of a README, for the page at a place. Links
// lead to the hand-out's own pages, those to what it does not have are plain
// text, and where an experiment is named is a link to its claim.
func (s *site) markdown(at, folder, readme string) (template.HTML, error) {
	source := []byte(comments.ReplaceAllString(readme, ""))
	md := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(gmhtml.WithUnsafe(),
			renderer.WithNodeRenderers(util.Prioritized(codeBlocks{}, 100))))
	doc := md.Parser().Parse(text.NewReader(source))
	w := &rewriter{site: s, at: at, folder: folder, source: source}
	if err := ast.Walk(doc, w.visit); err != nil {
		return "", err
	}
	for _, change := range w.later {
		change()
	}
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, source, doc); err != nil {
		return "", err
	}
	// A wide table is moved by itself, not the page with it.
	return template.HTML(strings.NewReplacer(
		"<table>", `<div class="wide" tabindex="0"><table>`,
		"</table>", "</table></div>").Replace(out.String())), nil
}

// A rewriter changes what a README's links lead to.
type rewriter struct {
	*site
	at, folder string
	source     []byte
	columns    []string // of a table: the patterns that they are about
	later      []func() // what is done when all has been visited
}

func (w *rewriter) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *east.TableHeader:
		w.columns = nil
		for cell := n.FirstChild(); cell != nil; cell = cell.NextSibling() {
			folder := ""
			if to, ok := cell.FirstChild().(*ast.Link); ok {
				folder = path.Join(w.folder, string(to.Destination))
			}
			w.columns = append(w.columns, folder)
		}
	case *ast.Link:
		w.redirect(n)
	case *ast.CodeSpan:
		w.linkClaim(n)
	}
	return ast.WalkContinue, nil
}

// redirect has a link lead to a page of the hand-out, or nowhere.
func (w *rewriter) redirect(n *ast.Link) {
	to := string(n.Destination)
	if strings.Contains(to, "://") || strings.HasPrefix(to, "#") {
		return
	}
	to, _, _ = strings.Cut(to, "#")
	page := w.pageOf(path.Join(w.folder, to))
	if page != "" {
		n.Destination = []byte(link(w.at, page))
		return
	}
	w.later = append(w.later, func() {
		for n.HasChildren() {
			n.Parent().InsertBefore(n.Parent(), n, n.FirstChild())
		}
		n.Parent().RemoveChild(n.Parent(), n)
	})
}

// pageOf returns the page for a file or folder of the module, or "".
func (s *site) pageOf(name string) string {
	if s.hasSource(name) {
		return sourceAt(name)
	}
	for _, p := range s.patterns {
		if name == p.folder {
			return p.At()
		}
		for _, file := range s.sourcesOf(p) {
			if strings.HasPrefix(file, name+"/") {
				return p.At() + "#programs"
			}
		}
	}
	file, err := lab.Source(name)
	if err != nil || path.Ext(name) != ".go" {
		return ""
	}
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	s.sources = append(s.sources, name) // it gets a page, too
	return sourceAt(name)
}

// command is how an experiment is run, in the READMEs.
var command = regexp.MustCompile(`^go run \./(\S+)/run ([a-z-]+)$`)

// linkClaim makes a link of the name of an experiment, if that is what stands
// there: as a command, or in a table with a column for each pattern.
func (w *rewriter) linkClaim(n *ast.CodeSpan) {
	said, folder := "", ""
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if text, ok := child.(*ast.Text); ok {
			said += string(text.Value(w.source))
		}
	}
	if _, isLink := n.Parent().(*ast.Link); isLink {
		return
	}
	if cell, ok := n.Parent().(*east.TableCell); ok {
		folder = w.columnOf(cell)
	}
	if parts := command.FindStringSubmatch(said); parts != nil {
		folder, said = parts[1], parts[2]
	}
	for _, p := range w.patterns {
		for _, c := range p.claims() {
			if c.name != said || c.folder != folder {
				continue
			}
			to := ast.NewLink()
			to.Destination = []byte(link(w.at, c.At()))
			w.later = append(w.later, func() {
				n.Parent().ReplaceChild(n.Parent(), n, to)
				to.AppendChild(to, n)
			})
			return
		}
	}
}

func (w *rewriter) columnOf(cell *east.TableCell) string {
	i := 0
	for c := cell.PreviousSibling(); c != nil; c = c.PreviousSibling() {
		i++
	}
	if i < len(w.columns) {
		return w.columns[i]
	}
	return ""
}

// codeBlocks renders blocks of code as the stage colours them.
type codeBlocks struct{}

func (codeBlocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(out util.BufWriter,
		source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block := n.(*ast.FencedCodeBlock)
		code := string(block.Lines().Value(source))
		language := string(block.Language(source))
		_, err := fmt.Fprintf(out, "<pre class=%q>%s</pre>\n", language,
			strings.Join(blockLines(language, code), "\n"))
		return ast.WalkSkipChildren, err
	})
}

// blockLines returns the lines of a block as HTML. On a terminal, what is
// typed stands out.
func blockLines(language, code string) (lines []string) {
	if language == "go" {
		return stage.Colour([]byte(code))
	}
	for _, line := range strings.Split(strings.TrimSuffix(code, "\n"), "\n") {
		line = html.EscapeString(line)
		if strings.HasPrefix(line, "$ ") {
			line = "<b>" + line + "</b>"
		}
		lines = append(lines, line)
	}
	return lines
}
