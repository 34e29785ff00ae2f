package labtest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"distsys/internal/lab"
	"distsys/internal/local"
)

// bareVar holds the role, and what else it needs, of a process that does
// nothing but the bare library's calls: a benchmark compares our programs with
// such ones. They are the test's program, started again.
const bareVar = "DISTSYS_BARE"

// PlayBare comes first in the TestMain of a pattern with such roles. In a
// process that StartBare has started it plays the role, and does not return.
func PlayBare(play func(role []string) error) {
	role := strings.Fields(os.Getenv(bareVar))
	if len(role) == 0 {
		return
	}
	if err := play(role); err != nil {
		fmt.Fprintf(os.Stderr, "bare %s: %v\n", role[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}

// StartBare starts a process that plays a role, and is killed when the lab
// ends. It returns how to wait for the next line that the process prints.
func StartBare(l *lab.Lab, role ...any) (line func() string) {
	self, err := os.Executable()
	l.Check(err)
	command := exec.Command(self)
	command.Env = append(os.Environ(),
		bareVar+"="+strings.TrimSpace(fmt.Sprintln(role...)))
	command.Stderr = os.Stderr
	command.SysProcAttr = local.OwnGroup()
	stdout, err := command.StdoutPipe()
	l.Check(err)
	l.Check(command.Start())
	l.Cleanup(func() {
		err := command.Process.Kill()
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			l.Say("kill a bare process: %v", err)
		}
		command.Wait() // it was killed, so that this is an error
	})
	lines := bufio.NewScanner(stdout)
	return func() string {
		// It may wait for another bare process, which has failed.
		late := time.AfterFunc(lab.Patience, func() { command.Process.Kill() })
		defer late.Stop()
		if !lines.Scan() {
			l.Fail(fmt.Sprintf("no line came in time from the bare %v", role))
		}
		return lines.Text()
	}
}
