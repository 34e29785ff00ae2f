package labtest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"distsys/internal/lab"
)

var (
	numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
	// What a verdict says only if there were any.
	sometimes = regexp.MustCompile(`, [0-9]+ (handled twice|set aside)`)
)

// shape is a text without what differs from one run to the next.
func shape(text string) string {
	text = strings.TrimSuffix(strings.Trim(text, " `"), ": claim holds")
	text = sometimes.ReplaceAllString(text, "")
	return numbers.ReplaceAllString(text, "0")
}

// verdictInReadme returns what the README of a pattern shows as the verdict of
// an experiment: the last cell of the row that has its command.
func verdictInReadme(t *testing.T, pattern, name string) string {
	t.Helper()
	top, _, _ := strings.Cut(pattern, "/")
	file, err := lab.Source(top + "/README.md")
	Must(t, err)
	text, err := os.ReadFile(file)
	Must(t, err)
	command := fmt.Sprintf("| `go run ./%s/run %s` |", pattern, name)
	_, verdict, found := strings.Cut(string(text), command)
	verdict, _, _ = strings.Cut(verdict, "|\n")
	if !found {
		t.Errorf("%s/README.md has no row with %s", top, command)
	}
	return verdict
}
