package tuplespace

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A tuple matches a pattern by its fields' keys just if it does by the values
// themselves.
func TestMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, pattern := tuples.Draw(t, "tuple"), patterns.Draw(t, "pattern")
		text := encode(values)
		want := matchesByValue(pattern, values)
		if got := matches(fields(t, encode(pattern)),
			newTuple(t, text).fields); got != want {
			t.Errorf("%s matches %s: %v", encode(pattern), text, got)
		}
	})
}

// equal compares values as people do: numbers by their size.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && rat(a).Cmp(rat(b)) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if other, ok := b[k]; !ok || !equal(a[k], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("not a number: " + n)
	}
	return r
}

func matchesByValue(pattern, values []any) bool {
	return slices.EqualFunc(pattern, values, func(p, v any) bool {
		if p == nil {
			return true
		}
		object, _ := p.(map[string]any)
		if name, ok := object["?"]; ok && len(object) == 1 {
			n, isNumber := v.(json.Number)
			switch name {
			case "number":
				return isNumber
			case "int":
				return isNumber && rat(n).IsInt()
			case "int64":
				return isNumber && rat(n).IsInt() && rat(n).Num().IsInt64()
			case "string":
				return reflect.TypeOf(v) == reflect.TypeFor[string]()
			case "bool":
				return reflect.TypeOf(v) == reflect.TypeFor[bool]()
			case "array":
				return reflect.TypeOf(v) == reflect.TypeFor[[]any]()
			case "object":
				return reflect.TypeOf(v) == reflect.TypeFor[map[string]any]()
			}
		}
		return equal(p, v)
	})
}

var (
	values = rapid.OneOf(fewValues, manyValues)
	// Few, so that they meet; many, to see that they are told apart.
	fewValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{`1`, `1.0`, `"a"`}).
			Draw(t, "value"))
	})
	manyValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{
			`"a"`, `"b"`, `"\u0061"`, `"1"`, `""`, `"<&>"`, `"ü"`,
			`true`, `false`, `0`, `-0`, `0e9`, `1`, `1.0`, `1e0`, `10e-1`,
			`10`, `1e1`, `100E-1`, `2.5`, `25e-1`, `-1`,
			`123456789012345678901234567890`, `1234567890123456789012345678900`,
			`123456789012345678901234567890e1`, `1e30`, `1e-30`,
			`9223372036854775807`, `9223372036854775808`,
			`-9223372036854775808`, `[]`, `[1]`, `[1.0]`, `["a",null]`,
			`{"k":1,"j":[2]}`, `{"j":[2e0],"k":1.00}`, `{}`, `{"?":1,"k":2}`,
		}).Draw(t, "value"))
	})
	wildcardValues = rapid.Custom(func(t *rapid.T) any {
		return fromJSON(rapid.SampledFrom([]string{`null`, `null`,
			`{"?":"int64"}`, `{"?":"int"}`, `{"?":"number"}`, `{"?":"string"}`,
			`{"?":"bool"}`, `{"?":"array"}`, `{"?":"object"}`,
		}).Draw(t, "wildcard"))
	})
	tuples   = rapid.SliceOfN(values, 1, 2)
	patterns = rapid.OneOf(rapid.Just([]any{nil}), // many want the same
		rapid.SliceOfN(rapid.OneOf(values, wildcardValues), 1, 2))
)

func fromJSON(text string) (value any) {
	if err := decode([]byte(text), &value); err != nil {
		panic(err)
	}
	return value
}

// newTuple makes a tuple of a JSON array.
func newTuple(t tester, text string) *entry {
	t.Helper()
	tuple, err := newEntry(raws(fromJSON(text).([]any)))
	must(t, err)
	return tuple
}

// fields makes a pattern of a JSON array.
func fields(t tester, text string) []field {
	t.Helper()
	pattern, err := newPattern(raws(fromJSON(text).([]any)))
	must(t, err)
	return pattern
}

func raws(values []any) (texts []json.RawMessage) {
	for _, value := range values {
		texts = append(texts, json.RawMessage(encode(value)))
	}
	return texts
}

// A tester is a test, a benchmark, or one of rapid's.
type tester interface {
	Helper()
	Fatal(args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
