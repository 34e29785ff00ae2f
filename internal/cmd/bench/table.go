package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A group is what one run of go test measures.
type group struct {
	pattern   string
	folder    string
	bench     string // which of its benchmarks, as go test takes it
	benchtime string // 1x where a benchmark repeats things by itself
	rabbitmq  bool
	rows      []row
}

// A row is where a line of the table comes from: the name of a benchmark,
// without the word Benchmark, and the unit that it gives.
type row struct {
	unit, what string
	ours, bare string
	to         string // what ours is divided by, where that is not bare
}

var groups = []group{
	{pattern: "request-reply", folder: "request_reply", bench: ".",
		benchtime: "1x", rows: []row{
			{unit: "round trips/s", what: "(two lines printed for each)",
				ours: "Server ours-roundtrips/s",
				bare: "Server bare-roundtrips/s"},
		}},
	{pattern: "event notification", folder: "event_notification", bench: ".",
		benchtime: "1x", rows: []row{
			{unit: "events/s", what: "to 1 subscriber (all print each)",
				ours: "Publisher/subscribers=1 ours-events/s",
				bare: "Publisher/subscribers=1 bare-events/s"},
			{unit: "events/s", what: "to 10 subscribers (all print each)",
				ours: "Publisher/subscribers=10 ours-events/s",
				bare: "Publisher/subscribers=10 bare-events/s"},
			{unit: "events/s", what: "to 100 subscribers (all print each)",
				ours: "Publisher/subscribers=100 ours-events/s",
				bare: "Publisher/subscribers=100 bare-events/s"},
		}},
	{pattern: "pipeline", folder: "pipeline", bench: ".",
		benchtime: "1x", rows: []row{
			{unit: "orders/s", what: "through two workers to the sink",
				ours: "Pipeline ours-orders/s",
				bare: "Pipeline bare-orders/s"},
		}},
	{pattern: "message queue", folder: "message_queue", bench: ".",
		benchtime: "1x", rabbitmq: true, rows: []row{
			{unit: "orders/s", what: "published and confirmed",
				ours: "Producer ours-orders/s",
				bare: "Producer bare-orders/s"},
			{unit: "orders/s", what: "consumed with prefetch 1",
				ours: "Consumer/prefetch=1 ours-orders/s"},
			{unit: "orders/s", what: "consumed with prefetch 10",
				ours: "Consumer/prefetch=10 ours-orders/s"},
			{unit: "orders/s", what: "consumed with prefetch 100",
				ours: "Consumer/prefetch=100 ours-orders/s"},
		}},
	{pattern: "tuple spaces", folder: "tuple_spaces/tuplespace",
		bench: "^BenchmarkPairs$/^clients=8$", benchtime: "1x", rows: []row{
			{unit: "pairs/s", what: "written and taken by 8 clients",
				ours: "Pairs/clients=8 space-pairs/s",
				bare: "Pairs/clients=8 echo-pairs/s"},
			{unit: "µs", what: "of the server's CPU for each request",
				ours: "Pairs/clients=8 space-cpu-ns",
				bare: "Pairs/clients=8 echo-cpu-ns"},
		}},
	// Nothing is searched for in the space: it stays as fast as it is.
	// Beside it is one that searches, to show how that grows.
	{pattern: "tuple spaces", folder: "tuple_spaces/tuplespace",
		bench:     "^Benchmark(TakeLast|WakeUp|Batch|Stray|Memory)$",
		benchtime: "1x", rows: []row{
			{unit: "µs", what: "to write and take one, 0 others there",
				ours: "TakeLast/indexed/n=0 ns/op", bare: "TakeLast/echo ns/op"},
			{unit: "µs", what: "the same, 100 there (ratio to 0)",
				ours: "TakeLast/indexed/n=100 ns/op",
				to:   "TakeLast/indexed/n=0 ns/op"},
			{unit: "µs", what: "the same, 1,000 there (ratio to 0)",
				ours: "TakeLast/indexed/n=1000 ns/op",
				to:   "TakeLast/indexed/n=0 ns/op"},
			{unit: "µs", what: "the same, 10,000 there (ratio to 0)",
				ours: "TakeLast/indexed/n=10000 ns/op",
				to:   "TakeLast/indexed/n=0 ns/op"},
			{unit: "µs", what: "the same, 100,000 there (ratio to 0)",
				ours: "TakeLast/indexed/n=100000 ns/op",
				to:   "TakeLast/indexed/n=0 ns/op"},
			{unit: "µs", what: "the same, 1,000,000 there (ratio to 0)",
				ours: "TakeLast/indexed/n=1000000 ns/op",
				to:   "TakeLast/indexed/n=0 ns/op"},
			{unit: "µs", what: "with -simple, 0 others there",
				ours: "TakeLast/simple/n=0 ns/op", bare: "TakeLast/echo ns/op"},
			{unit: "µs", what: "with -simple, 100 there (ratio to 0)",
				ours: "TakeLast/simple/n=100 ns/op",
				to:   "TakeLast/simple/n=0 ns/op"},
			{unit: "µs", what: "with -simple, 1,000 there (ratio to 0)",
				ours: "TakeLast/simple/n=1000 ns/op",
				to:   "TakeLast/simple/n=0 ns/op"},
			{unit: "µs", what: "with -simple, 10,000 there (ratio to 0)",
				ours: "TakeLast/simple/n=10000 ns/op",
				to:   "TakeLast/simple/n=0 ns/op"},
			{unit: "µs", what: "with -simple, 100,000 there (ratio to 0)",
				ours: "TakeLast/simple/n=100000 ns/op",
				to:   "TakeLast/simple/n=0 ns/op"},
			{unit: "µs", what: "to take one of 200,000 behind a stray one (to without)",
				ours: "Stray/with ns/op", to: "Stray/without ns/op"},
			{unit: "B", what: "of memory for each tuple of 1,000,000",
				ours: "Memory B/tuple"},
			{unit: "µs", what: "to wake a taker, 1 other waits",
				ours: "WakeUp/indexed/m=1 ns/op", bare: "WakeUp/bare ns/op"},
			{unit: "µs", what: "the same, 100 wait (ratio to 1)",
				ours: "WakeUp/indexed/m=100 ns/op",
				to:   "WakeUp/indexed/m=1 ns/op"},
			{unit: "µs", what: "the same, 1,000 wait (ratio to 1)",
				ours: "WakeUp/indexed/m=1000 ns/op",
				to:   "WakeUp/indexed/m=1 ns/op"},
			{unit: "µs", what: "with -simple, 1 other waits",
				ours: "WakeUp/simple/m=1 ns/op", bare: "WakeUp/bare ns/op"},
			{unit: "µs", what: "with -simple, 100 wait (ratio to 1)",
				ours: "WakeUp/simple/m=100 ns/op",
				to:   "WakeUp/simple/m=1 ns/op"},
			{unit: "µs", what: "with -simple, 1,000 wait (ratio to 1)",
				ours: "WakeUp/simple/m=1000 ns/op",
				to:   "WakeUp/simple/m=1 ns/op"},
			{unit: "µs", what: "to write and take 100 at a time",
				ours: "Batch/space ns/op", bare: "Batch/echo ns/op"},
		}},
}

