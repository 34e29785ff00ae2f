package tuplespace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A scanner reads the JSON that nearly all messages are made of. To have
// encoding/json read it, by reflection, would take longer than all else that
// the server does. What is unusual (an escape in a string, an array in a
// tuple) or wrong a scanner does not read, but fails: then encoding/json reads
// the message. A test holds both equal.
type scanner struct {
	text   []byte // what is still to be read
	failed bool
}

// scan reads a request. It is false if encoding/json has to read it.
func (r *request) scan(text []byte) bool {
	s := scanner{text: text}
	s.object(func(key []byte) {
		switch string(key) {
		case `"op"`:
			r.Op = s.string()
		case `"tuples"`:
			r.Tuples = nil // the last one counts
			s.list('[', ']', func() { r.Tuples = append(r.Tuples, s.values()) })
		case `"pattern"`:
			r.Pattern = s.values()
		case `"ttl_ms"`:
			r.TTL = s.int()
		case `"wait_ms"`:
			r.Wait = s.int()
		case `"max"`:
			r.Max = s.int()
		case `"place"`:
			r.Place = uint64(s.int())
		case `"loan_ms"`:
			r.LoanFor = s.int()
		case `"loan"`:
			r.Loan = s.string()
		case `"client"`:
			r.Client = s.string()
		case `"seq"`:
			r.Seq = s.int()
		default:
			s.failed = true
		}
	})
	return s.isDone()
}

// scan reads a reply. It is false if encoding/json has to read it.
func (r *reply) scan(text []byte) bool {
	s := scanner{text: text}
	s.object(func(key []byte) {
		switch string(key) {
		case `"status"`:
			r.Status = s.string()
		case `"tuples"`:
			r.Tuples = nil
			s.list('[', ']', func() { r.Tuples = append(r.Tuples, s.tuple()) })
		case `"loan"`:
			r.Loan = s.string()
		case `"place"`:
			r.Place = uint64(s.int())
		default:
			s.failed = true
		}
	})
	return s.isDone()
}

// isDone is true if all was read, and nothing is left.
func (s *scanner) isDone() bool { return !s.failed && len(s.text) == 0 }

// next returns the next character, which is not a blank: Python puts blanks
// between. It is 0 at the end.
func (s *scanner) next() byte {
	for i, c := range s.text {
		if c != ' ' {
			s.text = s.text[i:]
			return c
		}
	}
	s.text = nil
	return 0
}

// take takes the next character if it is c.
func (s *scanner) take(c byte) bool {
	found := s.next() == c
	if found {
		s.text = s.text[1:]
	}
	return found
}

// must takes the next character, which has to be c.
func (s *scanner) must(c byte) {
	if !s.take(c) {
		s.failed = true
	}
}

// cut takes the next n characters; there have to be some.
func (s *scanner) cut(n int) []byte {
	if n == 0 {
		s.failed = true
		return nil
	}
	value := s.text[:n:n]
	s.text = s.text[n:]
	return value
}

// list reads items with commas between them.
func (s *scanner) list(first, last byte, item func()) {
	s.must(first)
	if s.take(last) {
		return
	}
	for !s.failed {
		item()
		if s.take(last) {
			return
		}
		s.must(',')
	}
}

func (s *scanner) object(member func(key []byte)) {
	s.list('{', '}', func() {
		key := s.quoted()
		s.must(':')
		member(key)
	})
}

// values reads the fields of a tuple or a pattern, each as JSON.
func (s *scanner) values() []json.RawMessage {
	values := make([]json.RawMessage, 0, 4)
	s.list('[', ']', func() { values = append(values, s.value()) })
	return values
}

// tuple reads the fields of a tuple as Go has them.
func (s *scanner) tuple() Tuple {
	tuple := make(Tuple, 0, 4)
	s.list('[', ']', func() {
		value := s.value()
		if s.failed {
			return
		}
		switch value[0] {
		case '"':
			tuple = append(tuple, string(value[1:len(value)-1]))
		case 't', 'f':
			tuple = append(tuple, value[0] == 't')
		case 'n', '{':
			s.failed = true
		default:
			tuple = append(tuple, goNumber(json.Number(value)))
		}
	})
	return tuple
}

// value reads a string, a number, a boolean, null or a typed wildcard.
func (s *scanner) value() json.RawMessage {
	switch s.next() {
	case '"':
		return s.quoted()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '{':
		n := bytes.IndexByte(s.text, '}') + 1
		if _, ok := wildcards[string(s.text[:n])]; !ok {
			n = 0
		}
		return s.cut(n)
	}
	return s.cut(numberLength(s.text))
}

func (s *scanner) literal(text string) []byte {
	if !strings.HasPrefix(string(s.text[:min(len(text), len(s.text))]), text) {
		return s.cut(0)
	}
	return s.cut(len(text))
}

// quoted reads a string without escapes, and returns it with its quotes.
func (s *scanner) quoted() []byte {
	if s.next() != '"' {
		return s.cut(0)
	}
	n := bytes.IndexByte(s.text[1:], '"')
	if n < 0 {
		return s.cut(0)
	}
	if !isVerbatim(s.text[1 : 1+n]) {
		return s.cut(0)
	}
	return s.cut(n + len(`""`))
}

// isVerbatim is false if there is a backslash or a control character. A text
// can have a megabyte: eight bytes at a time are looked at.
func isVerbatim(text []byte) bool {
	if bytes.IndexByte(text, '\\') >= 0 {
		return false
	}
	for ; len(text) >= 8; text = text[8:] {
		// If ' ' is taken from each byte, the highest bit comes to be set in
		// those that are below it. (And in one that these have borrowed from:
		// then there is one all the same.)
		const blanks, highest = 0x2020202020202020, 0x8080808080808080
		word := binary.LittleEndian.Uint64(text)
		if (word-blanks)&^word&highest != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(text, func(c byte) bool { return c < ' ' })
}

func (s *scanner) string() string {
	if text := s.quoted(); text != nil {
		return string(text[1 : len(text)-1])
	}
	return ""
}

// int reads a whole number of 0 or more.
func (s *scanner) int() int64 {
	s.next()
	text := s.cut(numberLength(s.text))
	n, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil {
		s.failed = true
	}
	return int64(n)
}

// numberLength returns how long the number is that a text begins with, or 0.
func numberLength(text []byte) (n int) {
	digits := func() bool {
		before := n
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		return n > before
	}
	one := func(of string) bool {
		found := n < len(text) && strings.IndexByte(of, text[n]) >= 0
		if found {
			n++
		}
		return found
	}
	one("-")
	if !one("0") && !digits() || one(".") && !digits() {
		return 0
	}
	if one("eE") {
		if one("+-"); !digits() {
			return 0
		}
	}
	return n
}
