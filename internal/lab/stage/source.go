package stage

import (
	"go/scanner"
	"go/token"
	"html"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Source returns the text of a source file, by its name from the top of
// the module.
type Source func(file string) ([]byte, error)

// ReadIn reads a source file in a folder, and nothing outside of it.
func ReadIn(root *os.Root, file string) ([]byte, error) {
	f, err := root.Open(filepath.FromSlash(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Colour returns the lines of Go code as HTML: keywords, strings and comments
// are marked.
func Colour(text []byte) []string {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, scanner.ScanComments)
	var out strings.Builder
	done := 0
	write := func(class string, from, to int) {
		out.WriteString(html.EscapeString(string(text[done:from])))
		// A mark never goes over the end of a line.
		for i, part := range strings.Split(string(text[from:to]), "\n") {
			if i > 0 {
				out.WriteString("\n")
			}
			out.WriteString("<i class=" + class + ">" +
				html.EscapeString(part) + "</i>")
		}
		done = to
	}
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			break
		}
		at := file.Offset(pos)
		switch {
		case kind.IsKeyword():
			write("k", at, at+len(literal))
		case kind == token.STRING || kind == token.CHAR:
			write("s", at, at+len(literal))
		case kind == token.COMMENT:
			write("c", at, at+len(literal))
		}
	}
	out.WriteString(html.EscapeString(string(text[done:])))
	tabs := strings.ReplaceAll(out.String(), "\t", "    ")
	return strings.Split(strings.TrimSuffix(tabs, "\n"), "\n")
}
