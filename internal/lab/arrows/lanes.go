package arrows

import (
	"fmt"
	"slices"
	"strings"
)

// How many lanes of one role are drawn each by itself. If there are more,
// those that were started by the same command are a crowd.
const (
	maxLanes = 12
	maxApart = 3 // of a crowd, those few that something came to
)

// A layout is which lanes there are, and who is in which.
type layout struct {
	list    []*row
	rows    map[string]*row // by each of their members
	changed bool
	ready   []Lane
}

// A row is one lane, before crowds are put together.
type row struct {
	role    string
	rank    rank
	members []*member
	queue   string  // the name of the queue
	broker  *broker // that keeps it
	owner   *row    // the one it belongs to: it is drawn just above that
}

type member struct {
	name    string
	p       *process // nil: a queue
	command string
	reached bool // something has come to it
}

func (r *row) last() *member { return r.members[len(r.members)-1] }

// start finds a lane for a process: that of one of its role that has ended,
// if possible of the same name or command, or a new one.
func (y *layout) start(p *process, command string) {
	m := &member{name: p.lane, p: p, command: command}
	var found *row
	for _, r := range y.list {
		if r.role != p.role || r.queue != "" || r.last().p.running() {
			continue
		}
		if r.last().p.label == p.label || r.last().command == command {
			found = r
			break
		}
		if found == nil && !y.owns(r) {
			found = r
		}
	}
	if found == nil {
		found = &row{role: p.role, rank: p.words.rank}
		y.list = append(y.list, found)
	}
	found.members = append(found.members, m)
	y.rows[p.lane] = found
	y.changed = true
}

// owns says whether a queue that lasts belongs to the lane: another process
// has another queue.
func (y *layout) owns(r *row) bool {
	return slices.ContainsFunc(y.list, func(other *row) bool {
		return other.owner == r
	})
}

// queue finds a lane for a queue: that of one of the same name, if nobody
// who used that one is there any more.
func (y *layout) queue(lane, name string, b *broker) {
	m := &member{name: lane}
	for _, r := range y.list {
		if r.queue == name && !y.inUse(r.broker) {
			r.members, r.broker = append(r.members, m), b
			y.rows[lane] = r
			return
		}
	}
	r := &row{role: "queue", rank: middle, queue: name, broker: b,
		members: []*member{m}}
	y.list = append(y.list, r)
	y.rows[lane] = r
	y.changed = true
}

// inUse says whether a process that runs is connected to the broker.
func (y *layout) inUse(b *broker) bool {
	return slices.ContainsFunc(y.list, func(r *row) bool {
		return r.queue == "" && r.last().p.running() && r.last().p.broker == b
	})
}

// bind puts a queue next to the one process that it is for.
func (y *layout) bind(lane string, p *process) {
	if r := y.rows[lane]; r != nil && r.owner != y.rows[p.lane] {
		r.owner = y.rows[p.lane]
		y.changed = true
	}
}

// arrived notes who stands out of a crowd: something has come to it.
func (y *layout) arrived(kind Kind, to string) {
	r := y.rows[to]
	if r == nil || kind == Ack || kind == Back {
		return
	}
	for _, m := range slices.Backward(r.members) {
		if m.name == to {
			y.changed = y.changed || !m.reached
			m.reached = true
			return
		}
	}
}

// Lanes returns the lanes from top to bottom, and whether they have changed
// since the last call.
func (d *Deriver) Lanes() (lanes []Lane, changed bool) {
	changed = d.layout.changed
	if changed {
		d.layout.ready = d.layout.build()
		d.layout.changed = false
	}
	return d.layout.ready, changed
}

func (y *layout) build() (lanes []Lane) {
	rows := slices.Clone(y.list)
	place := func(r *row) (rank, int, int) {
		if r.owner != nil {
			return r.owner.rank, slices.Index(y.list, r.owner), 0
		}
		return r.rank, slices.Index(y.list, r), 1
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		rank1, i1, j1 := place(a)
		rank2, i2, j2 := place(b)
		switch {
		case rank1 != rank2:
			return int(rank1 - rank2)
		case i1 != i2:
			return i1 - i2
		}
		return j1 - j2
	})
	crowds := map[string]int{} // where in lanes one is
	for _, r := range rows {
		command, isCrowd := y.crowd(r)
		if !isCrowd {
			lanes = append(lanes, y.lane(r))
			continue
		}
		i, ok := crowds[command]
		if !ok {
			i = len(lanes)
			crowds[command] = i
			lanes = append(lanes, Lane{Role: r.role})
		}
		for _, m := range r.members {
			lanes[i].Members = append(lanes[i].Members, m.name)
		}
		lanes[i].Crowd++
		lanes[i].Label = fmt.Sprintf("%s x%d", r.role, lanes[i].Crowd)
	}
	return lanes
}

// crowd says whether a lane is to be one with others, and of which command.
func (y *layout) crowd(r *row) (command string, isCrowd bool) {
	if r.queue != "" {
		return "", false
	}
	command = r.members[0].command
	ofRole, alike, reached := 0, 0, 0
	for _, other := range y.list {
		if other.role != r.role || other.queue != "" {
			continue
		}
		ofRole++
		if other.members[0].command == command {
			alike++
			if other.members[0].reached {
				reached++
			}
		}
	}
	standsOut := r.members[0].reached && reached <= maxApart
	return command, ofRole > maxLanes && alike > maxApart && !standsOut
}

func (y *layout) lane(r *row) Lane {
	lane := Lane{Role: r.role, Label: y.label(r)}
	for _, m := range r.members {
		lane.Members = append(lane.Members, m.name)
	}
	return lane
}

// label returns the name of a lane: that of its process, or its role if that
// says as much, since its processes have no name in common.
func (y *layout) label(r *row) string {
	if r.queue != "" {
		label := "queue " + r.queue
		for _, other := range y.list {
			if other != r && other.queue == r.queue && r.broker.label != "" {
				return label + " (" + r.broker.label + ")"
			}
		}
		return label
	}
	same := true
	for _, m := range r.members {
		same = same && m.p.label == r.members[0].p.label
	}
	word := r.word()
	if same && r.members[0].p.words.id && r.members[0].p.vars["word"] != "" {
		return r.members[0].p.label
	}
	alone := true
	for _, other := range y.list {
		alone = alone && (other == r || other.role != r.role)
	}
	if alone || !same && word == "" {
		return r.role
	}
	if label := r.role + " " + tidy(word); word != "" && y.only(label, r) {
		return label
	}
	if !same {
		return r.role
	}
	return strings.TrimSpace(r.members[0].p.label)
}

// word is what all processes of the lane were started with, if it is the same.
func (r *row) word() string {
	word := r.members[0].p.vars["word"]
	for _, m := range r.members {
		if m.p.vars["word"] != word {
			return ""
		}
	}
	return word
}

// only says whether no other lane would have that label.
func (y *layout) only(label string, r *row) bool {
	return !slices.ContainsFunc(y.list, func(other *row) bool {
		return other != r && other.queue == "" &&
			other.role+" "+tidy(other.word()) == label
	})
}
