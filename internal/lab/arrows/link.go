package arrows

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// How much is kept of what is not settled. More than that, the oldest is
// forgotten.
const (
	maxWaiting = 16_384 // messages in a box
	maxEarly   = 4_096  // receipts of one
	maxRecent  = 1_024  // messages of a link, though they have their copies
	maxReaders = 256    // of a box, or senders of a link
	maxReplies = 64     // on their way to a process

	// A program prints after it has sent, after the confirm, even after the
	// broker came back. A receipt waits for so long for the line that says
	// that its message was sent.
	patience = time.Minute

	// How long after its end something that a process has sent may be
	// received.
	moment = time.Second
)

// A link is what messages of one kind go over, at one address.
type link struct {
	name string
	box  *box // if each message goes to one who receives

	// If each who asked for it gets a copy:
	copies map[string]*copyTo
	sent   int // that many messages
	recent shelf[*message]

	senders []*process // who ever was there to send
}

// A copyTo says who is to have a copy of what.
type copyTo struct {
	filter string
	fits   func(filter, route string) bool
	since  time.Duration
	before int // how many messages had been sent until then
	box    *box
}

// A box is where messages wait that were sent and not received, as far as the
// lines tell: a queue, which has a lane, or what is on its way to somebody.
type box struct {
	over    string // see verb
	lane    string // of a queue
	queue   string // its name
	broker  *broker
	copies  bool       // for one who gets a copy of each
	readers []*process // who is, or was, there to receive

	waiting shelf[*message]
	early   shelf[*receipt]
	settled shelf[*message] // what was taken out of a queue of late

	// What is not going to be received: copies for somebody who is not there,
	// and may come back; for somebody who was not, and is; and what fell out
	// of a full box.
	away, missed, fallen []*message

	depth
}

// A message was sent.
type message struct {
	key, label string
	from       *process
	at         time.Duration
	said       said

	number  int           // of those that go to several
	to      *process      // if that is known
	queue   string        // the lane of the one that it was lost with
	returns int           // how often it went back to a queue
	ask     bool          // its sender waits for a reply
	stale   time.Duration // since when it does not any more
	doubt   bool          // who was to receive it is dead
	quiet   bool          // a reply; its receiver need not print that it has it
	had     bool          // but it has
	taken   bool          // it is out of the tuple space for good
}

// A receipt is a line that says that something was received, when no line has
// said yet that it was sent.
type receipt struct {
	key, label string
	by         *process
	at         time.Duration
	said       said
	links      []*link
	done       bool // it may stand in several boxes
	bar        *bar
}

// link returns the link at a place.
func (d *Deriver) link(over, place string) *link {
	name := over + " " + place
	k := d.links[name]
	if k == nil {
		k = &link{name: name, box: d.newBox(box{over: over}),
			copies: map[string]*copyTo{}}
		d.links[name] = k
	}
	return k
}

func (d *Deriver) newBox(b box) *box {
	d.boxes = append(d.boxes, &b)
	return &b
}

// links returns what the messages of a verb go over: one for each address.
func (l *line) links() (links []*link) {
	places := []string{"-"}
	if l.verb.at != "" {
		places = l.p.places[l.verb.at]
	} else if address := l.field("address"); address != "" {
		places = []string{place(address)}
	} else if l.p.broker != nil {
		places = []string{l.p.broker.name}
	}
	for _, place := range places {
		links = append(links, l.d.link(l.over(), place))
	}
	return links
}

func (l *line) over() string { return l.fill(l.verb.overText) }

// boxes returns where a message of the verb may wait for this process: its
// queue, or a box for each address.
func (l *line) boxes() (boxes []*box) {
	if l.verb.queue != "" {
		name := l.fill(l.verb.queueText)
		if l.p.broker == nil || name == "" {
			return nil
		}
		return []*box{l.d.queue(l.p.broker, name)}
	}
	for _, link := range l.links() {
		if copies := link.copies[l.p.group()]; copies != nil {
			boxes = append(boxes, copies.box)
		} else {
			boxes = append(boxes, link.box)
		}
	}
	return boxes
}

// group is who gets one copy: a process, or all those of the same id, of
// which one comes after the other.
func (p *process) group() string {
	if p.words.id {
		return p.label
	}
	return p.lane
}

// attend notes that a process is there to receive from the box.
func (b *box) attend(p *process) { b.readers = join(b.readers, p) }

