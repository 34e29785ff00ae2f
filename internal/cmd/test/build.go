package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"distsys/internal/lab"
)

// folder is where what was built stays, in the module's own folder, so that
// only what was changed is linked anew. go test alone links all tests each
// time, and their programs for each package.
const folder = ".test"

// A kind is how tests and their programs are built: with the race detector or
// without.
type kind struct {
	dir  string
	args []string
}

var (
	raced = kind{"race", []string{"-race"}}
	plain = kind{"plain", nil}
)

// tests builds the tests of packages, and returns each one's program.
func (k kind) tests(ctx context.Context, root string, packages []string) (
	tests map[string]string, err error) {
	command := append([]string{"test", "-c", "-vet=off"}, k.args...)
	return k.each(ctx, root, "tests", packages, ".test", command)
}

// programs builds all programs of the module, and returns the folder in which
// a lab finds them.
func (k kind) programs(ctx context.Context, root string) (dir string,
	err error) {
	names, err := lab.Programs(".")
	if err != nil {
		return "", err
	}
	var packages []string
	for _, name := range names {
		packages = append(packages, "distsys/"+name)
	}
	command := append([]string{"build", "-buildvcs=false"}, k.args...)
	files, err := k.each(ctx, root, "programs", packages, "", command)
	if err != nil {
		return "", err
	}
	dir = filepath.Join(root, folder, k.dir, "all")
	for i, name := range names {
		link := filepath.Join(dir, filepath.FromSlash(name))
		if err := point(link, files[packages[i]]); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// point makes a symbolic link to a file, unless it is there: another make test
// may be using it.
func point(link, file string) error {
	there, err := os.Readlink(link)
	if err == nil && there == file {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return err
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(file, link)
}

// each has the go command build packages, and returns what file is built of
// each. A call takes as long for many packages as for one, but they must have
// different names.
func (k kind) each(ctx context.Context, root, what string, packages []string,
	suffix string, args []string) (files map[string]string, err error) {
	files = map[string]string{}
	for n, batch := range batches(packages) {
		dir := filepath.Join(root, folder, k.dir, what, fmt.Sprint(n+1))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		for _, p := range batch {
			files[p] = filepath.Join(dir, path.Base(p)+suffix)
		}
		// Nobody looks into them with a debugger.
		args := append(slices.Clone(args), "-ldflags=-s -w", "-o",
			dir+string(filepath.Separator))
		command := exec.CommandContext(ctx, "go", append(args, batch...)...)
		command.Dir = root
		text, err := command.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s",
				strings.Join(batch, " "), err, text)
		}
	}
	return files, nil
}

// batches puts packages together that have different names.
func batches(packages []string) (all [][]string) {
	for _, p := range packages {
		n := slices.IndexFunc(all, func(batch []string) bool {
			return !slices.ContainsFunc(batch, func(other string) bool {
				return path.Base(other) == path.Base(p)
			})
		})
		if n < 0 {
			n, all = len(all), append(all, nil)
		}
		all[n] = append(all[n], p)
	}
	return all
}
