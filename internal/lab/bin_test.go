package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/screen"
)

// What a lab has built, Go need not link again: neither for the next lab, nor
// when a student types go run.
func TestBuiltIsReadyForGoRun(t *testing.T) {
	t.Setenv(BuiltVar, "") // make test has built them already
	const program = "go_basics/channels"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := moduleRoot()
	must(err)
	// Nobody has built this one before.
	never := fmt.Sprintf("var never = %d\n\nfunc main", time.Now().UnixNano())
	c, remove, err := Without{Edit: Edit{File: program + "/main.go",
		Line: "func main", Become: never}}.prepare(root)
	must(err)
	defer remove()
	b := &bin{dir: t.TempDir(), root: root, change: c}
	linked := func() bool {
		t.Helper()
		args := append([]string{"run", "-x"}, b.flags()...)
		command := exec.Command("go", append(args, "./"+program, "-h")...)
		command.Dir = root
		text, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return strings.Contains(string(text), "/link ")
	}
	must(b.build(program))
	if linked() {
		t.Error("it was built, and yet go run links it")
	}
	b.change = nil
	shown, err := os.Create(filepath.Join(t.TempDir(), "shown"))
	must(err)
	defer shown.Close()
	b.progress = screen.NewProgress(shown, 3)
	must(b.build(program, "go_basics/ipc/spawn"))
	if linked() {
		t.Error("it was built as it is, and yet go run links it")
	}
	text, err := os.ReadFile(shown.Name())
	must(err)
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] != "1 of 3: what they share" ||
		!strings.HasPrefix(lines[2], "3 of 3: go_basics/") {
		t.Errorf("it says how far it is by %q", lines)
	}
}

// While a program runs, another process may build it once more in the same
// folder.
func TestBuiltWhileItRuns(t *testing.T) {
	t.Setenv(BuiltVar, "") // make test has built them already
	const program = "go_basics/sockets/server"
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	b := &bin{dir: t.TempDir(), root: root}
	file, err := b.file(program)
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(file, "-bind", "127.0.0.1:0")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := b.build(program); err != nil {
		t.Error(err)
	}
	if err := server.Process.Kill(); err != nil {
		t.Error(err) // it did not run
	}
	server.Wait() // it was killed, so that this is an error
	left, err := filepath.Glob(filepath.Join(b.dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A program can be built anew while it runs, as when two processes share the
// programs.
func TestBuildWhileItRuns(t *testing.T) {
	const program = "go_basics/sockets/server"
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	b := &bin{dir: t.TempDir(), root: root}
	if err := b.build(program); err != nil {
		t.Fatal(err)
	}
	runs := exec.Command(filepath.Join(b.dir, program), "-bind",
		"127.0.0.1:0")
	out, err := runs.StdoutPipe()
	if err == nil {
		err = runs.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { runs.Process.Kill(); runs.Wait() }()
	if _, err := out.Read(make([]byte, 100)); err != nil { // it does run
		t.Fatal(err)
	}
	if err := b.build(program); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(b.dir, program) + "*"); len(
		files) != 1 {
		t.Errorf("beside the program there is more: %q", files)
	}
}

// Where all patterns are listed, as in the menu, they are in the README's
// order.
func TestProgramsAreInTheOrderOfTheLecture(t *testing.T) {
	readme, err := SourceText("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| \[[^]]+\]\(([a-z_]+)/\) \| `)
	var want, got []string
	for _, match := range row.FindAllStringSubmatch(string(readme), -1) {
		want = append(want, match[1])
	}
	b, remove, err := openBin()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	programs, err := b.programs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		top, _, _ := strings.Cut(program, "/")
		if top != "internal" && !slices.Contains(got, top) {
			got = append(got, top)
		}
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the programs are of %q, and the README has %q", got, want)
	}
}

// A line that is not there is said, and nothing is left behind.
func TestLineToLeaveOutIsNotThere(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Without{Edit: Edit{File: "go_basics/channels/main.go",
		Line: "no such line"}}.prepare(root)
	if err == nil || !strings.Contains(err.Error(), "has been edited") {
		t.Errorf("the error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(
		left) > 0 {
		t.Errorf("it leaves %q behind", left)
	}
}
