package suite

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/labtest"
)

// A student who changes a program and tests it is not told that all is well
// because it was so before: "ok (cached)". That takes a copy of the module.
func TestChangedProgramIsTestedAgain(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for _, folder := range []string{"go_basics", "internal", "request_reply",
		"tuple_spaces", "message_queue", "publish_subscribe", "pipeline",
		"event_notification"} {
		labtest.Must(t, os.CopyFS(filepath.Join(module, folder),
			os.DirFS(filepath.Join(root, folder))))
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		labtest.Must(t, err)
		labtest.Must(t, os.WriteFile(filepath.Join(module, file), text, 0o600))
	}
	// What was written a moment ago Go does not count on.
	yesterday := time.Now().AddDate(0, 0, -1)
	labtest.Must(t, filepath.WalkDir(module, func(path string, _ fs.DirEntry,
		err error) error {
		return errors.Join(err, os.Chtimes(path, yesterday, yesterday))
	}))
	test := func() string {
		t.Helper()
		// Without the variables by which this test's own programs are found.
		command := exec.Command("go", "test", "-run", "TestExperiments",
			"-vet=off", "./go_basics")
		command.Dir = module
		// So what was compiled in another copy need not be compiled anew.
		command.Env = append(command.Env, "GOFLAGS=-trimpath")
		for _, setting := range os.Environ() {
			if !strings.HasPrefix(setting, "DISTSYS_") {
				command.Env = append(command.Env, setting)
			}
		}
		text, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return string(text)
	}
	test()
	if again := test(); !strings.Contains(again, "(cached)") {
		t.Errorf("nothing was changed, and yet: %s", again)
	}
	program := filepath.Join(module, "go_basics/sockets/server/main.go")
	text, err := os.ReadFile(program)
	labtest.Must(t, err)
	labtest.Must(t, os.WriteFile(program, append(text, "// changed\n"...),
		0o600))
	if again := test(); strings.Contains(again, "(cached)") {
		t.Errorf("a program was changed, and yet: %s", again)
	}
}
