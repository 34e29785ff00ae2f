package tuplespace

// A kind is a set of the types that a typed wildcard can name. A number is of
// several kinds at once: 5 is an int64, an int and a number.
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

// A field is one value of a tuple or of a pattern.
//
// In a tuple it always has a key. Two fields are equal if their keys are,
// however they were written: 1, 1.0 and 1e0 have the same key, and so have two
// objects with the same members in another order.
//
// In a pattern a field with a key is what Linda calls an actual parameter: it
// matches what is equal. One without a key is a formal parameter: it matches
// all values of its kinds.
type field struct {
	key  string
	kind kind
}

func (f field) isFormal() bool { return f.key == "" }

// matches is the whole of Linda's matching: a tuple has as many fields as the
// pattern, and each of them is equal, or of the right type.
func matches(pattern, tuple []field) bool {
	if len(pattern) != len(tuple) {
		return false
	}
	for i, p := range pattern {
		if p.isFormal() && p.kind&tuple[i].kind == 0 {
			return false
		}
		if !p.isFormal() && p.key != tuple[i].key {
			return false
		}
	}
	return true
}
