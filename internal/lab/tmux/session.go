package tmux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

// Check says why panes cannot be shown here, if they cannot.
func Check() error {
	if _, err := exec.LookPath("tmux"); err != nil {
		return errors.New("tmux is not installed; this installs it: apt-get " +
			"install tmux (or dnf install, pacman -S, brew install)")
	}
	if !Inside() && !(screen.Terminal(os.Stdin) && screen.Terminal(os.Stdout)) {
		return errors.New("-tmux needs a terminal, to show the panes on")
	}
	return nil
}

// Inside says whether this program runs in a window of tmux.
func Inside() bool { return os.Getenv("TMUX") != "" }

// What runs in a session of our own: the same command once more.
const again = `trap : INT
"$@" 2>"$0/errors"
echo $? >"$0/status"
tmux kill-server`

// Session starts a tmux of our own, on a socket of its own and without
// anybody's settings, for the same command. It returns its exit status.
func Session(ctx context.Context) (status int, err error) {
	program, err := os.Executable()
	if err != nil {
		return 1, err
	}
	dir, remove, err := local.Folder("distsys-tmux-")
	if err != nil {
		return 1, err
	}
	defer remove()
	socket := filepath.Join(dir, "tmux") // with -L it would be left behind
	session := exec.CommandContext(ctx, "tmux", slices.Concat([]string{"-u",
		"-S", socket, "-f", "/dev/null", "new-session", "sh", "-c", again, dir,
		program}, os.Args[1:], []string{";", "set-option", "status", "off"})...)
	session.Cancel = func() error {
		_, err := tmux("-S", socket, "send-keys", "C-c")
		return err
	}
	session.Stdin, session.Stdout = os.Stdin, os.Stdout
	session.Stderr = os.Stderr
	ended := session.Run()
	said, err := os.ReadFile(filepath.Join(dir, "errors"))
	text, failed := os.ReadFile(filepath.Join(dir, "status"))
	if err = errors.Join(err, failed); err != nil {
		// The terminal was closed, or nobody looks at it any more.
		_, gone := tmux("-S", socket, "kill-server")
		return 1, fmt.Errorf("tmux was left before the end of the story: %w",
			cmp.Or(ended, gone, err))
	}
	fmt.Fprint(os.Stderr, string(said))
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// tmux runs a command of tmux, and returns what it says.
func tmux(args ...string) (string, error) {
	command := exec.Command("tmux", args...)
	command.SysProcAttr = local.OwnGroup() // Ctrl-C is not meant for it
	text, err := command.CombinedOutput()
	said := strings.TrimSpace(string(text))
	if err != nil {
		err = errors.New("tmux: " + cmp.Or(said, err.Error()))
	}
	return said, err
}
