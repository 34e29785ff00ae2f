package cli

import (
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"sensor123":                  `sensor123`,
		"Zoë-7_b.c":                  `Zoë-7_b.c`,
		"":                           `""`,
		"two words":                  `"two words"`,
		"x: 17 degrees":              `"x: 17 degrees"`,
		"a\nserver 1: stopped":       `"a\nserver 1: stopped"`,
		"\x1b[31mred":                `"\x1b[31mred"`,
		"left\u202eright":            `"left\u202eright"`,
		"\xff":                       `"\xff"`,
		`say "hi"`:                   `"say \"hi\""`,
		strings.Repeat("ü", longest): strings.Repeat("ü", longest),
		strings.Repeat("ü", 10*1000): `"` + strings.Repeat("ü", longest) + `"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("Quote(%.80q) is %s, expected %s", text, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"hello!":                 "hello!",
		"Grüße, 世界 🐇\n\tnext \"": "Grüße, 世界 🐇\n\tnext \"",
		"👩\u200d💻 and \ufffd":    "👩\u200d💻 and \ufffd",
		"\x1b[2J\x07":            `\x1b[2J\a`,
		"a\rb":                   `a\rb`,
		"left\u202eright\u2066":  `left\u202eright\u2066`,
		"\u009b31m":              `\u009b31m`,
		"\x00\xff":               `\x00\xff`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("Printable(%q) is %q, expected %q", text, got, want)
		}
	}
}
