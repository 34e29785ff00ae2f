package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Sum is what the sink counts. Orders are told apart by their pusher and
// their number.
type Sum struct {
	Total       int
	begun, last time.Time
	workers     map[string]int
	orders      map[string]map[int]int // pusher, number: how often it arrived
}

// Add counts a delivery.
func (s *Sum) Add(o *Order) {
	s.last = time.Now()
	if s.Total++; s.Total == 1 {
		s.begun = s.last
		s.workers = map[string]int{}
		s.orders = map[string]map[int]int{}
	}
	s.workers[o.Worker]++
	if s.orders[o.Source] == nil {
		s.orders[o.Source] = map[int]int{}
	}
	s.orders[o.Source][o.ID]++
}

// Lines says how much each worker has delivered, which order numbers, up to
// the highest that arrived, never arrived, and how long it all took from the
// first delivery to the last.
func (s *Sum) Lines() (lines []string) {
	for _, worker := range slices.Sorted(maps.Keys(s.workers)) {
		lines = append(lines, fmt.Sprintf("worker %s: %d delivered", worker,
			s.workers[worker]))
	}
	for _, source := range slices.Sorted(maps.Keys(s.orders)) {
		if missing := s.missing(source); len(missing) > 0 {
			lines = append(lines, fmt.Sprintf("never arrived from %s: %v",
				source, missing))
		}
	}
	return append(lines, fmt.Sprintf("total: %d delivered in %.2f s", s.Total,
		s.last.Sub(s.begun).Seconds()))
}

// missing lists order numbers that never arrived; not more than some, since
// a pusher may number its orders as it likes.
func (s *Sum) missing(source string) (missing []any) {
	seen := s.orders[source]
	highest := slices.Max(slices.Collect(maps.Keys(seen)))
	for id := 0; id < highest; id++ {
		if seen[id] > 0 {
			continue
		}
		if len(missing) == 20 {
			return append(missing, "...")
		}
		missing = append(missing, id)
	}
	return missing
}
