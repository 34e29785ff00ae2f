package main

import (
	"math"

	"gonum.org/v1/plot"
)

// powers are the ticks of an axis whose values are powers of ten: 1, 10, 100
// and so on have a number, and what is between has none. The axis itself is
// an ordinary one: on the library's own logarithmic axis, a name in the middle
// takes room at the end.
type powers struct {
	behind string // what follows a number, to keep it off the axis
}

func (p powers) Ticks(min, max float64) (all []plot.Tick) {
	for power := math.Floor(min); power <= max; power++ {
		for i := 1.0; i < 10; i++ {
			tick := plot.Tick{Value: power + math.Log10(i)}
			if i == 1 {
				tick.Label = grouped(math.Pow(10, power)) + p.behind
			}
			if tick.Value >= min && tick.Value <= max {
				all = append(all, tick)
			}
		}
	}
	return all
}

// steps are the ticks of an axis that begins at 0: some round numbers.
type steps struct{}

func (steps) Ticks(_, max float64) (all []plot.Tick) {
	step := 2 * math.Pow(10, math.Floor(math.Log10(max)))
	for _, smaller := range []float64{2, 2, 2.5} { // from 20 to 10, 5 and 2
		if max/step < 3 {
			step /= smaller
		}
	}
	for value := 0.0; value <= max; value += step {
		all = append(all, plot.Tick{Value: value, Label: grouped(value) + " "})
	}
	return all
}
