package cli

import (
	"io"
	"log"
	"os"
	"sync"
	"time"
)

// soon is how late a line may be. To write each line by itself takes longer
// than to receive a message: so lines that follow each other faster than this
// are written together. A line by itself is written at once.
const soon = 2 * time.Millisecond

// gathered writes lines to out, several at a time if they come fast.
type gathered struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte // lines that are to be written soon
	last    time.Time
}

// Write takes a line. It waits only if whoever reads the lines is slow.
func (g *gathered) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch quiet := time.Since(g.last) > soon; {
	case len(g.waiting) == 0 && quiet:
		g.last = time.Now()
		return g.out.Write(line)
	case len(g.waiting) == 0:
		time.AfterFunc(soon, func() { g.flush() })
	case len(g.waiting) > 32<<10:
		if err := g.write(); err != nil {
			return 0, err
		}
	}
	g.waiting = append(g.waiting, line...)
	return len(line), nil
}

// flush writes what is still waiting.
func (g *gathered) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.write()
}

func (g *gathered) write() error {
	g.last = time.Now()
	text := g.waiting
	g.waiting = g.waiting[:0]
	if len(text) == 0 {
		return nil
	}
	_, err := g.out.Write(text)
	return err
}

// gather has log write lines together from here on. flush must be called
// before the program ends.
func gather() {
	if log.Writer() == os.Stdout { // else nothing is printed, or in another way
		g := &gathered{out: os.Stdout}
		log.SetOutput(g)
		stdout = g
	}
}
