package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"distsys/internal/cli"
)

// Anybody can send to the sink. So what it keeps is bounded.
const (
	maxWorkers = 1_000
	maxPushers = 1_000
	maxSpans   = 100_000 // over all pushers
)

// A Sum is what the sink counts: how much each worker has delivered, and
// which orders have arrived of each pusher.
type Sum struct {
	Total       int
	begun, last time.Time

	workers map[string]int
	others  int // deliveries of workers that are too many

	pushers map[pusher]*numbers
	beyond  int // deliveries of pushers that are too many
	spans   int // over all pushers
}

// A pusher is known by its port, and by the run if it names one.
type pusher struct{ source, run string }

func (p pusher) String() string {
	if p.run == "" {
		return cli.Quote(p.source)
	}
	return fmt.Sprintf("%s (run %s)", cli.Quote(p.source), cli.Quote(p.run))
}

// Add counts a delivery.
func (s *Sum) Add(o *Order) {
	s.last = time.Now()
	if s.Total++; s.Total == 1 {
		s.begun = s.last
		s.workers = map[string]int{}
		s.pushers = map[pusher]*numbers{}
	}

	if _, known := s.workers[o.Worker]; known || len(s.workers) < maxWorkers {
		s.workers[o.Worker]++
	} else {
		s.others++
	}

	from := pusher{o.Source, o.Run}
	arrived, known := s.pushers[from]
	if !known {
		if len(s.pushers) == maxPushers {
			s.beyond++
			return
		}
		arrived = &numbers{}
		s.pushers[from] = arrived
	}
	s.spans -= len(arrived.spans)
	arrived.add(o.ID, s.spans+len(arrived.spans) < maxSpans)
	s.spans += len(arrived.spans)
}

// Lines returns what there is to print: how much each worker has delivered;
// which orders of each pusher, up to the last one that arrived, never arrived
// or came more than once; and how long it took from the first delivery to the
// last.
func (s *Sum) Lines() (lines []string) {
	add := func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	for _, worker := range slices.Sorted(maps.Keys(s.workers)) {
		add("worker %s: %d delivered", cli.Quote(worker), s.workers[worker])
	}
	if s.others > 0 {
		add("workers that came after the first %d: %d delivered", maxWorkers,
			s.others)
	}

	for _, from := range slices.SortedFunc(maps.Keys(s.pushers),
		func(a, b pusher) int {
			return cmp.Or(cmp.Compare(a.source, b.source),
				cmp.Compare(a.run, b.run))
		}) {
		arrived := s.pushers[from]
		if missing := arrived.missing(); arrived.full {
			add("not known what never arrived from %v: too many gaps", from)
		} else if len(missing) > 0 {
			add("never arrived from %v: %v; none came after %d", from,
				missing, arrived.spans[len(arrived.spans)-1].last)
		}
		if len(arrived.again) > 0 {
			guess := ""
			if from.run == "" {
				guess = " (a second run?)"
			}
			add("came more than once from %v: %v%s", from, arrived.again,
				guess)
		}
	}
	if s.beyond > 0 {
		add("not known what never arrived from pushers that came after the "+
			"first %d: %d delivered", maxPushers, s.beyond)
	}

	add("total: %d delivered in %.2f s", s.Total,
		s.last.Sub(s.begun).Seconds())
	return lines
}
