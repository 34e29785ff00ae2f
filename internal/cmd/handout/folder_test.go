package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// write makes a hand-out of some files.
func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	f, err := openFolder(dir)
	labtest.Must(t, err)
	defer f.drop()
	for _, name := range names {
		labtest.Must(t, f.add(name, []byte("new")))
	}
	labtest.Must(t, f.publish())
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// A hand-out takes the place of the one before, and of nothing else.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "site")
	write(t, dir, "index.html", "pipeline/worker-crash.html")
	plot := filepath.Join(dir, plots, "a.svg")
	labtest.Must(t, os.Mkdir(filepath.Dir(plot), 0o755))
	labtest.Must(t, os.WriteFile(plot, nil, 0o600))
	write(t, dir, "index.html", "request_reply/stranger.html")
	if there(dir, "pipeline") {
		t.Error("what the first hand-out had is still there")
	}
	for _, name := range []string{"index.html", "plots/a.svg",
		"request_reply/stranger.html"} {
		if !there(dir, name) {
			t.Errorf("%s is not there", name)
		}
	}

	// What somebody else has put there is neither removed nor written over.
	labtest.Must(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600))
	_, err := openFolder(dir)
	if err == nil || !strings.Contains(err.Error(), "thesis.txt is not of a "+
		"hand-out") {
		t.Errorf("a folder with something else in it: %v", err)
	}
	if !there(dir, "index.html") {
		t.Error("the hand-out of before is gone")
	}

	// Nor is what stands outside, whatever the list says.
	outside := filepath.Join(filepath.Dir(dir), "outside")
	labtest.Must(t, os.WriteFile(outside, nil, 0o600))
	other := filepath.Join(filepath.Dir(dir), "other")
	labtest.Must(t, os.Mkdir(other, 0o755))
	labtest.Must(t, os.WriteFile(filepath.Join(other, list),
		[]byte(list+"\n../outside\n"+outside+"\n"), 0o600))
	write(t, other, "index.html")
	if !there(filepath.Dir(dir), "outside") {
		t.Error("a file outside of the folder is gone")
	}
}

// Until it is whole, a hand-out leaves the one before as it is.
func TestFolderThatIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "index.html")
	f, err := openFolder(dir)
	labtest.Must(t, err)
	labtest.Must(t, f.add("other.html", nil))
	f.drop()
	if !there(dir, "index.html") || there(dir, "other.html") ||
		there(filepath.Dir(f.temp), "") {
		t.Error("a hand-out that was given up has left something")
	}
}
