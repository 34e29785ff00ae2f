package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	maxPanes   = 8                      // more are too small to be read
	timeToMute = 200 * time.Millisecond // what is muted by then gets no pane
	timeToRead = 3 * time.Second        // what a program printed at its end
)

// panes are those of a tmux window: one for each program, beside the story's
// own. The lab's lock guards them.
type panes struct {
	lab     *Lab
	story   string       // tmux's name for the pane that run is in
	told    bytes.Buffer // in that pane
	undo    [][]string   // what leaves the window as it was
	dir     string       // of the files that the panes show
	waiting []*Process   // started, without a pane as yet
	open    []*Process
	crowded bool // it was said that there is no room
}

// A pane shows a file, to which the lab adds what the program prints.
type pane struct {
	id, title string // its id is tmux's name for it, once it is there
	file      *os.File
	marked    time.Time
}

// What a pane runs. tmux keeps the end of a text when it makes a pane
// narrower; this shows its beginning as well.
const follow = `trap : WINCH
while printf '\033[H\033[2J\033[3J'; do
	tail -n +1 -f "$0" &
	wait && exit
	kill $!
done`

// openPanes makes the window that run is in ready for panes.
func (l *Lab) openPanes() (err error) {
	t := &panes{lab: l, story: os.Getenv("TMUX_PANE")}
	l.panes = t
	l.screen.out = io.MultiWriter(l.screen.out, &t.told)
	if t.dir, err = os.MkdirTemp("", "distsys-panes-"); err != nil {
		return err
	}
	do := func(command string, args ...string) string {
		said, failed := tmux(append([]string{command, "-t", t.story},
			args...)...)
		err = errors.Join(err, failed)
		return said
	}
	layout := do("display-message", "-p", "#{window_layout}")
	for _, option := range [][2]string{{"pane-border-status", "top"},
		{"pane-border-format", " #{?#{==:#{pane_id}," + t.story +
			"},the story,#{pane_title}} "}} {
		undo := []string{"set-option", "-wut", t.story, option[0]}
		if was := do("show-options", "-wv", option[0]); was != "" {
			undo = []string{"set-option", "-wt", t.story, option[0], was}
		}
		t.undo = append(t.undo, undo)
		do("set-option", "-w", option[0], option[1])
	}
	t.undo = append(t.undo, []string{"select-layout", "-t", t.story, layout})
	return err
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// typed is the command that a student would type.
func typed(program string, args []string) string {
	command := "$ go run ./" + program
	for _, arg := range args {
		if !plainWord.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		command += " " + arg
	}
	return command
}

// add gives a program that was just started a pane, where there is room. It
// opens in a moment, since some programs are muted at once.
func (t *panes) add(p *Process, command string) {
	if t == nil || p.role == "run" { // that one has a screen of its own
		return
	}
	if len(t.waiting)+len(t.open) >= maxPanes && t.old() < 0 {
		t.giveUp(p)
		return
	}
	file, err := os.CreateTemp(t.dir, "")
	if err != nil {
		t.lab.screen.note(err.Error())
		return
	}
	p.pane = &pane{file: file}
	p.pane.line(p.label, t.lab.screen.paint(bold, command))
	t.waiting = append(t.waiting, p)
	time.AfterFunc(timeToMute, t.show)
}

// old is a program that has ended and has had time to be read, or -1.
func (t *panes) old() int {
	return slices.IndexFunc(t.open, func(p *Process) bool {
		return p.ended && time.Since(p.pane.marked) > timeToRead
	})
}

// show opens the pane of the program that has waited longest.
func (t *panes) show() {
	t.lab.mu.Lock()
	defer t.lab.mu.Unlock()
	p := t.waiting[0]
	t.waiting = t.waiting[1:]
	if p.pane == nil { // it was muted, or all is over
		return
	}
	if old := t.old(); old >= 0 && len(t.open) == maxPanes {
		t.close(t.open[old])
	}
	last, err := t.story, errors.New("all the panes are in use")
	if n := len(t.open); n > 0 {
		last = t.open[n-1].pane.id
	}
	if len(t.open) < maxPanes {
		p.pane.id, err = tmux("split-window", "-dP", "-F", "#{pane_id}", "-t",
			last, "sh", "-c", follow, p.pane.file.Name(), ";",
			"select-layout", "-t", t.story, "tiled")
	}
	if err != nil {
		p.pane.id = ""
		t.giveUp(p)
		return
	}
	t.open = append(t.open, p)
	t.lab.screen.again(&t.told)
}

// giveUp has what a program prints shown in the story's pane.
func (t *panes) giveUp(p *Process) {
	if !t.crowded {
		t.crowded = true
		t.lab.screen.note("no room for more panes: what the others print " +
			"stands here")
	}
	t.close(p)
	for _, line := range p.lines {
		p.show(line, false)
	}
}

// line adds a line; an escape sequence gives the pane its title.
func (p *pane) line(title, text string) {
	if title != p.title {
		p.title = title
		text = "\x1b]2;" + title + "\x1b\\" + text
	}
	fmt.Fprintln(p.file, text)
}

// mark says in a program's pane what has become of it.
func (p *Process) mark(what string) {
	if p.pane != nil {
		p.pane.line(p.label, p.lab.screen.paint(red, "-- "+what+" --"))
		p.pane.marked = time.Now()
	}
}

// close closes the pane of a program, if it has one.
func (t *panes) close(p *Process) {
	if p.pane == nil {
		return
	}
	err := p.pane.file.Close()
	if p.pane.id != "" {
		_, failed := tmux("kill-pane", "-t", p.pane.id, ";",
			"select-layout", "-t", t.story, "tiled")
		err = errors.Join(err, failed)
	}
	p.pane = nil
	t.open = slices.DeleteFunc(t.open, func(q *Process) bool { return q == p })
	if err != nil && !strings.Contains(err.Error(), "can't find pane") {
		t.lab.screen.note(err.Error()) // else the lecturer has closed it
	}
}

// end closes all the panes, when those who watch have read them.
func (t *panes) end(read func()) {
	t.lab.stopAll()
	read()
	t.lab.mu.Lock()
	defer t.lab.mu.Unlock()
	for _, p := range t.lab.processes {
		t.close(p)
	}
	for _, undo := range t.undo {
		if _, err := tmux(undo...); err != nil {
			t.lab.screen.note(err.Error())
		}
	}
	os.RemoveAll(t.dir)
}