// join adds a process to a list, from which those that have ended go if it
// becomes too long.
func join(list []*process, p *process) []*process {
	if slices.Contains(list, p) {
		return list
	}
	if len(list) >= maxReaders {
		list = slices.DeleteFunc(list, func(p *process) bool {
			return !p.running()
		})
	}
	return append(list, p)
}

func (b *box) attended() bool {
	return slices.ContainsFunc(b.readers, (*process).running)
}

// put puts a message into a box, unless somebody has it already.
func (d *Deriver) put(b *box, m *message) {
	r := b.takeEarly(m, nil)
	if r == nil && d.isChanged && b.lane == "" && !b.attended() {
		r = d.strayReceipt(b, m)
	}
	if b.lane != "" {
		at := m.at
		if r != nil {
			at = min(at, r.at)
		}
		d.arrow(Message, m.from.lane, b.lane, at, at, m.label, m.from.muted)
	}
	if r != nil {
		d.arrived(b, m, r.by, r.at, r.said)
		if r.bar != nil {
			r.bar.message = m
		}
		return
	}
	b.waiting.add(m.key, m)
	if b.lane != "" {
		d.deepen(b, +1, m.at, m.from.muted)
	}
	if b.waiting.size > maxWaiting {
		oldest := b.waiting.removeOldest()
		if b.lane == "" { // what is in a queue is counted anyway
			b.fallen = addBounded(b.fallen, oldest)
		}
	}
}

// addBounded adds to what is kept for the end.
func addBounded(list []*message, m *message) []*message {
	if len(list) >= maxWaiting {
		list = slices.Clone(list[maxWaiting/2:])
	}
	return append(list, m)
}

// putCopy puts a copy into the box of one of several.
func (d *Deriver) putCopy(b *box, m *message) {
	if b.lane == "" && !b.attended() && len(b.early.with(m.key)) == 0 {
		b.away = addBounded(b.away, m)
		return
	}
	d.put(b, m)
}

// putBack puts what was worked on back into its queue, unless another has it
// already.
func (d *Deriver) putBack(b *box, m *message, from *bar, at time.Duration,
	muted bool) {
	if r := b.takeEarly(m, from); r != nil {
		d.found++
		if r.bar != nil {
			r.bar.message = m
		}
		return
	}
	b.waiting.add(m.key, m)
	d.deepen(b, +1, at, muted)
}

// takeEarly takes a receipt that came before its message, if there is one:
// not that of the work that it comes back from.
func (b *box) takeEarly(m *message, from *bar) *receipt {
	for _, r := range b.early.with(m.key) {
		if from != nil && r.bar == from {
			continue
		}
		b.early.remove(r.key, r)
		if !r.done && r.at > m.at-patience {
			r.done = true
			return r
		}
	}
	return nil
}

func (b *box) addEarly(r *receipt) {
	b.early.add(r.key, r)
	if b.early.size > maxEarly {
		b.early.removeOldest()
	}
}

// blameTheDead is for what was received, though no line says who sent it. A
// process that was killed may have sent it and not lived to print so; one
// that was not will print it yet. If only one can have sent it, that one did.
func (d *Deriver) blameTheDead(b *box, r *receipt, isOver bool) {
	var dead []*process
	for _, k := range r.links {
		for _, p := range k.senders {
			switch {
			case p.begun > r.at || !p.running() && p.ended < r.at-moment:
			case !p.running() && p.bySignal:
				dead = append(dead, p)
			case !isOver:
				return
			}
		}
	}
	if len(dead) != 1 || r.done {
		return
	}
	m := &message{key: r.key, label: r.label, from: dead[0], at: r.at,
		said: said{process: dead[0].number}}
	b.early.remove(r.key, r)
	r.done = true
	if b.lane != "" {
		d.arrow(Message, m.from.lane, b.lane, m.at, m.at, m.label,
			m.from.muted)
	}
	if r.bar != nil {
		r.bar.message = m
	}
	d.arrived(b, m, r.by, r.at, r.said)
}

func (d *Deriver) blameAll(isOver bool) {
	for _, b := range d.boxes {
		for _, r := range b.early.values() {
			d.blameTheDead(b, r, isOver)
		}
	}
}

// A program of which a line was changed (-without) may not do what its
// command says: it asks elsewhere, or for something else. So in such a run a
// message is also looked for at other addresses, if there is none at its own.

