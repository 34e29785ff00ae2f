package cli_test

import (
	"slices"
	"testing"

	"distsys/internal/cli"
)

func TestHidePasswords(t *testing.T) {
	t.Parallel()
	for text, shown := range map[string]string{
		"amqp://ann:secret@host:5672/":     "amqp://ann:***@host:5672/",
		"amqps://ann:a#b/c?d@e,f%g@host/x": "amqps://ann:***@host/x",
		"amqp://ann:x://y@host/":           "amqp://ann:***@host/",
		"amqp://ann:5672/x@host/":          "amqp://ann:***@host/",
		"amqp://ann:secret":                "amqp://ann:***",
		"ann:secret@host":                  "ann:***@host",
		"http://ann:secret@host/":          "http://ann:***@host/",
		"amqp://a:b@h/,amqps://c:d@i/":     "amqp://a:***@h/,amqps://c:***@i/",
		`bad "-broker=amqp://a:b@h/" (x)`:  `bad "-broker=amqp://a:***@h/" (x)`,
		"-broker='amqp://a:b@h/' 1":        "-broker='amqp://a:***@h/' 1",
		// What holds no secret stays as it is.
		"amqp://guest:guest@localhost:5672/": "",
		"amqp://NAME:PASSWORD@HOST/":         "",
		"amqp://ann@host/":                   "",
		"amqp://127.0.0.1:5672/x":            "",
		"amqp://[::1]:5672/x":                "",
		"tcp://127.0.0.1:*, tcp://*:12345":   "",
		"consumer 1: lab1@localhost leads":   "",
		"a  text\twith blanks ":              "",
	} {
		if shown == "" {
			shown = text
		}
		if got := cli.HidePasswords(text); got != shown {
			t.Errorf("%q is shown as %q, expected %q", text, got, shown)
		}
	}
	const odd = "amqp://ann:a \"b'c@host/"
	if got := cli.HidePassword(odd); got != "amqp://ann:***@host/" {
		t.Errorf("%q is shown as %q", odd, got)
	}
}

func TestSplitURLs(t *testing.T) {
	t.Parallel()
	for list, urls := range map[string][]string{
		"":                          {""},
		"amqp://a/":                 {"amqp://a/"},
		"amqp://a/,amqp://b/x":      {"amqp://a/", "amqp://b/x"},
		" amqp://a/ , amqps://b/ ":  {"amqp://a/", "amqps://b/"},
		"amqp://n:p,q@a/,amqp://b/": {"amqp://n:p,q@a/", "amqp://b/"},
		"amqp://a/,b":               {"amqp://a/,b"},
	} {
		if got := cli.SplitURLs(list); !slices.Equal(got, urls) {
			t.Errorf("%q is split into %q, expected %q", list, got, urls)
		}
	}
}
