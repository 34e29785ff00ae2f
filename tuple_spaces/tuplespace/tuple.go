package tuplespace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What a field may be at most. Whoever sends more gets an error, so that no
// message costs the server more than it should.
const (
	maxFields = 1_000     // fields in a tuple or pattern
	maxDepth  = 32        // arrays and objects within each other
	maxDigits = 1_000_000 // digits of a number, and size of its exponent
)

// A kind is a set of the types that a typed wildcard can name. An integer is
// of several kinds at once: 5 matches int64, int and number.
type kind uint8

const (
	isString kind = 1 << iota
	isBool
	isNumber
	isInt   // a whole number of any size: 30 factorial, 1.0, 1e3
	isInt64 // a whole number that fits into 64 bits
	isArray
	isObject
	isAnything kind = 1<<iota - 1
)

// kinds has the typed wildcards by their names on the wire.
var kinds = map[string]kind{"string": isString, "bool": isBool,
	"number": isNumber, "int": isInt, "int64": isInt64, "array": isArray,
	"object": isObject}

// A field is one value of a tuple as the space keeps it. Two fields are equal
// if their keys are, however they were written: 1, 1.0 and 1e0 have the same
// key, and so have two objects with the same members in another order.
type field struct {
	key  string
	text string // JSON, with numbers as they were written
	kind kind
}

// A condition is what a pattern asks of one field: a key, which makes it an
// actual parameter in Linda's words, or one of some kinds, a formal one.
type condition struct {
	key  string // "": any value of these kinds
	kind kind
}

func (c condition) given() bool { return c.key != "" }

// matches is the whole of Linda's matching: as many fields as conditions,
// and each of them equal, or of the right type.
func matches(pattern []condition, tuple []field) bool {
	if len(pattern) != len(tuple) {
		return false
	}
	for i, c := range pattern {
		if c.given() && c.key != tuple[i].key ||
			!c.given() && c.kind&tuple[i].kind == 0 {
			return false
		}
	}
	return true
}

// newTuple checks what JSON has brought, and makes fields of it.
func newTuple(values []any) ([]field, error) {
	if err := checkLength("tuple", len(values)); err != nil {
		return nil, err
	}
	tuple := make([]field, len(values))
	for i, value := range values {
		if value == nil {
			return nil, fmt.Errorf("field %d is null, which only a pattern "+
				"may have", i)
		}
		if _, ok := wildcard(value); ok {
			return nil, fmt.Errorf(`field %d is an object with the only key `+
				`"?", which is a typed wildcard, for patterns only`, i)
		}
		var err error
		if tuple[i], err = newField(value); err != nil {
			return nil, fmt.Errorf("field %d: %w", i, err)
		}
	}
	return tuple, nil
}

// newPattern is newTuple for a pattern: null is a wildcard there, and
// {"?":"int"} one with a type.
func newPattern(values []any) ([]condition, error) {
	if err := checkLength("pattern", len(values)); err != nil {
		return nil, err
	}
	pattern := make([]condition, len(values))
	for i, value := range values {
		name, typed := wildcard(value)
		text, _ := name.(string)
		switch {
		case value == nil:
			pattern[i].kind = isAnything
		case typed && kinds[text] == 0:
			return nil, fmt.Errorf("field %d: there is no type %.60q; there "+
				"are int64, int, number, string, bool, array, object", i,
				fmt.Sprint(name))
		case typed:
			pattern[i].kind = kinds[text]
		default:
			f, err := newField(value)
			if err != nil {
				return nil, fmt.Errorf("field %d: %w", i, err)
			}
			pattern[i] = condition{f.key, f.kind}
		}
	}
	return pattern, nil
}

func checkLength(what string, n int) error {
	if n == 0 {
		return fmt.Errorf("the %s is empty", what)
	}
	if n > maxFields {
		return fmt.Errorf("the %s has %d fields; at most %d", what, n,
			maxFields)
	}
	return nil
}

func wildcard(value any) (name any, ok bool) {
	object, _ := value.(map[string]any)
	name, ok = object["?"]
	return name, ok && len(object) == 1
}

func newField(value any) (f field, err error) {
	switch value := value.(type) {
	case string:
		f.text, f.kind = quote(value), isString
	case bool:
		f.text, f.kind = strconv.FormatBool(value), isBool
	case json.Number:
		f.text = string(value)
		f.key, f.kind, err = number(f.text)
		return f, err
	case []any:
		f.text, f.kind = encode(value), isArray
	case map[string]any:
		f.text, f.kind = encode(value), isObject
	}
	f.key = f.text
	if f.kind&(isArray|isObject) != 0 {
		value, err = plain(value, 1)
		if key := encode(value); key != f.text {
			f.key = key
		}
	}
	return f, err
}

// quote writes a string as JSON. Most have nothing to escape.
func quote(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return encode(s)
		}
	}
	return `"` + s + `"`
}

// plain returns an array or object with all of its numbers in the one form
// that stands for all that are equal. (encoding/json sorts an object's keys.)
func plain(value any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	switch value := value.(type) {
	case json.Number:
		key, _, err := number(string(value))
		return json.Number(key), err
	case []any:
		list := make([]any, len(value))
		for i, v := range value {
			var err error
			if list[i], err = plain(v, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(value))
		for k, v := range value {
			var err error
			if object[k], err = plain(v, depth+1); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
	return value, nil
}

// number returns the one form that stands for all spellings of a JSON number,
// exactly, as a decimal: 10, 10.0 and 1e1 are 10; 0.50 is 5e-1.
func number(text string) (key string, k kind, err error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	power := 0
	if exponent != "" {
		power, err = strconv.Atoi(exponent)
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(fraction) > maxDigits || err != nil ||
		power > maxDigits || power < -maxDigits {
		return "", 0, fmt.Errorf("the number %.20s... is too long: at most "+
			"%d digits, and exponents no larger", text, maxDigits)
	}
	power -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	all := len(digits)
	digits = strings.TrimRight(digits, "0")
	power += all - len(digits)

	k = isNumber
	if digits == "" {
		digits, power, negative = "0", 0, false
	}
	if power >= 0 {
		k |= isInt
	}
	if power > 0 && power <= 20 { // as people write it
		digits += strings.Repeat("0", power)
		power = 0
	}
	if negative {
		digits = "-" + digits
	}
	if power != 0 {
		return digits + "e" + strconv.Itoa(power), k, nil
	}
	if _, err := strconv.ParseInt(digits, 10, 64); err == nil {
		k |= isInt64
	}
	if digits == text {
		digits = text // one string in memory instead of two
	}
	return digits, k, nil
}

// encode writes a value as JSON. The values here came from JSON, or are
// strings: they cannot fail.
func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// decode reads a JSON text that is one value, with numbers as they stand.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	return nil
}