// strayMessage returns a message for who has received it by another way.
func (d *Deriver) strayMessage(l *line, key string) (found *message) {
	over := l.over()
	for _, b := range d.boxes {
		if b.over != over || b.copies {
			continue
		}
		if m := b.find(key); m != nil {
			b.waiting.remove(key, m)
			l.box = b
			return m
		}
	}
	for _, name := range sortedKeys(d.links) {
		k := d.links[name]
		if k.box.over != over {
			continue
		}
		for _, m := range k.recent.with(key) {
			if found == nil || m.at > found.at {
				copied := *m
				found, l.box = &copied, k.box
			}
		}
	}
	if found != nil {
		for _, b := range l.boxes() { // it was not missed
			b.missed = slices.DeleteFunc(b.missed, func(m *message) bool {
				return m.key == key
			})
		}
	}
	return found
}

// strayCopies is for those who have received a message that they have not
// asked for.
func (d *Deriver) strayCopies(over string, m *message) {
	for _, b := range d.boxes {
		if b.over == over && b.copies && len(b.early.with(m.key)) > 0 {
			copied := *m
			d.put(b, &copied)
		}
	}
}

// strayReceipt returns a receipt of a message that was sent to an address at
// which nobody is.
func (d *Deriver) strayReceipt(at *box, m *message) *receipt {
	for _, b := range d.boxes {
		if b.over == at.over && b != at {
			if r := b.takeEarly(m, nil); r != nil {
				return r
			}
		}
	}
	return nil
}

// find returns the message with that key that a process is most likely to
// have received.
func (b *box) find(key string) *message {
	var found *message
	for _, m := range b.waiting.with(key) {
		switch {
		case found == nil, found.doubt && !m.doubt:
			found = m // who was first sent is first received
		case b.copies && m.from != found.from && m.at > found.at:
			found = m // of two publishers, one came after the other
		}
	}
	return found
}

// A broker keeps queues. It has several addresses if it is a cluster.
type broker struct {
	name    string
	label   string // how its address ends, to tell it from another
	queues  map[string]*box
	down    []*Mark // for each queue, as long as its clients have lost it
	wasLost bool
}

// broker returns the broker at these addresses, which are of one cluster.
func (d *Deriver) broker(urls ...string) *broker {
	var b *broker
	for _, url := range urls {
		if known := d.brokers[brokerPlace(url)]; known != nil {
			b = known
		}
	}
	if b == nil {
		d.nBrokers++
		_, vhost, _ := strings.Cut(brokerPlace(urls[0]), "/")
		b = &broker{name: fmt.Sprint("broker ", d.nBrokers), label: vhost,
			queues: map[string]*box{}}
	}
	for _, url := range urls {
		d.brokers[brokerPlace(url)] = b
	}
	return b
}

// queue returns the box of a broker's queue.
func (d *Deriver) queue(b *broker, name string) *box {
	q := b.queues[name]
	if q == nil {
		lane := "queue " + name
		if b.name != "broker 1" {
			lane += " of " + b.name
		}
		q = d.newBox(box{lane: lane, queue: name, broker: b})
		b.queues[name] = q
		d.layout.queue(q.lane, name, b)
	}
	return q
}

// isTemporary says whether it is a queue to which the broker has given a name.
func (b *box) isTemporary() bool {
	return strings.HasPrefix(b.queue, "amq.")
}

// keeps says whether it is a queue to which goes back what was not finished.
func (b *box) keeps() bool {
	return b != nil && b.lane != "" && !b.isTemporary()
}

// leave is for a process that has ended: what it was to receive, and what it
// asks.
func (d *Deriver) leave(p *process) {
	for _, name := range sortedKeys(d.links) {
		k := d.links[name]
		if slices.Contains(k.box.readers, p) {
			k.box.doubtRequests()
		}
		if to := k.copies[p.group()]; to != nil && d.vanish(to.box) {
			delete(k.copies, p.group())
		}
	}
	if p.bySignal {
		d.blameAll(false)
	}
}

// vanish is for a queue whose subscriber has gone: a temporary one goes with
// it.
func (d *Deriver) vanish(b *box) bool {
	if !b.isTemporary() {
		return false
	}
	for _, m := range b.waiting.values() {
		d.vanished = addBounded(d.vanished, &message{label: m.label, at: m.at,
			from: m.from, to: b.readers[0], queue: b.lane})
	}
	return true
}

// doubtRequests is for a server that has died. A request that its sender
// waits for no more was there, or nowhere; another may still be sent.
func (b *box) doubtRequests() {
	for _, m := range b.waiting.values() {
		if m.ask && (m.stale > 0 || !m.from.running()) {
			b.waiting.remove(m.key, m)
		}
		m.doubt = m.ask
	}
}
