package main

import "fmt"

// A group is what one run of go test measures.
type group struct {
	pattern   string
	folder    string
	bench     string // which of its benchmarks, as go test takes it
	benchtime string // 1x where a benchmark repeats things by itself
	rabbitmq  bool
	once      bool // it takes long, and hardly varies
	rows      []row
}

// A row is where a line of the table comes from: the name of a benchmark,
// without the word Benchmark, and the unit that it gives.
type row struct {
	unit, what string
	ours, bare string
	to         string // what ours is divided by, where that is not bare
	place      place  // where it stands in a plot
}

// A place is a point of a series, ours and bare, that is plotted.
type place struct {
	Series string  `json:"series,omitempty"`
	At     float64 `json:"at,omitempty"`
}

var groups = []group{
	{pattern: "request-reply", folder: "request_reply", bench: ".",
		benchtime: "1x", rows: serverRows()},
	{pattern: "event notification", folder: "event_notification", bench: ".",
		benchtime: "1x", rows: publisherRows()},
	{pattern: "pipeline", folder: "pipeline", bench: ".",
		benchtime: "1x", rows: []row{
			{unit: "orders/s", what: "through two workers to the sink",
				ours: "Pipeline ours-orders/s",
				bare: "Pipeline bare-orders/s"},
		}},
	{pattern: "message queue", folder: "message_queue", bench: ".",
		benchtime: "1x", rabbitmq: true,
		rows: append(publishRows(), consumerRows()...)},
	{pattern: "tuple spaces", folder: "tuple_spaces/tuplespace",
		bench:     "^Benchmark(Pairs|Journal)$/^clients=8$",
		benchtime: "1x", rows: []row{
			{unit: "pairs/s", what: "written and taken by 8 clients",
				ours: "Pairs/clients=8 space-pairs/s",
				bare: "Pairs/clients=8 echo-pairs/s"},
			{unit: "µs", what: "of the server's CPU for each request",
				ours: "Pairs/clients=8 space-cpu-ns",
				bare: "Pairs/clients=8 echo-cpu-ns"},
			{unit: "pairs/s", what: "with -journal (ratio to without)",
				ours: "Journal/clients=8 journal-pairs/s",
				to:   "Journal/clients=8 pairs/s"},
			{unit: "µs", what: "for the disk to confirm a record",
				bare: "Journal/clients=8 fsync-ns"},
		}},
	// Nothing is searched for in the space: it stays as fast as it is.
	// Beside it is one that searches, to show how that grows.
	{pattern: "tuple spaces", folder: "tuple_spaces/tuplespace",
		bench:     "^Benchmark(TakeLast|WakeUp|Batch|Stray)$",
		benchtime: "1x", rows: spaceRows()},
	{pattern: "tuple spaces", folder: "tuple_spaces/tuplespace",
		bench: "^Benchmark(Memory|Recovery)$", benchtime: "1x", once: true,
		rows: []row{
			{unit: "B", what: "of memory for each tuple of 1,000,000",
				ours: "Memory B/tuple"},
			{unit: "s", what: "to read a journal of 1,000,000 tuples",
				ours: "Recovery ns/op"},
		}},
}

func serverRows() (rows []row) {
	for _, kind := range []string{"plain", "curve"} {
		for i, load := range []struct{ name, what string }{
			{"clients=1", "1 client"}, {"clients=8", "8 clients"},
			{"bytes=10000", "1 client, 10 kB each way"},
		} {
			name := "Server/" + kind + "/" + load.name
			if kind == "curve" {
				load.what += ", with CURVE"
			}
			rows = append(rows, row{unit: "round trips/s", what: load.what,
				ours:  name + " ours-roundtrips/s",
				bare:  name + " bare-roundtrips/s",
				place: place{"server " + kind, float64(i)}})
		}
	}
	return rows
}

