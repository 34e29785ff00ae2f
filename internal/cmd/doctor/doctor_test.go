package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m, "internal/cmd/doctor") }

// bareMachine returns a PATH on which there is Go, and the commands given,
// each of which notes in a file that it was called, and nothing else.
func bareMachine(t *testing.T, commands ...string) (path, notes string) {
	t.Helper()
	dir := t.TempDir()
	notes = filepath.Join(dir, "notes")
	goPath, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(goPath, filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	for _, command := range commands {
		script := "#!/bin/sh\necho \"${0##*/} $*\" >>" + notes + "\n"
		if command == "sudo" {
			script += "exec \"$@\"\n"
		}
		if err := os.WriteFile(filepath.Join(dir, command), []byte(script),
			0o755); err != nil {
			t.Fatal(err)
		}
	}
	return "PATH=" + dir, notes
}

func TestSaysWhatIsMissingAndTheCure(t *testing.T) {
	for manager, says := range map[string]string{
		"apt-get": "apt-get install -y --no-install-recommends gcc libc6-dev " +
			"pkg-config libzmq3-dev",
		"dnf":    "dnf install -y gcc glibc-devel pkgconf-pkg-config zeromq-devel",
		"pacman": "pacman -S --needed --noconfirm gcc pkgconf zeromq",
		"brew":   "brew install gcc pkgconf zeromq",
		"none":   "Install by hand what is missing",
	} {
		path, notes := bareMachine(t, manager)
		doctor := labtest.New(t).StartEnv([]string{path}, "internal/cmd/doctor")
		if doctor.Wait() != 1 || !strings.Contains(doctor.Text(), says) {
			t.Errorf("%s: the doctor says %q", manager, doctor.Text())
		}
		for _, missing := range []string{"C compiler", "pkg-config", "libzmq"} {
			if !strings.Contains(doctor.Text(), missing) {
				t.Errorf("%s is not said to be missing", missing)
			}
		}
		if _, err := os.Stat(notes); err == nil {
			t.Errorf("%s was called, without -fix", manager)
		}
	}
}

func TestFixSaysFirstAndThenInstalls(t *testing.T) {
	path, notes := bareMachine(t, "apt-get", "sudo")
	doctor := labtest.New(t).StartEnv([]string{path}, "internal/cmd/doctor",
		"-fix")
	if doctor.Wait() != 1 { // for the apt-get here installs nothing
		t.Errorf("the doctor believes that it is cured: %q", doctor.Text())
	}
	called, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, line := range strings.Split(strings.TrimSpace(string(called)), "\n") {
		if strings.HasPrefix(line, "apt-get ") {
			commands = append(commands, line)
		}
	}
	if len(commands) != 2 || commands[0] != "apt-get update" ||
		!strings.HasPrefix(commands[1], "apt-get install -y ") {
		t.Fatalf("called: %q", commands)
	}
	for _, command := range commands {
		if !strings.Contains(doctor.Text(), command) {
			t.Errorf("%q was run without a word", command)
		}
	}
}

func TestHealthyMachine(t *testing.T) {
	doctor := labtest.New(t).Start("internal/cmd/doctor")
	if doctor.Wait() != 0 ||
		!strings.Contains(doctor.Text(), "Nothing is missing.") {
		t.Errorf("the doctor says %q", doctor.Text())
	}
	for _, part := range []string{"Go ", "C compiler", "cgo", "pkg-config",
		"libzmq", "RabbitMQ", "ports", "broker"} {
		if !strings.Contains(doctor.Text(), part) {
			t.Errorf("nothing is said of %q", part)
		}
	}
	fix := labtest.New(t).Start("internal/cmd/doctor", "-fix")
	if fix.Wait() != 0 || fix.Text() != "" {
		t.Errorf("on a healthy machine -fix says %q", fix.Text())
	}
}

func TestCgoSwitchedOff(t *testing.T) {
	doctor := labtest.New(t).StartEnv([]string{"DISTSYS_CGO=0"},
		"internal/cmd/doctor")
	if doctor.Wait() != 1 ||
		!strings.Contains(doctor.Text(), "go env -u CGO_ENABLED") {
		t.Errorf("the doctor says %q", doctor.Text())
	}
}
