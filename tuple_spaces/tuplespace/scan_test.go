package tuplespace

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// What a scanner reads, encoding/json reads in the same way. Most of what is
// drawn here is well-formed, and some of it nearly.
func TestScan(t *testing.T) {
	value := rapid.SampledFrom([]string{`"a"`, `""`, `"ü\u2028"`, `"\u0041"`,
		`"a\"b"`, `0`, `-0`, `1`, `-17`, `1.5`, `1e3`, `1E-3`, `1.`, `01`, `.5`,
		`-`, `1e`, `123456789012345678901234567890`, `true`, `false`, `null`,
		`tru`, `{"?":"int"}`, `{"?":"nonsense"}`, `{"?": "int"}`, `{}`, `[]`,
		`[1]`, `{"a":1}`, `{"a":}`, `{"a":{}}`, "\"\x01\"", "\"0123456\x1f\"",
		"\"\x1f234567 9\"", "\"0123456789\n\"", `"0123456\u0041"`,
		`"01234567 ü\u007f"`, `"x`, ``, `9223372036854775807`,
		`9223372036854775808`, `18446744073709551616`})
	list := rapid.Custom(func(t *rapid.T) string {
		return "[" + strings.Join(rapid.SliceOfN(value, 0, 3).Draw(t, "list"),
			",") + "]"
	})
	lists := rapid.Custom(func(t *rapid.T) string {
		return "[" + strings.Join(rapid.SliceOfN(rapid.OneOf(list, list, list,
			value), 0, 3).Draw(t, "lists"), ",") + "]"
	})
	member := rapid.Custom(func(t *rapid.T) string {
		key := rapid.SampledFrom([]string{"op", "tuples", "pattern", "ttl_ms",
			"wait_ms", "max", "place", "loan_ms", "loan", "client", "seq",
			"status", "more", "error", "OP", "x"}).Draw(t, "key")
		of := value
		switch key {
		case "tuples":
			of = rapid.OneOf(lists, lists, value)
		case "pattern":
			of = rapid.OneOf(list, list, value)
		}
		return `"` + key + `":` + of.Draw(t, "value")
	})
	message := rapid.Custom(func(t *rapid.T) string {
		text := "{" + strings.Join(rapid.SliceOfN(member, 0, 4).Draw(t,
			"members"), ",") + "}"
		if rapid.Bool().Draw(t, "blanks") {
			text = strings.NewReplacer(",", ", ", ":", " : ", "]", " ]", "}",
				" } ").Replace(text)
		}
		if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			text = text[:at] + rapid.SampledFrom([]string{"", "}", "]", ",",
				"x", "\t"}).Draw(t, "put") + text[at:]
		}
		return text
	})
	scanned, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for _, text := range rapid.SliceOfN(message, 50, 50).Draw(t, "texts") {
			all++
			if sameAsDecoded(t, []byte(text)) {
				scanned++
			}
		}
	})
	if scanned < all/20 {
		t.Errorf("only %d of %d messages were scanned", scanned, all)
	}
}

// sameAsDecoded fails if a scanner reads anything in another way than
// encoding/json does. It returns whether the scanner reads it.
func sameAsDecoded(t interface{ Fatalf(string, ...any) }, text []byte) (
	scanned bool) {
	if !utf8.Valid(text) {
		return false
	}
	var fast, slow request
	if fast.scan(text) {
		scanned = true
		if err := decode(text, &slow); err != nil {
			t.Fatalf("%q is scanned, but %v", text, err)
		}
		for _, r := range []*request{&fast, &slow} { // no difference here
			if len(r.Tuples) == 0 {
				r.Tuples = nil
			}
			if len(r.Pattern) == 0 {
				r.Pattern = nil
			}
			for i := range r.Tuples {
				if len(r.Tuples[i]) == 0 {
					r.Tuples[i] = nil
				}
			}
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q is scanned as\n%+v, decoded as\n%+v", text, fast, slow)
		}
	}
	var reply, decoded reply
	if reply.scan(text) {
		scanned = true
		if err := decode(text, &decoded); err != nil {
			t.Fatalf("the reply %q is scanned, but %v", text, err)
		}
		for _, tuple := range decoded.Tuples {
			goValue([]any(tuple))
		}
		if len(reply.Tuples) == 0 && len(decoded.Tuples) == 0 {
			decoded.Tuples = reply.Tuples
		}
		if !reflect.DeepEqual(reply, decoded) {
			t.Fatalf("the reply %q is scanned as\n%+v, decoded as\n%+v", text,
				reply, decoded)
		}
	}
	return scanned
}

// Requests as our client and as Python writes them are scanned: that is what
// the scanner is for.
func TestScanReadsWhatIsUsual(t *testing.T) {
	for _, text := range []string{
		`{"op":"write","tuples":[["fac",5]],"client":"worker 1/x","seq":1}`,
		`{"op": "write", "tuples": [["fac", 5], ["fac", 1.5]], "ttl_ms": 5}`,
		`{"op":"take","pattern":["fac",{"?":"int64"},null],"wait_ms":2000,` +
			`"loan_ms":10,"max":5,"place":3,"client":"x","seq":2}`,
		`{"op":"commit","loan":"x","tuples":[["fac_res",120]]}`,
	} {
		if !new(request).scan([]byte(text)) {
			t.Errorf("a scanner does not read %s", text)
		}
	}
	for _, text := range []string{okText,
		`{"status":"ok","tuples":[["fac",5],["fac",true]],"loan":"x"}`,
		`{"status":"none","place":17}`} {
		if !new(reply).scan([]byte(text)) {
			t.Errorf("a scanner does not read the reply %s", text)
		}
	}
}

// A character that does not stand for itself is found at every place, beside
// whatever others.
func TestIsVerbatim(t *testing.T) {
	for _, others := range []string{" ", "x", "\x7f", "\x80", "\xff"} {
		for length := range 20 {
			for place := range length {
				for c := range 256 {
					text := []byte(strings.Repeat(others, length))
					text[place] = byte(c)
					want := c >= ' ' && c != '\\'
					if isVerbatim(text) != want {
						t.Fatalf("%q: not %v", text, want)
					}
				}
			}
		}
	}
}

// FuzzScan looks for a message that a scanner reads in another way than
// encoding/json does.
//
//	go test -fuzz FuzzScan ./tuple_spaces/tuplespace
func FuzzScan(f *testing.F) {
	for _, c := range malformed {
		if len(c[0]) < 1000 {
			f.Add([]byte(c[0]))
		}
	}
	f.Add([]byte(`{"op":"take","pattern":["f",{"?":"int"},null],"loan_ms":5}`))
	f.Add([]byte(`{"status":"ok","tuples":[["f",1.5e3,true]],"place":5}`))
	f.Fuzz(func(t *testing.T, text []byte) { sameAsDecoded(t, text) })
}
