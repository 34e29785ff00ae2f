package lab

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

// BinVar names the folder of programs that are built already, for the run
// programs that tests and the tour start.
const BinVar = "DISTSYS_BIN"

// BuiltVar names a folder in which make test has built all programs, as this
// process would build them. A bin takes them from there.
const BuiltVar = "DISTSYS_BUILT"

// A bin is a folder of programs, built as they are needed.
type bin struct {
	dir  string
	root string // of the module

	change *change // nil: the programs are as they are in the module

	progress *screen.Progress // nil: nobody is told what is built
}

// building is held while a program is built that is about to be started: two
// labs of a process may need the same one.
var building sync.Mutex

// openBin returns a new folder, or the one that BinVar names. The function
// removes it, where it is new.
func openBin() (*bin, func(), error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, nil, err
	}
	if dir := os.Getenv(BinVar); dir != "" {
		return &bin{dir: dir, root: root}, func() {}, nil
	}
	dir, remove, err := local.Folder("distsys-bin-")
	return &bin{dir: dir, root: root}, remove, err
}

// moduleRoot is the folder with go.mod: at or above the working directory,
// or else above this file where it was compiled.
func moduleRoot() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	_, source, _, _ := runtime.Caller(0)
	for _, dir := range []string{here, filepath.Dir(source)} {
		for ; ; dir = filepath.Dir(dir) {
			text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && bytes.HasPrefix(text, []byte("module distsys")) {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", errors.New("the source is not here: change into the folder " +
		"that holds README.md and go.mod")
}

// Source returns where a file of the module is, by its name from the top.
func Source(name string) (string, error) {
	root, err := moduleRoot()
	return filepath.Join(root, filepath.FromSlash(name)), err
}

// Source returns where a file of the module is, by its name from the top: in
// a run without a line, the copy that lacks it.
func (l *Lab) Source(name string) string {
	if c := l.bin.change; c != nil {
		for i, e := range c.edits() {
			if e.File == name {
				return c.copies[i]
			}
		}
	}
	return filepath.Join(l.bin.root, filepath.FromSlash(name))
}

// env tells programs that are started where the others are.
func (b *bin) env() []string {
	env := []string{BinVar + "=" + b.dir}
	if raceDetector { // else it sleeps for a second at the end of each
		env = append(env, "GORACE=atexit_sleep_ms=0")
	}
	return env
}

// file returns the file of a program, built, which is about to be started.
func (b *bin) file(program string) (string, error) {
	if err := b.ensure(program); err != nil {
		return "", err
	}
	file := b.name(program)
	return file, os.WriteFile(file+startedMark, nil, 0o600)
}

// ensure builds a program, unless it is there.
func (b *bin) ensure(program string) error {
	if len(b.missing([]string{program})) == 0 {
		return nil
	}
	building.Lock()
	defer building.Unlock()
	return b.build(b.missing([]string{program})...)
}

// name returns what the file of a program is called.
func (b *bin) name(program string) string {
	return filepath.Join(b.dir, filepath.FromSlash(program))
}

// startedMark ends the name of a file that says of a program that it was
// started: so the tests know whether one was forgotten.
const startedMark = ".started"

// build builds programs. What they share is compiled first, by one command,
// so that not each of them compiles it. Then each is linked.
func (b *bin) build(programs ...string) error {
	if len(programs) > 1 && os.Getenv(BuiltVar) == "" {
		end := b.tells("what they share")
		compile := append([]string{"list", "-export", "-f", ""}, b.flags()...)
		err := b.tool(compile, programs)
		end()
		if err != nil {
			return fmt.Errorf("build: %w", err)
		}
	}
	failures := make(chan error, len(programs))
	free := make(chan bool, runtime.GOMAXPROCS(0))
	for _, program := range programs {
		go func() {
			free <- true
			defer func() { <-free }()
			failures <- b.link(program)
		}()
	}
	var first error // the others have the same cause, as a rule
	for range programs {
		if err := <-failures; first == nil {
			first = err
		}
	}
	return first
}

// link puts a program into the folder. Go keeps the programs that it has
// linked for go run, but not those for go build. So go run is asked to run
// it, by cp: then nothing is linked anew unless the program was changed, and
// when a student types go run, the program is ready, too.
func (b *bin) link(program string) error {
	defer b.tells(program)()
	if err := b.put(program); err != nil {
		return fmt.Errorf("build %s: %w", program, err)
	}
	return nil
}

// put does it in one step: another process may be starting what is there.
func (b *bin) put(program string) (err error) {
	dir, err := os.MkdirTemp(b.dir, ".new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	built := filepath.Join(dir, "built")
	if err := os.MkdirAll(filepath.Dir(b.name(program)), 0o700); err != nil {
		return err
	}
	there := filepath.Join(os.Getenv(BuiltVar), filepath.FromSlash(program))
	if os.Getenv(BuiltVar) != "" && b.change == nil {
		if err := os.Symlink(there, built); err != nil {
			return err
		}
		return os.Rename(built, b.name(program))
	}
	args := append([]string{"run", "-exec", "cp"}, b.flags()...)
	if err := b.tool(args, []string{program}, built); err != nil {
		return err
	}
	return os.Rename(built, b.name(program))
}

// tells says what is built now. The function that it returns ends that.
func (b *bin) tells(what string) (end func()) {
	if b.progress == nil {
		return func() {}
	}
	return b.progress.Begin(what)
}

// flags are those by which Go is to build.
func (b *bin) flags() []string {
	// What git knows is not needed, and git may be missing.
	flags := []string{"-buildvcs=false"}
	if raceDetector && os.Getenv("DISTSYS_RACE") != "off" {
		flags = append(flags, "-race")
	}
	if b.change != nil {
		flags = append(flags, "-overlay", b.change.overlay)
	}
	return flags
}

// tool calls the go command for programs.
func (b *bin) tool(args, programs []string, more ...string) error {
	for _, program := range programs {
		args = append(args, "./"+program)
	}
	command := exec.Command("go", append(args, more...)...)
	command.Dir = b.root
	text, err := command.CombinedOutput()
	if strings.Contains(string(text), syscall.ENOSPC.Error()) {
		return local.NoRoom(syscall.ENOSPC)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

// Build builds every program at and below a folder of the module into a new
// folder, and has all labs of this process, and of those that it starts, use
// them. It returns their names and the function that removes the folder.
func Build(folder string) (programs []string, remove func(), err error) {
	b, remove, err := openBin()
	if err != nil {
		return nil, nil, err
	}
	if programs, err = b.programs(folder); err == nil {
		err = b.build(b.missing(programs)...)
	}
	if err == nil {
		err = os.Setenv(BinVar, b.dir)
	}
	if err != nil {
		remove()
	}
	return programs, remove, err
}

// Programs returns the names of the programs at and below a folder of the
// module, in the order of the lecture.
func Programs(folder string) ([]string, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return (&bin{root: root}).programs(folder)
}

// Warm builds every program once, and says on out how far it is. So each of
// them starts at once when it is called by go run.
func Warm(out *os.File) error {
	b, remove, err := openBin()
	if err != nil {
		return err
	}
	defer remove()
	programs, err := b.programs(".")
	if err != nil {
		return err
	}
	b.progress = screen.NewProgress(out, 1+len(programs))
	defer b.progress.End()
	return b.build(programs...)
}

// missing returns those of the programs that are not in the folder yet.
func (b *bin) missing(programs []string) (missing []string) {
	for _, program := range programs {
		if _, err := os.Stat(b.name(program)); err != nil {
			missing = append(missing, program)
		}
	}
	return missing
}

// prepare builds the programs of a pattern, but for the run programs, so
// that the story then flows.
func (b *bin) prepare(pattern string) error {
	if os.Getenv(BinVar) != "" && b.change == nil {
		return nil
	}
	programs, err := b.programs(pattern)
	if err != nil {
		return err
	}
	return b.build(slices.DeleteFunc(programs, func(program string) bool {
		return path.Base(program) == "run"
	})...)
}

// NeverStarted returns those of the programs that no lab has started since
// they were built.
func NeverStarted(programs []string) (forgotten []string) {
	for _, program := range programs {
		mark := filepath.Join(os.Getenv(BinVar), program+startedMark)
		if _, err := os.Stat(mark); err != nil {
			forgotten = append(forgotten, program)
		}
	}
	return forgotten
}

// lecture has the patterns in the order in which the README names them.
var lecture = []string{"request_reply", "event_notification", "pipeline",
	"publish_subscribe", "message_queue", "tuple_spaces", "go_basics"}

// programs lists every program (package main) at and below a folder of the
// module, such as "request_reply"; "." stands for all. They are in the order of
// the lecture.
func (b *bin) programs(folder string) ([]string, error) {
	list := exec.Command("go", "list", "-f",
		`{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./"+folder+"/...")
	list.Dir = b.root
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the programs: %w", err)
	}
	var programs []string
	for _, line := range strings.Fields(string(text)) {
		programs = append(programs, strings.TrimPrefix(line, "distsys/"))
	}
	place := func(program string) int {
		top, _, _ := strings.Cut(program, "/")
		return slices.Index(lecture, top)
	}
	slices.SortStableFunc(programs, func(a, b string) int {
		return cmp.Compare(place(a), place(b))
	})
	return programs, nil
}
