package screen

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// A Progress says how far a long command is: which of how many parts has
// begun, and what runs. On a terminal that is one line, which is rewritten;
// elsewhere it is a line for each part as it begins. So a command uses it:
//
//	progress := screen.NewProgress(os.Stderr, len(parts))
//	defer progress.End()
//	for _, part := range parts {
//		end := progress.Begin(part.name)
//		... // the work
//		end()
//		progress.Println(os.Stdout, "what came of it")
//	}
//
// Several parts can run at a time. What a command prints between Begin and End
// goes through Println, which takes the rewritten line away for it: also what
// goes to another file, since both may be the same terminal.
type Progress struct {
	out     io.Writer
	rewrite bool

	mu      sync.Mutex
	total   int
	begun   int
	running []string
}

// NewProgress returns one that shows on out how far a command of so many
// parts is.
func NewProgress(out *os.File, total int) *Progress {
	return &Progress{out: out, total: total,
		rewrite: Terminal(out) && os.Getenv("TERM") != "dumb"}
}

// Begin says that the next part begins, and which it is. The function that it
// returns is to be called when that part has ended.
func (p *Progress) Begin(what string) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	p.running = append(p.running, what)
	if p.rewrite {
		p.write(p.out, "")
	} else {
		fmt.Fprintf(p.out, "%d of %d: %s\n", p.begun, p.total, what)
	}
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		i := slices.Index(p.running, what)
		p.running = slices.Delete(p.running, i, i+1)
		p.write(p.out, "")
	})
}

// Println writes a line that stays, as fmt.Fprintln does.
func (p *Progress) Println(out io.Writer, words ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(out, fmt.Sprintln(words...))
}

// End takes the line away, if it is one that is rewritten. It may be called
// again.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	p.write(p.out, "")
}

// What a terminal is asked to do. A line that does not fit is cut off: if it
// went on in the next row, it could not be rewritten.
const (
	toLeft  = "\r"
	erase   = "\x1b[K"
	cutOff  = "\x1b[?7l"
	goesOn  = "\x1b[?7h"
	between = ", "
)

// write writes a text in place of the rewritten line, and that line below it.
func (p *Progress) write(out io.Writer, text string) {
	if !p.rewrite {
		io.WriteString(out, text)
		return
	}
	if text != "" {
		io.WriteString(p.out, toLeft+erase)
		io.WriteString(out, text)
	}
	line := ""
	if len(p.running) > 0 {
		line = fmt.Sprintf("%d of %d: %s", p.begun, p.total,
			strings.Join(p.running, between))
	}
	// In one piece, so that Ctrl-C leaves no terminal that cuts lines off.
	io.WriteString(p.out, toLeft+erase+cutOff+line+goesOn)
}
