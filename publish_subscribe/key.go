package publishsubscribe

import (
	"fmt"
	"strings"
)

// CheckKey returns warnings about the key of a binding, if it looks as if it
// was meant to fit more than it does.
func CheckKey(key string) (warnings []string) {
	if strings.Contains(key, "/") {
		warnings = append(warnings, fmt.Sprintf("in the key %q, / is part of "+
			"a word; here the words of a key stand between dots", key))
	}
	if strings.Contains(key, "+") {
		warnings = append(warnings, fmt.Sprintf("in the key %q, + is part of "+
			"a word; here * stands for any one word", key))
	}
	for _, word := range strings.Split(key, ".") {
		if len(word) > 1 && strings.ContainsAny(word, "*#") {
			warnings = append(warnings, fmt.Sprintf("in the key %q, the word "+
				"%q fits itself alone; * and # stand for others only as "+
				"words of their own, as in temp.*", key, word))
		}
	}
	return warnings
}
