package arrows

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// burstTime is how long a burst lasts: what was sent meanwhile is one mark.
const burstTime = 100 * time.Millisecond

const forever = math.MaxInt64

// A drawing is the marks that are new.
type drawing struct {
	new    []Mark
	lastID int

	bursts  map[burstKey]*burst
	inOrder []*burst // the oldest first
	dirty   []*box   // queues whose depth is to be drawn
}

// take returns the new marks.
func (d *drawing) take() []Mark {
	marks := d.new
	d.new = nil
	return marks
}

// emit draws a mark, for the first time or anew.
func (d *drawing) emit(m *Mark) {
	if m.ID == 0 {
		d.lastID++
		m.ID = d.lastID
	}
	d.new = append(d.new, *m)
}

// A burst is arrows of one kind from one lane to another, of which one end is
// muted.
type burst struct {
	key   burstKey
	mark  *Mark
	until time.Duration
}

type burstKey struct {
	kind     Kind
	lane, to string
	held     bool
}

// arrow draws an arrow, or adds it to a burst.
func (d *Deriver) arrow(kind Kind, lane, to string, begin, end time.Duration,
	label string, muted bool) {
	d.layout.arrived(kind, to)
	m := &Mark{Kind: kind, Lane: lane, To: to, Begin: begin, End: end,
		Label: label}
	if muted {
		d.addToBurst(m, d.now)
		return
	}
	d.emit(m)
}

func (d *drawing) addToBurst(m *Mark, now time.Duration) {
	key := burstKey{m.Kind, m.Lane, m.To, m.Held}
	b := d.bursts[key]
	if b == nil || now >= b.until {
		d.showBursts(now)
		b = &burst{key, m, now + burstTime}
		d.bursts[key] = b
		d.inOrder = append(d.inOrder, b)
		return
	}
	if b.mark.Count == 0 {
		b.mark.Count = 1
		b.mark.LastBegin, b.mark.LastEnd = b.mark.Begin, b.mark.End
		b.mark.Label = ""
	}
	b.mark.Count++
	b.mark.Begin = min(b.mark.Begin, m.Begin)
	b.mark.End = min(b.mark.End, m.End)
	b.mark.LastBegin = max(b.mark.LastBegin, m.Begin)
	b.mark.LastEnd = max(b.mark.LastEnd, m.End)
}

// showBursts draws the bursts that are over by now.
func (d *drawing) showBursts(now time.Duration) {
	for len(d.inOrder) > 0 && d.inOrder[0].until <= now {
		b := d.inOrder[0]
		d.inOrder = d.inOrder[1:]
		delete(d.bursts, b.key)
		d.emit(b.mark)
	}
	d.dirty = slices.DeleteFunc(d.dirty, func(b *box) bool {
		if b.shownAt+burstTime > now {
			return false
		}
		d.showDepth(b)
		return true
	})
}

// span draws what goes on from here.
func (d *Deriver) span(kind Kind, p *process, at time.Duration,
	label string) *Mark {
	m := &Mark{Kind: kind, Lane: p.lane, Begin: at, Label: label, Open: true}
	if !p.muted {
		d.emit(m)
	}
	return m
}

// endSpan draws its end. What began when its process was not muted has one.
func (d *Deriver) endSpan(m *Mark, at time.Duration, cut bool) {
	m.End, m.Open, m.Cut = max(at, m.Begin), false, cut
	if m.ID > 0 {
		d.emit(m)
	}
}

func (d *Deriver) endWait(p *process, at time.Duration, cut bool) {
	d.endSpan(p.wait, at, cut)
	p.wait, p.keeps = nil, false
}

func (d *Deriver) endBar(p *process, b *bar, at time.Duration, cut bool) {
	d.endSpan(b.mark, at, cut)
	delete(p.bars, b.key)
}

// point draws what happened at once.
func (d *Deriver) point(kind Kind, p *process, at time.Duration,
	label string) {
	if !p.muted {
		d.emit(&Mark{Kind: kind, Lane: p.lane, Begin: at, Label: label})
	}
}

