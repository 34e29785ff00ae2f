package tuplespace

import (
	"encoding/json"
	"errors"
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

// appendTuples writes tuples as JSON.
func appendTuples(text []byte, tuples []Tuple) (_ []byte, err error) {
	text = append(text, '[')
	for i, tuple := range tuples {
		if i > 0 {
			text = append(text, ',')
		}
		text, err = appendFields(text, tuple, appendActual)
		if err != nil {
			return nil, err
		}
	}
	return append(text, ']'), nil
}

// appendPattern writes a pattern as JSON: formal parameters as wildcards.
func appendPattern(text []byte, pattern []any) ([]byte, error) {
	return appendFields(text, pattern, func(text []byte, field any) ([]byte,
		error) {
		p := reflect.ValueOf(field)
		if p.Kind() != reflect.Pointer {
			return appendActual(text, field)
		}
		wildcard, ok := formals[p.Type()]
		if !ok || p.IsNil() {
			return nil, fmt.Errorf("a %T cannot be a formal parameter, nor "+
				"can a nil pointer", field)
		}
		return append(text, wildcard...), nil
	})
}

func appendFields(text []byte, fields []any, appendField func([]byte, any) (
	[]byte, error)) (_ []byte, err error) {
	text = append(text, '[')
	for i, field := range fields {
		if i > 0 {
			text = append(text, ',')
		}
		if text, err = appendField(text, field); err != nil {
			return nil, fmt.Errorf("field %d: %w", i, err)
		}
	}
	return append(text, ']'), nil
}

// appendActual writes a value as JSON. Most are of the first few types.
func appendActual(text []byte, field any) ([]byte, error) {
	switch field := field.(type) {
	case string:
		return appendString(text, field)
	case int:
		return strconv.AppendInt(text, int64(field), 10), nil
	case bool:
		return strconv.AppendBool(text, field), nil
	case Tuple: // as in Write(ctx, tuple)
		return nil, errors.New("a Tuple is no field: give its fields, as in " +
			"Write(ctx, tuple...), or a list as []any")
	case big.Int: // a pointer to it would be a formal parameter
		return field.Append(text, 10), nil
	case *big.Int: // but a tuple has none
		if field != nil {
			return field.Append(text, 10), nil
		}
	}
	switch v := reflect.ValueOf(field); v.Kind() {
	case reflect.Pointer:
		return nil, fmt.Errorf("a formal parameter (%T) is for patterns",
			field)
	case reflect.Slice, reflect.Map:
		if v.IsNil() { // it would be null, and match everything
			return nil, fmt.Errorf("a %T that is nil is no value", field)
		}
	}
	value, err := json.Marshal(field)
	return append(text, value...), err
}

func appendString(text []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("the text is not UTF-8")
	}
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' {
			return append(text, encode(s)...), nil
		}
	}
	return append(append(append(text, '"'), s...), '"'), nil
}

// formals has what stands on the wire for formal parameters, by their types.
var formals = map[reflect.Type]string{
	reflect.TypeFor[*any]():            `null`,
	reflect.TypeFor[*string]():         `{"?":"string"}`,
	reflect.TypeFor[*bool]():           `{"?":"bool"}`,
	reflect.TypeFor[*int]():            `{"?":"int64"}`,
	reflect.TypeFor[*int64]():          `{"?":"int64"}`,
	reflect.TypeFor[*big.Int]():        `{"?":"int"}`,
	reflect.TypeFor[*float64]():        `{"?":"number"}`,
	reflect.TypeFor[*[]any]():          `{"?":"array"}`,
	reflect.TypeFor[*map[string]any](): `{"?":"object"}`,
}

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

// goValue turns what JSON brings into what a Tuple holds.
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
	if isShortInt(string(text)) {
		if n, err := strconv.Atoi(string(text)); err == nil {
			return n
		}
	}
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

// String returns the tuple as JSON, for people to read: what a terminal would
// obey rather than show is escaped.
func (t Tuple) String() string { return printable(encode(t)) }
