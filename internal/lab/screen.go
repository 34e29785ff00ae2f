package lab

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A screen shows what happens, one line per event, each with the seconds
// since the story began. On a terminal each role has its colour.
type screen struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	begun  time.Time
	roles  []string // in the order of their first line, which gives the colour
	prompt string   // what is being asked
}

func newScreen(out io.Writer) *screen {
	return &screen{out: out, colour: colourful(out), begun: time.Now()}
}

// Heading writes a heading, which is bold on a terminal.
func Heading(out io.Writer, text string) { newScreen(out).heading(text) }

// colourful says whether out is a terminal that wants colours
// (see no-color.org).
func colourful(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && terminal(file) &&
		os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func terminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Colours that can be read on light and on dark ground: the middle of the
// 256 colours, not the eight that each terminal paints as it likes.
var palette = []string{"38;5;33", "38;5;166", "38;5;35", "38;5;134",
	"38;5;37", "38;5;136"}

const (
	bold   = "1"
	red    = "1;38;5;160"
	green  = "1;38;5;35"
	plain  = ""
	inset  = "         " // as wide as the seconds
	second = "%7.2fs "
)

func (s *screen) paint(colour, text string) string {
	if !s.colour || colour == plain {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// line shows a line of a program.
func (s *screen) line(role, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	which := len(s.roles)
	for i, known := range s.roles {
		if known == role {
			which = i
		}
	}
	if which == len(s.roles) {
		s.roles = append(s.roles, role)
	}
	fmt.Fprintf(s.out, second+"%s\n", time.Since(s.begun).Seconds(),
		s.paint(palette[which%len(palette)], text))
}

// raw shows a line of another screen.
func (s *screen) raw(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.out, text)
}

// note shows what the storyteller says.
func (s *screen) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, inset+"%s\n", s.paint(bold, "» "+text))
}

// event shows what the storyteller does.
func (s *screen) event(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, second+"%s\n", time.Since(s.begun).Seconds(),
		s.paint(red, text))
}

func (s *screen) heading(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%s\n", s.paint(bold, text))
}

func (s *screen) verdict(holds bool, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	colour, end := green, holdsMark
	if !holds {
		colour, end = red, failsMark
	}
	fmt.Fprintf(s.out, "%s\n", s.paint(colour, verdictMark+text+end))
}

// ask shows what is asked of those who watch; "": they have answered.
func (s *screen) ask(prompt string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt = prompt
	fmt.Print(prompt)
}

// again shows all that was told once more, on a screen of another width.
func (s *screen) again(told *bytes.Buffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Print("\x1b[H\x1b[2J" + told.String() + s.prompt)
}
