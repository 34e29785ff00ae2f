package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how much of a text from outside a line shows, in characters.
const longest = 60

// Quote returns a text that came from outside fit for a line: as it is if it
// is one plain word, otherwise in quotes, shortened, and with everything
// escaped that is not to be seen. So nobody can send colours, or lines that
// look like ours.
func Quote(text string) string {
	if isWord(text) {
		return text
	}
	return fmt.Sprintf("%.*q", longest, text)
}

func isWord(text string) bool {
	if text == "" || utf8.RuneCountInString(text) > longest {
		return false
	}
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
			!strings.ContainsRune("-_.", r) {
			return false
		}
	}
	return true
}

// Printable returns a text that came from outside as it is, but for what a
// terminal would obey and not show: control characters, except for a new line
// and a tab, marks that turn the direction of writing, and what is no UTF-8.
// Those are escaped, as in \x1b.
func Printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError && size == 1, unicode.IsControl(r),
			unicode.Is(unicode.Bidi_Control, r):
			escaped := strconv.Quote(text[i : i+size])
			b.WriteString(escaped[1 : len(escaped)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
