package tuplespace

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// printable returns a JSON text in which characters that a terminal would obey
// rather than show are written as \u escapes. JSON has them only in strings,
// so that the text means the same.
func printable(text string) string {
	if !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case !obeyed(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

func obeyed(r rune) bool { return !unicode.IsPrint(r) }
