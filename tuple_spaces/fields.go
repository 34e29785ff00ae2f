package tuplespaces

import (
	"encoding/json"
	"strings"

	"distsys/tuple_spaces/tuplespace"
)

// Fields returns the fields of a tuple or a pattern that the client's command
// line holds. The first word is the operation; each of the others is a field.
func Fields(words []string) (fields []any) {
	for i, word := range words {
		if i > 0 {
			fields = append(fields, field(word))
		}
	}
	return fields
}

// field reads one field: JSON if the word is JSON, else a string. In a pattern
// ? is any value, and ?int any whole number.
func field(word string) any {
	kind, formal := strings.CutPrefix(word, "?")
	switch {
	case word == "?":
		return tuplespace.Any
	case formal: // as it goes over the wire
		return map[string]string{"?": kind}
	case json.Valid([]byte(word)):
		return json.RawMessage(word) // exact, however large a number is
	default:
		return word
	}
}
