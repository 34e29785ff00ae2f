package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab/record"
	"distsys/internal/local"
)

// A Without is a change of one line that a claim rests on. Run without that
// line, the experiment must break: so one sees what the line is for, and that
// the experiment does not hold for another reason.
//
// For a claim about what the middleware cannot do, the change is a cure
// instead: with it, what the claim complains of is gone.
type Without struct {
	Name string // as it is typed: -without ack
	Edit
	And   []Edit // what has to be changed elsewhere
	Watch string // what to watch, in one sentence
	Cure  bool   // it is one
}

// An Edit is a change of one place in a file.
type Edit struct {
	File   string // from the top of the module
	Line   string // text that occurs exactly once in the file
	Become string // what takes its place; it must compile
}

// unfit is why a change cannot be tried, though nothing is wrong with the
// claim: the exit status is 2 then.
func unfit(format string, args ...any) error {
	return cli.Status(2, fmt.Errorf(format, args...))
}

// find returns the change of that name.
func (e Experiment) find(name string) (Without, error) {
	var names []string
	for _, w := range e.Without {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	if len(names) == 0 {
		return Without{}, unfit("%s has nothing to leave out: %s", e.Name,
			e.NoWithout)
	}
	return Without{}, unfit("%s has no line %q; there are: %s", e.Name, name,
		strings.Join(names, ", "))
}

// A change is a Without in a folder of its own. Nothing is written to the
// student's folder: Go is told to read some files from there (go build
// -overlay).
type change struct {
	Without
	overlay string         // the file that tells Go
	copies  []string       // of each file, with its edits, in order
	events  []record.Event // that show the edits
}

// edits returns all of them.
func (w Without) edits() []Edit { return append([]Edit{w.Edit}, w.And...) }

// prepare makes the changed copies. It fails if a text is not there exactly
// once: then the file has been edited.
func (w Without) prepare(root string) (c *change, remove func(), err error) {
	dir, removeDir, err := local.Folder("distsys-without-")
	if err != nil {
		return nil, nil, unfit("%w", err)
	}
	defer func() {
		if err != nil {
			removeDir()
		}
	}()
	c = &change{Without: w, overlay: filepath.Join(dir, "overlay.json")}
	replace := map[string]string{}
	for i, e := range w.edits() {
		original := filepath.Join(root, filepath.FromSlash(e.File))
		source := original
		if replace[original] != "" {
			source = replace[original] // a second edit of that file
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return nil, nil, unfit("%w", err)
		}
		if n := strings.Count(string(text), e.Line); n != 1 {
			return nil, nil, unfit("%s has been edited: it has %d times, not "+
				"once, the line %q", e.File, n, e.Line)
		}
		before, after, _ := strings.Cut(string(text), e.Line)
		c.events = append(c.events, record.Event{Kind: record.Change,
			Source: fmt.Sprintf("%s:%d", e.File, 1+strings.Count(before, "\n")),
			Text:   e.Line, Become: e.Become})
		replace[original] = filepath.Join(dir, fmt.Sprint(i)+
			path.Ext(e.File))
		c.copies = append(c.copies, replace[original])
		if err := os.WriteFile(replace[original],
			[]byte(before+e.Become+after), 0o600); err != nil {
			return nil, nil, unfit("%w", err)
		}
	}
	names, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(c.overlay, names, 0o600)
	}
	if err != nil {
		return nil, nil, unfit("%w", err)
	}
	return c, removeDir, nil
}

// compiles returns an error if a file's package does not compile with the
// change.
func (c *change) compiles(root string) error {
	args := []string{"list", "-export", "-f", "{{.Export}}", "-overlay",
		c.overlay}
	for _, e := range c.edits() {
		if path.Ext(e.File) == ".go" {
			args = append(args, "./"+path.Dir(e.File))
		}
	}
	if len(args) == 6 {
		return nil // it is in another language
	}
	list := exec.Command("go", args...)
	list.Dir = root
	if text, err := list.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not compile: %s", c.Name, text)
	}
	return nil
}

