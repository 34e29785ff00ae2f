package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"distsys/internal/local"
)

// A folder is where the hand-out is written. It is put together beside its
// place, and moved there when it is whole: what was there before stays until
// then.
type folder struct {
	dir  string // its place
	temp string // where it is put together
	drop func() // removes that

	mu    sync.Mutex
	files []string
	bytes int
}

// list is the file that names what a hand-out has written, so that the next
// one removes that and nothing else.
const list = "files.txt"

// plots is the folder that another program may fill, and that stays.
const plots = "plots"

// openFolder prepares a place. It refuses a folder in which there is anything
// that is not of a hand-out.
func openFolder(dir string) (*folder, error) {
	old, err := listed(dir)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry,
		err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it will be made
		}
		name, _ := filepath.Rel(dir, file)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == plots:
			return filepath.SkipDir
		case !d.IsDir() && !slices.Contains(old, name):
			return fmt.Errorf("%s is not of a hand-out: choose an empty "+
				"folder with -dir (make handout DIR=folder)", file)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	temp, remove, err := local.Folder("distsys-handout-")
	f := &folder{dir: dir, temp: filepath.Join(temp, "pages"), drop: remove}
	return f, err
}

// listed returns what an earlier hand-out has written to a folder.
func listed(dir string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, list))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var old []string
	for _, name := range strings.Fields(string(text)) {
		if filepath.IsLocal(filepath.FromSlash(name)) {
			old = append(old, name)
		}
	}
	return old, nil
}

// add writes a file, named from the top of the hand-out.
func (f *folder) add(name string, text []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	file := filepath.Join(f.temp, filepath.FromSlash(name))
	f.files = append(f.files, name)
	f.bytes += len(text)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	return errors.Join(err, os.WriteFile(file, text, 0o644))
}

// scratch returns the name of a file for a record, which is no part of the
// hand-out.
func (f *folder) scratch() (file string, remove func(), err error) {
	out, err := os.CreateTemp(filepath.Dir(f.temp), "record-")
	if err != nil {
		return "", nil, err
	}
	return out.Name(), func() { os.Remove(out.Name()) }, out.Close()
}

// publish moves the files to their place, and removes those of before.
func (f *folder) publish() error {
	slices.Sort(f.files)
	err := f.add(list, []byte(list+"\n"+strings.Join(f.files, "\n")+"\n"))
	if err != nil {
		return err
	}
	old, err := listed(f.dir)
	if err != nil {
		return err
	}
	for _, name := range old {
		err := os.Remove(filepath.Join(f.dir, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.CopyFS(f.dir, os.DirFS(f.temp)); err != nil {
		return err
	}
	return removeEmpty(f.dir)
}

// removeEmpty removes the folders below one in which nothing is left.
func removeEmpty(dir string) error {
	var folders []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry,
		err error) error {
		if err == nil && d.IsDir() && file != dir {
			folders = append(folders, file)
		}
		return err
	})
	for _, folder := range slices.Backward(folders) {
		entries, failed := os.ReadDir(folder)
		if failed == nil && len(entries) == 0 {
			failed = os.Remove(folder)
		}
		err = errors.Join(err, failed)
	}
	return err
}