// A depth is how many messages are in a queue.
type depth struct {
	n       int
	unsure  bool
	at      time.Duration
	shownAt time.Duration
	isDirty bool
}

// deepen changes the depth of a queue. If somebody muted does it, that is not
// drawn each time.
func (d *Deriver) deepen(b *box, by int, at time.Duration, muted bool) {
	b.n = max(0, b.n+by)
	b.at = max(b.at, at)
	if !muted {
		d.showDepth(b)
		return
	}
	if !b.isDirty {
		b.isDirty = true
		d.dirty = append(d.dirty, b)
	}
}

func (d *drawing) showDepth(b *box) {
	b.isDirty, b.shownAt = false, b.at
	d.emit(&Mark{Kind: Depth, Lane: b.lane, Begin: b.at, Count: b.n,
		Unsure: b.unsure})
}

// tidy makes a short label of a text: of the tuple ["fac",{"?":"int"}], fac
// ?int.
func tidy(label string) string {
	if strings.ContainsAny(label, `["`) {
		label = typed.ReplaceAllString(label, "?$1")
		label = strings.Join(strings.Fields(untidy.Replace(label)), " ")
	}
	if short := cut(label, maxLabel); short != label {
		return cut(label, maxLabel-1) + "…"
	}
	return label
}

const maxLabel = 24

var untidy = strings.NewReplacer(`\"`, "", "[", "", "]", "", `"`, "", ",", " ",
	"null", "?")

var typed = regexp.MustCompile(`\{"\?":"(\w+)"\}`)

// Over returns the last marks, when all has happened: what is still on its
// way will not arrive any more.
func (d *Deriver) Over() []Mark {
	d.over()
	return d.take()
}

func (d *Deriver) over() {
	if d.isOver {
		return
	}
	d.isOver = true
	d.blameAll(true)
	d.showBursts(forever)
	var lost []*loss
	add := func(m *message, held bool, lane, to string, muted bool) {
		lost = append(lost, &loss{&Mark{Kind: Lost, Lane: lane, To: to,
			Begin: m.at, Label: m.label, Held: held}, muted})
	}
	for _, b := range d.boxes {
		for _, m := range b.lost() {
			add(m, false, m.from.lane, b.reader(m), m.from.muted ||
				b.copies && b.isMuted())
		}
	}
	for _, m := range d.inVain {
		add(m, false, m.from.lane, m.to.lane, m.from.muted || m.to.muted)
	}
	for _, m := range d.vanished {
		add(m, false, m.queue, m.to.lane, m.from.muted || m.to.muted)
	}
	for _, task := range sortedKeys(d.unfinished) {
		for _, f := range d.unfinished[task] {
			add(&message{label: f.bar.mark.Label, at: f.at}, true, f.p.lane,
				"", f.p.muted)
		}
	}
	slices.SortStableFunc(lost, func(a, b *loss) int {
		return cmp.Compare(a.mark.Begin, b.mark.Begin)
	})
	for _, l := range lost {
		if l.muted {
			d.addToBurst(l.mark, l.mark.Begin)
		} else {
			d.emit(l.mark)
		}
	}
	d.showBursts(forever)
}

type loss struct {
	mark  *Mark
	muted bool
}

// lost returns what was sent to this box, and is not received. What is in a
// queue is not lost; where nobody ever came to receive, nobody knows.
func (b *box) lost() []*message {
	if b.lane != "" || len(b.readers) == 0 {
		return nil
	}
	waiting := slices.DeleteFunc(b.waiting.values(), func(m *message) bool {
		return m.ask // a request is asked again, or waited for
	})
	return slices.Concat(b.fallen, b.missed, waiting)
}

// reader returns the lane of who was to receive a message, if it was one: of
// those who came one after the other, the latest at that time.
func (b *box) reader(m *message) (lane string) {
	if !b.copies && len(b.readers) != 1 {
		return ""
	}
	lane = b.readers[0].lane
	for _, p := range b.readers[1:] {
		if p.begun <= m.at {
			lane = p.lane
		}
	}
	return lane
}

func (b *box) isMuted() bool {
	return slices.ContainsFunc(b.readers, func(p *process) bool {
		return p.muted
	})
}
