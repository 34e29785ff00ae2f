package suite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// A program that is read beside a slide is narrow, none of its functions is
// longer than a slide, and it is one file. Blank lines and comments are free.
func TestProgramsFitASlide(t *testing.T) {
	const columns, slide = 80, 50
	for _, program := range studentPrograms(t) {
		files, err := filepath.Glob(filepath.Join(root, program, "*.go"))
		labtest.Must(t, err)
		if len(files) != 1 && program != "go_basics/ipc/run" {
			t.Errorf("%s has the files %q: one program, one file", program,
				files)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			labtest.Must(t, err)
			for i, line := range strings.Split(string(text), "\n") {
				wide := strings.ReplaceAll(line, "\t", "    ")
				if len([]rune(wide)) > columns {
					t.Errorf("%s:%d is wider than %d columns", file, i+1,
						columns)
				}
			}
			positions := token.NewFileSet()
			syntax, err := parser.ParseFile(positions, file, text, 0)
			labtest.Must(t, err)
			for _, d := range syntax.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				lines := positions.Position(f.End()).Line -
					positions.Position(f.Pos()).Line + 1
				if lines > slide {
					t.Errorf("%s: %s has %d lines, a slide has %d", file,
						f.Name.Name, lines, slide)
				}
			}
		}
	}
}

// studentPrograms lists the programs that are read beside a slide.
func studentPrograms(t *testing.T) (all []string) {
	for _, program := range programs(t) {
		if !strings.HasPrefix(program, "internal/") &&
			(filepath.Base(program) != "run" ||
				program == "go_basics/ipc/run") {
			all = append(all, program)
		}
	}
	return all
}

// What the programs of a pattern import of this module is what internal's
// map says: not the lab. And none of them ends ZeroMQ's context itself.
func TestStudentProgramsImportNoLab(t *testing.T) {
	hidden := regexp.MustCompile(`"distsys/internal/(lab|local|cmd)|` +
		`sync\.OnceFunc|context\.AfterFunc|\.Term\(`)
	for _, program := range studentPrograms(t) {
		files, err := filepath.Glob(filepath.Join(root, program, "*.go"))
		labtest.Must(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			labtest.Must(t, err)
			if found := hidden.FindString(string(text)); found != "" {
				t.Errorf("%s has %s: cli, zeromq or broker do that", file,
					found)
			}
		}
	}
}

// What a README shows of a program's code stands in that program: a block
// below <!-- code: file --> has lines that follow each other there, but for
// the indentation and for "..." lines, which leave some out.
func TestReadmesShowRealCode(t *testing.T) {
	readmes, err := filepath.Glob(filepath.Join(root, "*", "README.md"))
	labtest.Must(t, err)
	block := regexp.MustCompile(
		"(?ms)^<!-- code: (\\S+) -->\\n+```go\\n(.*?)^```")
	for _, readme := range readmes {
		if readme == filepath.Join(root, "internal", "README.md") {
			continue // of no pattern
		}
		text, err := os.ReadFile(readme)
		labtest.Must(t, err)
		shown := block.FindAllStringSubmatch(string(text), -1)
		if len(shown) == 0 {
			t.Errorf("%s shows no code", readme)
		}
		if n := strings.Count(string(text), "```go\n"); n != len(shown) {
			t.Errorf("%s has %d blocks of Go, and says of %d whose they are",
				readme, n, len(shown))
		}
		for _, match := range shown {
			code, err := os.ReadFile(filepath.Join(root, match[1]))
			labtest.Must(t, err)
			if missing := notIn(trimmed(string(code)),
				trimmed(match[2])); missing != "" {
				t.Errorf("%s: %s has no such lines in a row:\n%s", readme,
					match[1], missing)
			}
		}
	}
}

// trimmed takes off the indentation, and the empty line at the end.
func trimmed(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// notIn returns what of the shown code does not stand in the whole, in order.
func notIn(code, shown string) string {
	for _, part := range strings.Split(shown, "\n...\n") {
		part = "\n" + strings.Trim(part, "\n") + "\n"
		_, rest, found := strings.Cut(code, part)
		if !found {
			return part
		}
		code = "\n" + rest
	}
	return ""
}

// The map of internal names every package there, and no other; the
// checklists name folders and commands that are there.
func TestMapOfInternal(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "internal", "README.md"))
	labtest.Must(t, err)
	chart, _, found := strings.Cut(string(text), "## ")
	if !found || strings.Count(chart, "\n") > 40 {
		t.Errorf("the map has %d lines: 40 at most, before the first ##",
			strings.Count(chart, "\n"))
	}
	named := map[string]bool{}
	for _, match := range regexp.MustCompile("`([a-z]+(?:/[a-z]+)*)`").
		FindAllStringSubmatch(chart, -1) {
		named[match[1]] = true
	}
	folders := map[string]bool{}
	err = filepath.WalkDir(filepath.Join(root, "internal"),
		func(file string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(file, ".go") {
				folder, _ := filepath.Rel(filepath.Join(root, "internal"),
					filepath.Dir(file))
				folders[filepath.ToSlash(folder)] = true
			}
			return err
		})
	labtest.Must(t, err)
	for folder := range folders {
		if !named[folder] {
			t.Errorf("the map of internal does not name `%s`", folder)
		}
	}
	for name := range named {
		if !folders[name] {
			t.Errorf("the map of internal names `%s`, which is not there", name)
		}
	}
	for _, match := range regexp.MustCompile("`([a-zA-Z_./-]+/[a-zA-Z_./-]*)`").
		FindAllStringSubmatch(string(text)[len(chart):], -1) {
		at := strings.TrimPrefix(match[1], "./")
		if _, err := os.Stat(filepath.Join(root, at)); err != nil {
			t.Errorf("internal/README.md names `%s`, which is not there",
				match[1])
		}
	}
}
