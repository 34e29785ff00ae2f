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

// actuals returns tuples as they go over the wire.
func actuals(tuples []Tuple) ([][]json.RawMessage, error) {
	wire := make([][]json.RawMessage, len(tuples))
	for i, tuple := range tuples {
		wire[i] = make([]json.RawMessage, len(tuple))
		for j, field := range tuple {
			var err error
			_, isBig := field.(*big.Int)
			if reflect.ValueOf(field).Kind() == reflect.Pointer && !isBig {
				err = fmt.Errorf("a formal parameter (%T) is for patterns",
					field)
			} else {
				wire[i][j], err = marshal(field)
			}
			if err != nil {
				return nil, fmt.Errorf("field %d: %w", j, err)
			}
		}
	}
	return wire, nil
}

// formals returns a pattern as it goes over the wire.
func formals(pattern []any) ([]json.RawMessage, error) {
	wire := make([]json.RawMessage, len(pattern))
	for i, field := range pattern {
		var err error
		if p := reflect.ValueOf(field); p.Kind() != reflect.Pointer {
			wire[i], err = marshal(field)
		} else if name, ok := wildcards[p.Type()]; ok && !p.IsNil() {
			wire[i] = json.RawMessage(name)
		} else {
			err = fmt.Errorf("a %T cannot be a formal parameter, nor can a "+
				"nil pointer", field)
		}
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", i, err)
		}
	}
	return wire, nil
}

func marshal(field any) (json.RawMessage, error) {
	switch field := field.(type) {
	case string:
		if !utf8.ValidString(field) {
			return nil, errors.New("the text is not UTF-8")
		}
	case Tuple: // as in Write(ctx, tuple)
		return nil, errors.New("a Tuple is no field: give its fields, as in " +
			"Write(ctx, tuple...), or a list as []any")
	case big.Int: // a pointer to it would be a formal parameter
		return json.Marshal(&field)
	}
	v := reflect.ValueOf(field)
	if k := v.Kind(); (k == reflect.Slice || k == reflect.Map) && v.IsNil() {
		// It would be null, and match everything.
		return nil, fmt.Errorf("a %T that is nil is no value", field)
	}
	return json.Marshal(field)
}

// wildcards has what stands on the wire for a formal parameter.
var wildcards = map[reflect.Type]string{
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
