package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distsys/internal/lab"
)

// What is only tested without the race detector starts no goroutine, and uses
// no channel. A package may also have nothing but tests.
func TestOneGoroutine(t *testing.T) {
	for _, p := range plainly {
		dir, err := lab.Source(strings.TrimPrefix(p, "distsys/"))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no files (%v)", p, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			syntax, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(syntax, func(n ast.Node) bool {
				switch n.(type) {
				case *ast.GoStmt, *ast.ChanType, *ast.SendStmt:
					t.Errorf("%s is not for one goroutine", file)
				}
				return true
			})
		}
	}
}

// The go command puts programs of the same name into the same file.
func TestBatches(t *testing.T) {
	got := batches([]string{"a/run", "b/run", "a/server", "c/run", "b/server"})
	want := [][]string{{"a/run", "a/server"}, {"b/run", "b/server"}, {"c/run"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("batches %q", got)
	}
}

// The packages named by this command are there.
func TestPackagesAreThere(t *testing.T) {
	root, err := lab.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	all, err := list(root, "./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(plainly, both, long) {
		if !slices.ContainsFunc(all, func(j *job) bool {
			return j.path == name
		}) {
			t.Errorf("no package %s has tests", name)
		}
	}
	if all[0].path != long[0] {
		t.Errorf("the first is %s", all[0].path)
	}
}