// A figure is a line of the table. What a benchmark has not given is nil.
type figure struct {
	Pattern string   `json:"pattern"`
	What    string   `json:"what"`
	Unit    string   `json:"unit"`
	Ours    *float64 `json:"ours"`
	Bare    *float64 `json:"bare"`
	Ratio   *float64 `json:"ratio"`
	Failed  bool     `json:"failed,omitempty"`
}

// parse reads what go test prints of benchmarks, such as
//
//	BenchmarkPairs/clients=8-2   1   9500 echo-pairs/s   0.61 space/echo
//
// and returns each value under the benchmark's name and the unit, as in
// "Pairs/clients=8 space/echo". A benchmark that failed has no such line.
func parse(text string) map[string]float64 {
	values := map[string]float64{}
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
				values[name+" "+fields[i+1]] = value
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

// figures fills the rows of a group.
func (g group) figures(values map[string]float64) (all []figure) {
	for _, r := range g.rows {
		f := figure{Pattern: g.pattern, What: r.what, Unit: r.unit}
		get := func(name string) *float64 {
			value, ok := values[name]
			if name == "" {
				return nil
			}
			if r.unit == "µs" { // benchmarks count ns
				value /= 1000
			}
			f.Failed = f.Failed || !ok
			return &value
		}
		f.Ours, f.Bare = get(r.ours), get(r.bare)
		by := f.Bare
		if r.to != "" {
			by = get(r.to)
		}
		if f.Failed {
			f.Ours, f.Bare = nil, nil
		} else if by != nil && *by != 0 {
			ratio := *f.Ours / *by
			f.Ratio = &ratio
		}
		all = append(all, f)
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

// table shows the figures on one page.
func table(out io.Writer, all []figure) error {
	var page strings.Builder
	w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, columns, "pattern", "what", "ours", "bare", "ratio")
	last := ""
	for _, f := range all {
		pattern := f.Pattern
		if pattern == last { // said above
			pattern = ""
		}
		last = f.Pattern
		what, ours, ratio := f.Unit+" "+f.What, number(f.Ours), ""
		if f.Failed {
			ours = "FAILED"
		}
		if f.Ratio != nil {
			ratio = fmt.Sprintf("%.2f", *f.Ratio)
		}
		fmt.Fprintf(w, columns, pattern, what, ours, number(f.Bare), ratio)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(page.String()) {
		_, err := fmt.Fprintln(out, strings.TrimRight(line, " \n"))
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(out, legend)
	return err
}

const columns = "%s\t%s\t%9s\t%9s\t%6s\n"

const legend = `
bare: nothing but the library's calls, in the same run; for tuple spaces a
server that only passes messages on, or sends them back
ratio: ours / bare, where nothing else is said
what is counted per second is better when more, all else when less
`

// number shows three digits at least, and no more than say something.
func number(value *float64) string {
	switch {
	case value == nil:
		return ""
	case *value >= 100:
		return fmt.Sprintf("%.0f", *value)
	case *value >= 10:
		return fmt.Sprintf("%.1f", *value)
	}
	return fmt.Sprintf("%.2f", *value)
}
