package lab

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What a lab has built, Go need not link again: neither for the next lab, nor
// when a student types go run.
func TestBuiltIsReadyForGoRun(t *testing.T) {
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
	must(b.build(program))
	if linked() {
		t.Error("it was built as it is, and yet go run links it")
	}
}
