// Package tmux shows a story in tmux: a pane for each program, beside the
// story's own.
package tmux

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/lab/record"
	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

const (
	maxPanes   = 8                      // more are too small to be read
	timeToMute = 200 * time.Millisecond // what is muted by then gets no pane
	timeToRead = 3 * time.Second        // what a program printed at its end
)

// Panes are those of a tmux window: one for each program, beside the story's
// own, which shows what the story says.
type Panes struct {
	story  string        // tmux's name for the pane that run is in
	full   *screen.Plain // in that pane
	out    io.Writer
	told   bytes.Buffer // in that pane, so far
	undo   [][]string   // what leaves the window as it was
	dir    string       // of the files that the panes show
	remove func()       // that folder

	mu      sync.Mutex
	prompt  string        // what is being asked
	all     map[int]*pane // by the number of the process
	waiting []*pane       // of programs that have just started
	open    []*pane       // on the window
	crowded bool          // it was said that there is no room
}

// A pane shows a file, to which is added what its program prints.
type pane struct {
	id     string // tmux's name for it, once it is there
	title  string
	role   string
	file   *os.File // nil: it is closed
	lines  []record.Event
	marked time.Time
	ended  bool
}

// What a pane runs. tmux keeps the end of a text when it makes a pane
// narrower; this shows its beginning as well.
const follow = `trap : WINCH
while printf '\033[H\033[2J\033[3J'; do
	tail -n +1 -f "$0" &
	wait && exit
	kill $!
done`

// Open makes the window that this program is in ready for panes. Close must
// follow, also after an error.
func Open(out io.Writer) (t *Panes, err error) {
	t = &Panes{story: os.Getenv("TMUX_PANE"), out: out, all: map[int]*pane{}}
	t.full = screen.NewPlainBeside(out, &t.told)
	if t.dir, t.remove, err = local.Folder("distsys-panes-"); err != nil {
		return t, err
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
	return t, err
}

// Show shows an event: in a program's own pane, if it has one, what the
// program prints and what becomes of it; all else in the story's.
func (t *Panes) Show(e record.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.all[e.Process]
	switch {
	case e.Kind == record.Ask:
		t.prompt = e.Text
		fmt.Fprint(t.out, e.Text)
		return
	case e.Kind == record.Start:
		t.add(e)
	case p == nil || p.file == nil:
	case e.Kind == record.Print:
		p.lines = append(p.lines, e)
		p.line(e.Label, e.Text)
		return
	case e.Kind == record.Mute:
		t.close(p)
	case e.Kind == record.Freeze:
		t.mark(p, "frozen")
	case e.Kind == record.GoOn:
		t.mark(p, "goes on")
	case e.Kind == record.End:
		p.ended = true
		switch e.Status {
		case 0:
			t.mark(p, "ended")
		case -1:
			t.mark(p, "killed")
		default:
			t.mark(p, fmt.Sprintf("ended with status %d", e.Status))
		}
	}
	t.full.Show(e)
}

func (t *Panes) say(text string) {
	t.full.Show(record.Event{Kind: record.Say, Text: text})
}

// add gives a program that was just started a pane, if there is room. It
// opens in a moment, since some programs are muted at once.
func (t *Panes) add(e record.Event) {
	if e.Role == "run" { // that one has a screen of its own
		return
	}
	p := &pane{role: e.Role, title: ""}
	if len(t.waiting)+len(t.open) >= maxPanes && t.old() < 0 {
		t.giveUp(p)
		return
	}
	file, err := os.CreateTemp(t.dir, "")
	if err != nil {
		t.say(err.Error())
		return
	}
	p.file = file
	p.line(e.Label, t.full.Paint(screen.Bold, "$ "+e.Text))
	t.all[e.Process] = p
	t.waiting = append(t.waiting, p)
	time.AfterFunc(timeToMute, t.show)
}

// old is the pane of a program that has ended and has had time to be read,
// or -1.
func (t *Panes) old() int {
	return slices.IndexFunc(t.open, func(p *pane) bool {
		return p.ended && time.Since(p.marked) > timeToRead
	})
}

// show opens the pane of the program that has waited longest.
func (t *Panes) show() {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.waiting[0]
	t.waiting = t.waiting[1:]
	if p.file == nil { // it was muted, or all is over
		return
	}
	if old := t.old(); old >= 0 && len(t.open) == maxPanes {
		t.close(t.open[old])
	}
	last, err := t.story, errors.New("all the panes are in use")
	if n := len(t.open); n > 0 {
		last = t.open[n-1].id
	}
	if len(t.open) < maxPanes {
		p.id, err = tmux("split-window", "-dP", "-F", "#{pane_id}", "-t",
			last, "sh", "-c", follow, p.file.Name(), ";",
			"select-layout", "-t", t.story, "tiled")
	}
	if err != nil {
		p.id = ""
		t.giveUp(p)
		return
	}
	t.open = append(t.open, p)
	// The story's pane has another width now: all that was told, once more.
	fmt.Fprint(t.out, "\x1b[H\x1b[2J"+t.told.String()+t.prompt)
}

// giveUp has what a program prints shown in the story's pane.
func (t *Panes) giveUp(p *pane) {
	if !t.crowded {
		t.crowded = true
		t.say("no room for more panes: what the others print stands here")
	}
	t.close(p)
	for _, e := range p.lines {
		t.full.Show(e)
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
func (t *Panes) mark(p *pane, what string) {
	p.line(p.title, t.full.Paint(screen.Red, "-- "+what+" --"))
	p.marked = time.Now()
}

// close closes the pane of a program, if it has one.
func (t *Panes) close(p *pane) {
	if p.file == nil {
		return
	}
	err := p.file.Close()
	p.file = nil
	if p.id != "" {
		_, failed := tmux("kill-pane", "-t", p.id, ";",
			"select-layout", "-t", t.story, "tiled")
		err = errors.Join(err, failed)
	}
	t.open = slices.DeleteFunc(t.open, func(q *pane) bool { return q == p })
	if err != nil && !strings.Contains(err.Error(), "can't find pane") {
		t.say(err.Error()) // else the lecturer has closed it
	}
}

// Close closes all the panes, and leaves the window as it was.
func (t *Panes) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.all {
		t.close(p)
	}
	for _, undo := range t.undo {
		if _, err := tmux(undo...); err != nil {
			t.say(err.Error())
		}
	}
	t.remove()
}
