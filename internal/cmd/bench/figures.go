package main

import (
	"slices"
	"strconv"
	"strings"
)

// A figure is a line of the table: what each run gave, in order. What a
// benchmark does not give is empty.
type figure struct {
	Pattern string    `json:"pattern"`
	What    string    `json:"what"`
	Unit    string    `json:"unit"`
	Ours    []float64 `json:"ours,omitempty"`
	Bare    []float64 `json:"bare,omitempty"`
	Ratio   []float64 `json:"ratio,omitempty"`
	Failed  bool      `json:"failed,omitempty"`
	why     error     // it has failed, if that is known
	place
}

// parse reads what go test prints of benchmarks, such as
//
//	BenchmarkPairs/clients=8-2   1   9500 echo-pairs/s   0.61 space/echo
//
// and returns each value under the benchmark's name and the unit, as in
// "Pairs/clients=8 space/echo": one value for each time that it was printed.
// A benchmark that failed has no such line.
func parse(text string) map[string][]float64 {
	values := map[string][]float64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || len(fields)%2 != 0 {
			continue
		}
		name, ok := strings.CutPrefix(fields[0], "Benchmark")
		if _, err := strconv.Atoi(fields[1]); err != nil || !ok {
			continue
		}
		name = withoutProcessors(name)
		for i := 2; i < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err == nil {
				key := name + " " + fields[i+1]
				values[key] = append(values[key], value)
			}
		}
	}
	return values
}

// withoutProcessors cuts off how many processors were used, which Go adds to
// a benchmark's name where it was more than one.
func withoutProcessors(name string) string {
	if i := strings.LastIndex(name, "-"); i >= 0 {
		if _, err := strconv.Atoi(name[i+1:]); err == nil {
			return name[:i]
		}
	}
	return name
}

// Benchmarks count nanoseconds.
var nanoseconds = map[string]float64{"µs": 1e3, "s": 1e9}

// figures fills the rows of a group. A row that one of the runs has not given
// has failed: which run it was, its values no longer tell.
func (g group) figures(values map[string][]float64, runs int) (all []figure) {
	if g.once {
		runs = 1
	}
	for _, r := range g.rows {
		f := figure{Pattern: g.pattern, What: r.what, Unit: r.unit,
			place: r.place}
		get := func(name string) []float64 {
			if name == "" {
				return nil
			}
			f.Failed = f.Failed || len(values[name]) != runs
			given := slices.Clone(values[name])
			for i := range given {
				if unit, ok := nanoseconds[r.unit]; ok {
					given[i] /= unit
				}
			}
			return given
		}
		f.Ours, f.Bare = get(r.ours), get(r.bare)
		by := f.Bare
		if r.to != "" {
			by = get(r.to)
		}
		if f.Failed {
			f.Ours, f.Bare = nil, nil
		} else if f.Ours != nil {
			f.Ratio = ratios(f.Ours, by)
		}
		all = append(all, f)
	}
	return all
}

// ratios divides what the same run gave.
func ratios(ours, by []float64) (all []float64) {
	for i := range by {
		if by[i] == 0 {
			return nil
		}
		all = append(all, ours[i]/by[i])
	}
	return all
}

func failures(all []figure) (n int) {
	for _, f := range all {
		if f.Failed {
			n++
		}
	}
	return n
}

// median of some values; of none it is 0.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// at returns what the runs gave at one point of a series: ours, or the bare
// library's, as the series' last word says. It is empty if that was not
// measured, or failed.
func at(all []figure, series string, x float64) []float64 {
	for _, f := range all {
		if f.At != x || f.Series == "" {
			continue
		}
		switch series {
		case f.Series + " ours":
			return f.Ours
		case f.Series + " bare":
			return f.Bare
		}
	}
	return nil
}