// tellWithout runs an experiment as it is, then with the change, and shows
// both verdicts.
func tellWithout(ctx context.Context, view view, pattern string, e Experiment,
	name string) (err error) {
	w, err := e.find(name)
	if err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return unfit("%w", err)
	}
	c, remove, err := w.prepare(root)
	if err != nil {
		return err
	}
	defer remove()
	closeScreens := func(error) error { return nil }
	defer func() { err = errors.Join(err, closeScreens(err)) }()

	bin, removeBin, err := openBin()
	if err != nil {
		return unfit("%w", err)
	}
	defer removeBin()
	intact := newLab(ctx, bin, giveUp)
	defer intact.Close()
	if err := bin.prepare(pattern); err != nil {
		return unfit("%w", err)
	}
	if closeScreens, err = intact.open(view); err != nil {
		return unfit("%w", err)
	}
	intact.begin(pattern, e, "")
	if err := intact.play(e); err != nil {
		return unfit("as it is, %w", err)
	}
	if intact.isTakenOver() {
		return nil
	}
	intact.Close()
	if ctx.Err() != nil {
		return nil
	}

	changed, removeChanged, err := intact.again(c)
	if err != nil {
		return unfit("%w", err)
	}
	defer removeChanged()
	defer changed.Close()
	if err := changed.bin.build(intact.started()...); err != nil {
		return unfit("without %s: %w", w.Name, err)
	}
	changed.begin(pattern, e, w.Name)
	for _, e := range c.events {
		changed.happened(e)
	}
	changed.Say("%s", w.Watch)
	err = changed.play(e)
	if changed.isTakenOver() {
		return nil
	}
	if err != nil && changed.verdict == nil {
		if ctx.Err() != nil {
			return nil
		}
		var reason errStory
		if !errors.As(err, &reason) {
			return unfit("%w", err)
		}
		changed.Verdict(false, "it could not go on: %v", reason)
	}
	how := "without " + w.Name
	if w.Cure {
		how = "with the cure " + w.Name
	}
	intact.outcome.Name, changed.outcome.Name = "as it is", how
	changed.happened(intact.outcome)
	changed.happened(changed.outcome)
	if *changed.verdict {
		return fmt.Errorf("%s holds %s, too: it was not this line", e.Name, how)
	}
	return nil
}

// started returns the programs that were started, each once.
func (l *Lab) started() (programs []string) {
	for _, p := range l.processes {
		if !slices.Contains(programs, p.program) {
			programs = append(programs, p.program)
		}
	}
	return programs
}

// again returns a lab for the second run: with programs of its own, the
// same screens, and a patience that has learned from the first run how long
// things take.
func (l *Lab) again(c *change) (*Lab, func(), error) {
	dir, remove, err := local.Folder("distsys-bin-")
	if err != nil {
		return nil, nil, err
	}
	took := time.Since(l.begun)
	second := newLab(l.whole, &bin{dir: dir, root: l.bin.root, change: c},
		giveUp)
	second.screens, second.step = l.screens, l.step
	second.sources, second.processes0 = l.sources, l.processes0+len(l.processes)
	second.onStage(l.stage)
	second.goesOn = true
	second.limit = l.longest*3/2 + 3*time.Second
	second.deadline = took*3/2 + 12*time.Second
	return second, remove, nil
}

// listWithout lists what can be left out of the experiments: the names, with
// the line that each takes away.
func listWithout(all []Experiment) {
	for _, e := range all {
		fmt.Printf("%s: %s\n", e.Name, e.Claim)
		for _, w := range e.Without {
			kind := "without"
			if w.Cure {
				kind = "a cure"
			}
			fmt.Printf("  %-12s (%s) %s: %s\n", w.Name, kind, w.File,
				firstLine(w.Line))
		}
		if len(e.Without) == 0 {
			fmt.Printf("  nothing: %s\n", e.NoWithout)
		}
	}
}

func firstLine(text string) string {
	line, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if more {
		line += " ..."
	}
	return line
}

// checkWithout makes sure that each line that can be left out is there once,
// and that what is left compiles.
func checkWithout(all []Experiment) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	type result struct {
		name string
		err  error
	}
	results := make(chan result)
	free := make(chan bool, 4)
	count := 0
	var failed error
	for _, e := range all {
		if len(e.Without) == 0 && e.NoWithout == "" {
			failed = errors.Join(failed, fmt.Errorf("%s names no line that "+
				"makes it true", e.Name))
		}
		for _, w := range e.Without {
			count++
			go func() {
				free <- true
				defer func() { <-free }()
				c, remove, err := w.prepare(root)
				if err == nil {
					defer remove()
					err = c.compiles(root)
				}
				if err == nil && (w.Watch == "" || w.Name == "") {
					err = errors.New("no name, or nothing to watch")
				}
				results <- result{e.Name + " without " + w.Name, err}
			}()
		}
	}
	for range count {
		r := <-results
		if r.err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", r.name, r.err))
			continue
		}
		fmt.Println(r.name, "compiles")
	}
	return failed
}
