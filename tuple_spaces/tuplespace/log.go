package tuplespace

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxShown is how many characters of a tuple or a pattern the log shows.
const maxShown = 200

// log prints who asked, and what. Whatever strangers have sent is a line of
// plain characters then.
func (s *Server) log(c *caller, format string, args ...any) {
	if s.Log == nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	if c.name != "" {
		line = c.name + ": " + line
	}
	s.Log("%s", printable(line))
}

// logFound prints what a read or a take has brought.
func (s *Server) logFound(c *caller, f *found, sent bool) {
	switch {
	case !sent:
		s.log(c, "%s %s: its client is gone", c.op, c.pattern)
	case len(f.tuples) > 0 && f.loan != "":
		s.log(c, "%s gets %v, on loan %v", c.op, shown(f.tuples),
			loanName(f.loan))
	case len(f.tuples) > 0:
		s.log(c, "%s gets %v", c.op, shown(f.tuples))
	case c.wait == nil:
		s.log(c, "%s %s finds nothing", c.op, c.pattern)
	}
}

// printable escapes, as JSON does, what would do something to a terminal or to
// the order in which a line is read: control characters, bidirectional marks.
func printable(text string) string {
	isNot := func(r rune) bool { return !strconv.IsPrint(r) }
	if !strings.ContainsFunc(text, isNot) {
		return text
	}
	var clean strings.Builder
	for _, r := range text {
		if !isNot(r) {
			clean.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&clean, `\u%04x`, unit)
		}
	}
	return clean.String()
}

// shown are tuples as the log shows them, if it does.
type shown []*entry

func (s shown) String() string {
	if len(s) == 0 {
		return "nothing"
	}
	text := []byte(nil)
	for i, t := range s {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, t.text[:min(len(t.text), 4*maxShown)]...)
		if len(text) > 4*maxShown {
			break
		}
	}
	return shorten(text)
}

// A loanName lets who has it commit the loan: the log shows its beginning.
type loanName string

func (name loanName) String() string { return fmt.Sprintf("%.4s", string(name)) }

// showPattern returns a pattern as the log shows it.
func showPattern(values []json.RawMessage) string {
	text := []byte("[")
	for i, value := range values {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, value[:min(len(value), 4*maxShown)]...)
		if len(text) > 4*maxShown {
			break
		}
	}
	return shorten(append(text, ']'))
}

// shorten returns a text of at most maxShown characters.
func shorten(text []byte) string {
	if len(text) <= maxShown {
		return string(text)
	}
	short := []rune(string(text))
	return string(short[:min(len(short), maxShown)])
}
