package suite

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// A desk is a terminal at which a lecturer works: a window of a tmux that is
// there for this test alone.
type desk struct {
	t      *testing.T
	socket string
	tmp    string // what is left behind would be here
}

// sit opens a desk, and types a command at it.
func sit(t *testing.T, command string) desk {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: -tmux is not tested")
	}
	t.Parallel()
	sockets, err := os.MkdirTemp("", "tmux-") // a short name: a socket's is
	labtest.Must(t, err)
	d := desk{t, filepath.Join(sockets, "desk"), t.TempDir()}
	t.Cleanup(func() {
		d.tmux("kill-server") // an error: it has ended already
		labtest.Must(t, os.RemoveAll(sockets))
	})
	out, err := d.tmux("-f", "/dev/null", "new-session", "-d", "-x", "200",
		"-y", "50", "export TMPDIR="+d.tmp+"; "+command)
	if err != nil {
		t.Fatalf("tmux: %s", out)
	}
	return d
}

func (d desk) tmux(args ...string) (string, error) {
	text, err := exec.Command("tmux", append([]string{"-u", "-S", d.socket},
		args...)...).CombinedOutput()
	return string(text), err
}

// panes returns what each pane shows; none: the session has ended.
func (d desk) panes() (shown []string) {
	ids, err := d.tmux("list-panes", "-F", "#{pane_id}")
	if err != nil {
		return nil
	}
	for _, id := range strings.Fields(ids) {
		text, err := d.tmux("capture-pane", "-pJ", "-t", id)
		if err == nil { // else it was closed just now
			shown = append(shown, text)
		}
	}
	return shown
}

// sees waits until what the panes show is right.
func (d desk) sees(what string, right func(shown []string) bool) {
	d.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(lab.Patience)
	for shown := d.panes(); !right(shown); shown = d.panes() {
		select {
		case <-tick.C:
		case <-late:
			d.t.Fatalf("waited in vain for %s:\n%s", what,
				strings.Join(shown, "\n----\n"))
		}
	}
}

// types presses keys in the pane of the story, which is the first.
func (d desk) types(keys ...string) {
	d.t.Helper()
	out, err := d.tmux(append([]string{"send-keys", "-t", "%0"}, keys...)...)
	if err != nil {
		d.t.Fatalf("tmux: %s", out)
	}
}

// leavesNothing waits until all temporary files are gone.
func (d desk) leavesNothing() {
	d.t.Helper()
	d.sees("no files in "+d.tmp, func([]string) bool {
		files, err := os.ReadDir(d.tmp)
		labtest.Must(d.t, err)
		return len(files) == 0
	})
}

func has(shown []string, texts ...string) bool {
	for _, pane := range shown {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(pane, text)
		}
		if all {
			return true
		}
	}
	return false
}

func ended(shown []string) bool { return len(shown) == 0 }

func runProgram(args string) string {
	return filepath.Join(os.Getenv(lab.BinVar), "request_reply", "run") +
		" -tmux " + args
}

const (
	client = "$ go run ./request_reply/client -connect tcp://127.0.0.1:"
	holds  = "1 answered: claim holds"
	over   = "(Return closes the panes)"
)

// At a lecturer's own tmux the programs get panes of the window that run is
// in, and Return closes them.
func TestPanesOfTheWindow(t *testing.T) {
	d := sit(t, "exec "+runProgram("client-first"))
	d.sees("the panes and the verdict", func(shown []string) bool {
		return len(shown) == 3 &&
			has(shown, client, "\nhello!\n", "-- ended --") &&
			has(shown, "$ go run ./request_reply/server -bind", "received") &&
			has(shown, "== request_reply client-first", "» now", holds, over)
	})
	if shown := d.panes(); has(shown, "» now", "replied") {
		t.Errorf("the story's pane shows what programs print: %q", shown)
	}
	d.types("Enter")
	d.sees("the end of the session", ended)
	d.leavesNothing()
}

// The window is afterwards as it was, also where the lecturer presses
// Ctrl-C.
func TestPanesAreClosedOnCtrlC(t *testing.T) {
	d := sit(t, runProgram("-step server-crash")+"; echo status $?; exec cat")
	d.sees("the first question", func(shown []string) bool {
		return len(shown) == 1 && has(shown, "(Return goes on)")
	})
	d.types("Enter")
	d.sees("a program that was killed", func(shown []string) bool {
		return len(shown) == 3 && has(shown, "received", "-- killed --") &&
			has(shown, "the server is back;")
	})
	d.types("C-c")
	d.sees("one pane", func(shown []string) bool {
		return len(shown) == 1 && has(shown, "stopped", "status 0")
	})
	options, err := d.tmux("show-options", "-w", "-t", "%0")
	if err != nil || options != "" {
		t.Errorf("these options of the window are left: %q", options)
	}
	d.leavesNothing()
}

// Outside tmux there is a session of our own for as long as the story lasts.
func TestSessionOfOurOwn(t *testing.T) {
	d := sit(t, "unset TMUX TMUX_PANE; "+runProgram("client-first")+
		"; echo status $?; exec cat")
	d.sees("the panes and the verdict", func(shown []string) bool {
		return has(shown, client, " the story ", " client ", holds, over)
	})
	d.types("Enter")
	d.sees("the exit status", func(shown []string) bool {
		return has(shown, "status 0")
	})
	d.leavesNothing()
}

// Where the terminal is closed, or the lecturer detaches from the session of
// our own, it ends.
func TestSessionEndsWhenItIsLeft(t *testing.T) {
	for how, leave := range map[string]func(d desk){
		"closed": func(d desk) {
			if out, err := d.tmux("kill-server"); err != nil {
				d.t.Fatalf("tmux: %s", out)
			}
		},
		"detached": func(d desk) {
			d.types("C-b", "d")
			d.sees("the exit status", func(shown []string) bool {
				return has(shown, "tmux was left before the end", "status 1")
			})
		},
	} {
		t.Run(how, func(t *testing.T) {
			d := sit(t, "unset TMUX TMUX_PANE; "+runProgram("client-first")+
				"; echo status $?; exec cat")
			d.sees("the panes", func(shown []string) bool {
				return has(shown, client, over)
			})
			sockets, err := filepath.Glob(filepath.Join(d.tmp, "*", "tmux"))
			if err != nil || len(sockets) != 1 {
				t.Fatalf("sockets in %s: %q", d.tmp, sockets)
			}
			server, err := exec.Command("tmux", "-S", sockets[0],
				"display-message", "-p", "#{pid}").Output()
			labtest.Must(t, err)
			leave(d)
			d.leavesNothing()
			d.sees("the end of its tmux", func([]string) bool {
				state, err := exec.Command("ps", "-o", "stat=", "-p",
					strings.TrimSpace(string(server))).Output()
				return err != nil || strings.HasPrefix(string(state), "Z")
			})
		})
	}
}

func TestPanesAreRefused(t *testing.T) {
	for _, c := range []struct{ env, says string }{
		{"TMUX=", ": -tmux needs a terminal"},
		{"PATH=" + t.TempDir(), ": tmux is not installed; this installs"},
	} {
		if _, err := exec.LookPath("tmux"); err != nil && c.env == "TMUX=" {
			t.Log("tmux is not installed, so not tested:", c.says)
			continue
		}
		run := labtest.New(t).StartEnv([]string{c.env}, "request_reply/run",
			"-tmux")
		status, lines := run.Wait(), run.Stderr()
		if status != 1 || len(lines) != 1 ||
			!strings.Contains(lines[0], c.says) {
			t.Errorf("with %s: status %d, %q", c.env, status, lines)
		}
	}
}
