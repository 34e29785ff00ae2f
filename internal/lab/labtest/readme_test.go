package labtest

import "testing"

// Two runs of an experiment differ in numbers, and in what may come or not.
func TestShape(t *testing.T) {
	one := shape(" `300 sent, 5 redelivered, 1 handled twice; in 1.5 s: " +
		"claim holds` ")
	for text, same := range map[string]bool{
		"300 sent, 5 redelivered; in 2 s":                  true,
		"30 sent, 0 redelivered, 7 handled twice; in 20 s": true,
		"300 sent, 5 lost; in 2 s":                         false,
		"300 sent, 5 redelivered":                          false,
	} {
		if (shape(text) == one) != same {
			t.Errorf("%q has the shape %q, and the other %q", text,
				shape(text), one)
		}
	}
}
