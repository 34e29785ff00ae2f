package tuplespace

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a field may be at most. Whoever sends more gets an error, so that no
// message costs the server more than it should.
const (
	maxFields   = 1_000     // fields in a tuple or pattern
	maxDepth    = 32        // arrays and objects within each other
	maxDigits   = 1_000_000 // digits of a number
	maxExponent = 1_000     // of a number: a reader writes 1e1000 in full
)

// wildcards has the kinds that the wildcards of a pattern match.
var wildcards = map[string]kind{`null`: isAnything,
	`{"?":"string"}`: isString, `{"?":"bool"}`: isBool,
	`{"?":"number"}`: isNumber, `{"?":"int"}`: isInt,
	`{"?":"int64"}`: isInt64, `{"?":"array"}`: isArray,
	`{"?":"object"}`: isObject}

// A key that would be longer than this is a hash: what waits is compared with
// many tuples, and is not to keep a long text in memory.
const maxKey = 64

// newEntry makes a tuple of what JSON has brought, and checks it.
func newEntry(values []json.RawMessage) (*entry, error) {
	if err := checkLength("tuple", len(values)); err != nil {
		return nil, err
	}
	t := &entry{fields: make([]field, len(values))}
	length := len("[")
	for _, value := range values {
		length += len(value) + len(",")
	}
	// One text for the whole tuple, of which most keys are parts.
	var text strings.Builder
	text.Grow(length)
	for i, value := range values {
		f, plain, err := newField(value)
		if isWildcard(value) {
			err = errors.New("null and {\"?\":...} are for patterns only")
		}
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", i, err)
		}
		if i == 0 {
			text.WriteByte('[')
		} else {
			text.WriteByte(',')
		}
		text.Write(plain)
		if f.key == "" {
			f.key = text.String()[text.Len()-len(plain):]
		}
		t.fields[i] = f
	}
	text.WriteByte(']')
	t.text = text.String()
	return t, nil
}

// newPattern makes a pattern of what JSON has brought. In it null is a
// wildcard, and {"?":"int"} one with a type.
func newPattern(values []json.RawMessage) ([]field, error) {
	if err := checkLength("pattern", len(values)); err != nil {
		return nil, err
	}
	pattern := make([]field, len(values))
	for i, value := range values {
		f, plain, err := field{}, []byte(nil), error(nil)
		if isWildcard(value) {
			f.kind, err = wildcardKind(value)
		} else if f, plain, err = newField(value); f.key == "" {
			f.key = string(plain)
		}
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", i, err)
		}
		pattern[i] = f
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

// isWildcard is true for null, and for an object whose only key is "?".
func isWildcard(value []byte) bool {
	if value[0] != 'n' && value[0] != '{' {
		return false
	}
	if _, ok := wildcards[string(value)]; ok {
		return true
	}
	_, ok := wildcardType(value)
	return ok
}

// wildcardType is for those who write a wildcard in another way.
func wildcardType(value []byte) (name any, ok bool) {
	if !bytes.ContainsAny(value, `?\`) {
		return nil, false
	}
	var object map[string]any
	err := decode(value, &object)
	name, ok = object["?"]
	return name, ok && len(object) == 1 && err == nil
}

func wildcardKind(value []byte) (kind, error) {
	if k, ok := wildcards[string(value)]; ok {
		return k, nil
	}
	name, _ := wildcardType(value)
	if k, ok := wildcards[`{"?":`+encode(name)+`}`]; ok {
		return k, nil
	}
	return 0, fmt.Errorf("there is no type %.60q; there are int64, int, "+
		"number, string, bool, array, object", fmt.Sprint(name))
}

// newField makes a field of a JSON value, whose first character tells what it
// is. It also returns the text that others get to see. If that is the key,
// the field has none yet.
func newField(value []byte) (f field, text []byte, err error) {
	text = value
	switch value[0] {
	case 'n': // a wildcard
	case 't', 'f':
		f.kind = isBool
	case '"':
		f.kind = isString
		// A can be written \u0041, and the last two here always are by Go.
		if bytes.IndexByte(value, '\\') >= 0 || isEscapedByGo(value) {
			var s string
			err = decode(value, &s)
			text = []byte(encode(s))
		}
	case '[', '{':
		f.kind = isArray
		if value[0] == '{' {
			f.kind = isObject
		}
		var v any
		if err := decode(value, &v); err != nil {
			return f, nil, err
		}
		text = []byte(encode(v))
		if v, err = plain(v, 1); err == nil {
			f.key = encode(v)
		}
	default:
		f.key, f.kind, err = number(string(value))
	}
	switch {
	case f.key == "" && len(text) > maxKey: // the text, which may be long
		f.key = hash(text)
	case f.key == string(text):
		f.key = ""
	case len(f.key) > maxKey:
		f.key = hash([]byte(f.key))
	}
	return f, text, err
}

func hash(text []byte) string {
	return fmt.Sprintf("#%x", sha256.Sum256(text))
}

// isEscapedByGo is true for texts with one of two characters that end a line.
func isEscapedByGo(text []byte) bool {
	return bytes.Contains(text, []byte("\u2028")) ||
		bytes.Contains(text, []byte("\u2029"))
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
	if isShortInt(text) {
		return text, isNumber | isInt | isInt64, nil
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	power := 0
	if exponent != "" {
		power, err = strconv.Atoi(exponent)
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(fraction) > maxDigits || err != nil ||
		power > maxExponent || power < -maxExponent {
		return "", 0, fmt.Errorf("the number %.20s... is too long: at most "+
			"%d digits, and an exponent of %d", text, maxDigits, maxExponent)
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
	return digits, k, nil
}

// isShortInt is true for whole numbers as nearly all are.
func isShortInt(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(digits) < 19 && text != "-0"
}

// encode writes a value as JSON, with < > & as they are: json.Marshal would
// write \u003c, for the sake of web pages. The values here came from JSON, or
// are strings: they cannot fail.
func encode(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return ""
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// decode reads a JSON text that is one value, with numbers as they stand.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if len(bytes.TrimSpace(text[decoder.InputOffset():])) > 0 {
		return errors.New("something follows the JSON object")
	}
	return nil
}