func publisherRows() (rows []row) {
	for _, n := range []int{1, 10, 100} {
		name := fmt.Sprintf("Publisher/subscribers=%d", n)
		rows = append(rows, row{unit: "events/s",
			what: fmt.Sprintf("to %d (all subscribers print each)", n),
			ours: name + " ours-events/s", bare: name + " bare-events/s",
			place: place{"publisher", float64(n)}})
		rows = append(rows, row{unit: "events/s",
			what: "  beside bare ones that print each, too",
			ours: name + " ours-events/s", bare: name + " printing-events/s"})
	}
	return rows
}

// publishRows are of quorum queues, as ours is, and of others, which only the
// bare library is measured with. Our producer has one order on its way, or
// 100.
func publishRows() (rows []row) {
	for _, kind := range []struct{ name, what string }{
		{"quorum", "quorum queue"}, {"classic", "durable classic queue"},
		{"transient", "transient queue"},
	} {
		for _, n := range []int{1, 10, 100, 1000} {
			name := fmt.Sprintf("Publish/%s/window=%d", kind.name, n)
			r := row{unit: "orders/s", bare: name + " bare-orders/s",
				what: fmt.Sprintf("confirmed, %s on their way, %s",
					grouped(float64(n)), kind.what),
				place: place{"publish " + kind.name, float64(n)}}
			if kind.name == "quorum" && (n == 1 || n == 100) {
				r.ours = name + " ours-orders/s"
			}
			rows = append(rows, r)
		}
	}
	return rows
}

func consumerRows() (rows []row) {
	for _, n := range []int{1, 10, 100, 1000} {
		name := fmt.Sprintf("Consumer/prefetch=%d", n)
		rows = append(rows, row{unit: "orders/s",
			what: "consumed with prefetch " + grouped(float64(n)),
			ours: name + " ours-orders/s", bare: name + " bare-orders/s",
			place: place{"consumer", float64(n)}})
	}
	return rows
}

func spaceRows() []row {
	rows := takeRows("indexed", 0, 100, 1000, 10_000, 100_000, 1_000_000)
	rows = append(rows, takeRows("simple", 0, 100, 1000, 10_000, 100_000)...)
	rows = append(rows,
		row{unit: "µs",
			what: "to take one of 200,000 behind a stray one (to without)",
			ours: "Stray/with ns/op", to: "Stray/without ns/op"})
	rows = append(rows, wakeRows("indexed")...)
	rows = append(rows, wakeRows("simple")...)
	return append(rows, row{unit: "µs",
		what: "to write and take 100 at a time",
		ours: "Batch/space ns/op", bare: "Batch/echo ns/op"})
}

// takeRows: to write one and take it, with n others there. Bare is measured
// once: nothing is there in which it could search.
func takeRows(kind string, ns ...int) (rows []row) {
	zero := fmt.Sprintf("TakeLast/%s/n=0 ns/op", kind)
	for _, n := range ns {
		r := row{unit: "µs", what: fmt.Sprintf("the same, %s there "+
			"(ratio to 0)", grouped(float64(n))), to: zero,
			ours:  fmt.Sprintf("TakeLast/%s/n=%d ns/op", kind, n),
			place: place{"take " + kind, float64(n)}}
		if n == 0 {
			r.what = "to write and take one, 0 others there, " + kind
			r.bare, r.to = "TakeLast/echo ns/op", ""
		}
		rows = append(rows, r)
	}
	return rows
}

// wakeRows: to wake a taker by a write, while m others wait.
func wakeRows(kind string) (rows []row) {
	one := fmt.Sprintf("WakeUp/%s/m=1 ns/op", kind)
	for _, m := range []int{1, 10, 100, 1000, 9000} {
		r := row{unit: "µs", what: fmt.Sprintf("the same, %s wait "+
			"(ratio to 1)", grouped(float64(m))), to: one,
			ours:  fmt.Sprintf("WakeUp/%s/m=%d ns/op", kind, m),
			place: place{"wake " + kind, float64(m)}}
		if m == 1 {
			r.what = "to wake a taker, 1 other waits, " + kind
			r.bare, r.to = "WakeUp/bare ns/op", ""
		}
		rows = append(rows, r)
	}
	return rows
}
