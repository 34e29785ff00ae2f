package local_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"distsys/internal/local"
)

// The tests' program, started again, plays the part of another one: with
// roleVar set, it locks the folder that it names, says so, and waits until it
// is killed.
const roleVar = "DISTSYS_LOCK"

func TestMain(m *testing.M) {
	if role, dir, ok := strings.Cut(os.Getenv(roleVar), " "); ok {
		if err := play(role, dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(role, dir string) error {
	switch role {
	case "temporary":
		dir, _, err := local.TempDir("distsys-test-")
		fmt.Println(dir, err)
	case "parent": // of a child that goes on when its parent is killed
		lock, err := local.LockDir(dir)
		if err != nil {
			return err
		}
		child := exec.Command("sleep", "1000")
		child.ExtraFiles = []*os.File{lock.File()}
		if err := child.Start(); err != nil {
			return err
		}
		fmt.Println(child.Process.Pid, lock.Name(child.Process.Pid))
	}
	_, err := os.Stdin.Read(make([]byte, 1)) // until it is killed
	return err
}

// other starts a process in a role. The function returns the first word that
// it prints.
func other(t *testing.T, role, dir string, env ...string) (*exec.Cmd,
	func() string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), env...),
		roleVar+"="+role+" "+dir)
	_, err := command.StdinPipe() // held open
	must(t, err)
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	return command, func() string {
		t.Helper()
		line, err := bufio.NewReader(out).ReadString('\n')
		must(t, err)
		word, failed, _ := strings.Cut(strings.TrimSpace(line), " ")
		if failed != "<nil>" {
			t.Fatal(line)
		}
		return word
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A folder is locked until every process that has the lock's file has ended,
// and whoever wants it is told who they are.
func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parent, word := other(t, "parent", dir)
	var child int
	_, err := fmt.Sscan(word(), &child)
	must(t, err)
	for _, holder := range []int{parent.Process.Pid, child} {
		_, err := local.LockDir(dir)
		var used local.InUse
		if !errors.As(err, &used) || used.Dir != dir || used.PID != holder {
			t.Errorf("locked by process %d, but: %v", holder, err)
		}
		process, err := os.FindProcess(holder)
		must(t, err)
		must(t, process.Kill())
		parent.Wait() // once; the child is nobody's any more
	}
	lock := wait(t, dir)
	if _, err := local.LockDir(dir); err == nil {
		t.Error("it is locked twice")
	}
	must(t, lock.Release())
	must(t, wait(t, dir).Release())
}

// wait locks a folder as soon as its holder, which was killed, has ended.
func wait(t *testing.T, dir string) *local.Lock {
	t.Helper()
	for t.Context().Err() == nil {
		if lock, err := local.LockDir(dir); err == nil {
			return lock
		}
	}
	t.Fatal("the lock is never released")
	return nil
}

// The folder of a process that was killed goes when the next one is made; one
// that is in use, or of another kind, stays.
func TestTempDirSweeps(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	strange := filepath.Join(temporary, "distsys-test-strange")
	must(t, os.Mkdir(strange, 0o700))
	env := "TMPDIR=" + temporary
	killed, word := other(t, "temporary", "", env)
	dead := word()
	must(t, os.WriteFile(filepath.Join(dead, "data"), nil, 0o600))
	must(t, killed.Process.Kill())
	killed.Wait()
	_, word = other(t, "temporary", "", env)
	first := word()
	_, word = other(t, "temporary", "", env)
	second := word()
	for dir, stays := range map[string]bool{strange: true, dead: false,
		first: true, second: true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: %v; it stays: %v", dir, err, stays)
		}
	}
}

// Many that start at once do not sweep away what the others have just made.
func TestTempDirsAtOnce(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	var words []func() string
	for range 20 {
		_, word := other(t, "temporary", "", "TMPDIR="+temporary)
		words = append(words, word)
	}
	for _, word := range words {
		dir := word()
		_, err := local.LockDir(dir)
		if used := (local.InUse{}); !errors.As(err, &used) {
			t.Errorf("%s is not there, or not locked: %v", dir, err)
		}
	}
}

// If a disk is full, the error says what to do. Others stay as they are.
func TestNoRoom(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	if text := local.NoRoom(full).Error(); !strings.Contains(text, "TMPDIR") ||
		!strings.Contains(text, os.TempDir()) {
		t.Errorf("a full disk: %s", text)
	}
	other := &os.PathError{Op: "write", Path: "x", Err: syscall.EACCES}
	if err := local.NoRoom(other); err != other {
		t.Errorf("another error has become %v", err)
	}
}
