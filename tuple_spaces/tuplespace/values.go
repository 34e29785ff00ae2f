package tuplespace

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// A Tuple is a list of fields. A field is what JSON can say: a string, a
// boolean, a number, or an array or object of these. Numbers are exact: whole
// numbers may be a *big.Int, of any size. Tuples that come from the space
// hold int for whole numbers (*big.Int where that is too small), float64 for
// other numbers (json.Number where that would not be exact), []any and
// map[string]any.
type Tuple []any

// Any, in a pattern, matches every value.
var Any any = nil

// actuals checks tuples for what would arrive as something else.
func actuals(tuples []Tuple) ([][]any, error) {
	wire := make([][]any, len(tuples))
	for i, tuple := range tuples {
		for j, field := range tuple {
			_, isBig := field.(*big.Int)
			if reflect.ValueOf(field).Kind() == reflect.Pointer && !isBig {
				return nil, fmt.Errorf("field %d is a formal parameter (%T), "+
					"which is for patterns only", j, field)
			}
			if err := checkText(j, field); err != nil {
				return nil, err
			}
		}
		wire[i] = tuple
	}
	return wire, nil
}

// formals returns a pattern as it goes over the wire.
func formals(pattern []any) ([]any, error) {
	wire := make([]any, len(pattern))
	for i, field := range pattern {
		wire[i] = field
		if p := reflect.ValueOf(field); p.Kind() == reflect.Pointer {
			wire[i] = wildcards[p.Type()]
			if p.IsNil() || wire[i] == nil {
				return nil, fmt.Errorf("field %d: a %T cannot be a formal "+
					"parameter, nor can a nil pointer", i, field)
			}
		}
		if err := checkText(i, field); err != nil {
			return nil, err
		}
	}
	return wire, nil
}

func checkText(i int, field any) error {
	if text, ok := field.(string); ok && !utf8.ValidString(text) {
		return fmt.Errorf("field %d is not UTF-8", i)
	}
	return nil
}

// wildcards has what stands on the wire for a formal parameter.
var wildcards = map[reflect.Type]any{
	reflect.TypeFor[*any]():            json.RawMessage("null"),
	reflect.TypeFor[*string]():         typed("string"),
	reflect.TypeFor[*bool]():           typed("bool"),
	reflect.TypeFor[*int]():            typed("int64"),
	reflect.TypeFor[*int64]():          typed("int64"),
	reflect.TypeFor[*big.Int]():        typed("int"),
	reflect.TypeFor[*float64]():        typed("number"),
	reflect.TypeFor[*[]any]():          typed("array"),
	reflect.TypeFor[*map[string]any](): typed("object"),
}

func typed(name string) any { return map[string]string{"?": name} }

// set sets the formal parameters of a pattern to the fields of a tuple that
// has matched it: so they have the right types.
func set(pattern []any, tuple Tuple) {
	for i, field := range pattern {
		switch p := field.(type) {
		case *any:
			*p = tuple[i]
		case *string:
			*p, _ = tuple[i].(string)
		case *bool:
			*p, _ = tuple[i].(bool)
		case *int:
			*p, _ = tuple[i].(int)
		case *int64:
			n, _ := tuple[i].(int)
			*p = int64(n)
		case *big.Int:
			p.SetString(fmt.Sprint(tuple[i]), 10)
		case *float64: // beyond its range an infinity
			*p, _ = strconv.ParseFloat(fmt.Sprint(tuple[i]), 64)
		case *[]any:
			*p, _ = tuple[i].([]any)
		case *map[string]any:
			*p, _ = tuple[i].(map[string]any)
		}
	}
}

// goTuples reads tuples that come from the space.
func goTuples(texts []json.RawMessage) ([]Tuple, error) {
	tuples := make([]Tuple, len(texts))
	for i, text := range texts {
		if err := decode(text, &tuples[i]); err != nil {
			return nil, fmt.Errorf("understand the tuple: %w", err)
		}
		for j, value := range tuples[i] {
			tuples[i][j] = goValue(value)
		}
	}
	return tuples, nil
}

func goValue(value any) any {
	switch value := value.(type) {
	case json.Number:
		return goNumber(value)
	case []any:
		for i, v := range value {
			value[i] = goValue(v)
		}
	case map[string]any:
		for k, v := range value {
			value[k] = goValue(v)
		}
	}
	return value
}

func goNumber(text json.Number) any {
	key, kind, err := number(string(text))
	if kind&isInt64 != 0 {
		if n, err := strconv.Atoi(key); err == nil {
			return n
		}
	}
	if kind&isInt != 0 {
		if n, ok := new(big.Rat).SetString(key); ok {
			return n.Num()
		}
	}
	f, _ := text.Float64()
	same, _, _ := number(strconv.FormatFloat(f, 'e', -1, 64))
	if err == nil && same == key {
		return f
	}
	return text
}

// String returns the tuple as JSON.
func (t Tuple) String() string { return encode(t) }
