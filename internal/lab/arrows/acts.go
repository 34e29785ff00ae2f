package arrows

import (
	"slices"
	"strings"
	"time"
)

// The words of the tables: what a line says that its program has done.
var (
	// Messages.
	sends    = act{"sends", send}       // to whoever receives the same key
	binds    = act{"binds", bind}       // from here on it gets what fits
	receives = act{"receives", receive} // what another has sent
	drops    = act{"drops", drop}       // the broker has thrown it away

	// Work: a bar, from when a message came until all was done.
	begins    = act{"begins", begin}
	ends      = act{"ends", finish}             // and acknowledges
	returns   = act{"returns", giveUp}          // to the queue
	setsAside = act{"setsAside", giveUpForGood} // it was there too often
	waits     = act{"waits", waitFor}           // until its next line

	// Requests, whose sender waits for a reply.
	asks      = act{"asks", ask}
	asksAgain = act{"asksAgain", askAgain} // since no reply came in time
	replies   = act{"replies", reply}      // to the request that it works on
	gets      = act{"gets", get}           // the reply

	// What a server prints about another, which it names.
	hears     = act{"hears", hear}       // that one's message
	makesWait = act{"makesWait", block}  // that one waits now
	endsWait  = act{"endsWait", unblock} // it does not any more
	answers   = act{"answers", answer}   // sends that one a reply
	endsLoan  = act{"endsLoan", endLoan}
	givesBack = act{"givesBack", release}  // that one ends its loan
	comesBack = act{"comesBack", expire}   // the loan has run out
	completes = act{"completes", complete} // that one's work is done

	// Bytes, which are no messages.
	writes = act{"writes", write}
	reads  = act{"reads", read}
	echoes = act{"echoes", echo} // writes the same bytes, and one more

	// Where it is.
	listens     = act{"listens", listen}
	connects    = act{"connects", connect}
	losesBroker = act{"losesBroker", loseBroker}
)

// Messages

func send(d *Deriver, l *line) {
	m := &message{key: l.key(), label: l.label(), from: l.p, at: l.at,
		said: l.said()}
	if l.verb.route == "" {
		for _, box := range l.boxes() {
			box.unsure = box.unsure || l.verb.lax
			d.put(box, m)
		}
		return
	}
	route := l.fill(l.verb.routeText)
	for _, link := range l.links() {
		link.sent++
		m.number = link.sent
		for _, group := range sortedKeys(link.copies) {
			if to := link.copies[group]; to.fits(to.filter, route) {
				copied := *m
				d.putCopy(to.box, &copied)
			}
		}
		if d.isChanged {
			d.strayCopies(l.over(), m)
		}
		link.recent.add(m.key, m)
		if link.recent.size > maxRecent {
			link.recent.removeOldest()
		}
	}
}

func bind(d *Deriver, l *line) {
	if l.verb.queue != "" && l.p.broker == nil {
		return
	}
	for _, link := range l.links() {
		to := link.copies[l.p.group()]
		if to == nil {
			to = &copyTo{box: d.newBox(box{copies: true, over: l.over()})}
			link.copies[l.p.group()] = to
		}
		if l.verb.queue != "" {
			l.p.vars["queue"] = l.field("queue")
			queue := d.queue(l.p.broker, l.field("queue"))
			if to.box != queue {
				d.vanish(to.box)
			}
			to.box = queue
			d.layout.bind(queue.lane, l.p)
		}
		to.filter, to.fits = l.field("filter"), l.verb.fits
		to.since, to.before = l.at, link.sent
		to.box.attend(l.p)
		// What was published while it was away, it has missed.
		for _, m := range to.box.away {
			to.box.missed = addBounded(to.box.missed, m)
		}
		to.box.away = nil
	}
}

func receive(d *Deriver, l *line) {
	d.received++
	key := l.key()
	boxes := l.boxes()
	if len(boxes) == 0 { // of a broker that is not known
		return
	}
	var m *message
	for _, l.box = range boxes {
		if m = l.box.find(key); m != nil {
			l.box.waiting.remove(key, m)
			if l.box.lane != "" {
				d.deepen(l.box, -1, l.at, l.p.muted || m.from.muted)
			}
			break
		}
	}
	if m == nil {
		m = d.lateCopy(l, key)
	}
	if m == nil && d.isChanged && l.verb.queue == "" {
		m = d.strayMessage(l, key)
	}
	again := l.field("again") != "" || m != nil && m.returns > 0
	if m == nil && l.box.lane != "" {
		m = l.duplicate(key)
		again = again || m != nil
	}
	if l.box.lane != "" {
		kind, label := Message, l.label()
		if again {
			kind, label = Again, label+" again"
		}
		d.arrow(kind, l.box.lane, l.p.lane, l.at, l.at, label, l.p.muted)
	}
	if m != nil {
		d.arrived(l.box, m, l.p, l.at, l.said())
		l.message = m
		l.p.seen[l.verb] = true
		return
	}
	if l.p.seen[l.verb] && key == "" {
		d.found++ // another line about what has come already
		return
	}
	l.receipt = &receipt{key: key, label: l.label(), by: l.p, at: l.at,
		said: l.said(), links: l.links()}
	for _, box := range boxes {
		box.addEarly(l.receipt)
	}
	d.blameTheDead(l.box, l.receipt, false)
}

// lateCopy returns a message that was sent shortly before its receiver has
// said that it is there: so that there is no copy for it.
func (d *Deriver) lateCopy(l *line, key string) *message {
	for _, link := range l.links() {
		to := link.copies[l.p.group()]
		if to == nil {
			continue
		}
		recent := link.recent.with(key)
		for _, m := range slices.Backward(recent) {
			if m.number <= to.before && m.at > to.since-moment {
				copied := *m
				l.box = to.box
				if to.box.lane != "" {
					at := min(m.at, l.at)
					d.arrow(Message, m.from.lane, to.box.lane, at, at,
						m.label, m.from.muted)
				}
				return &copied
			}
		}
	}
	return nil
}

// duplicate returns the message that was received from the queue before, if
// its producer may have sent it once more: one that has lost the broker
// repeats what was not confirmed. One that was started in its place repeats
// nothing: it begins anew, and so do its numbers.
func (l *line) duplicate(key string) *message {
	settled := l.box.settled.with(key)
	if len(settled) == 0 || !l.box.broker.wasLost {
		return nil
	}
	m := settled[len(settled)-1]
	for _, link := range l.links() {
		for _, p := range link.senders {
			if p.running() && p.begun > m.from.begun && !m.from.running() {
				return nil
			}
		}
	}
	return m
}

// arrived is for a message whose receipt is known.
func (d *Deriver) arrived(b *box, m *message, by *process, at time.Duration,
	received said) {
	d.found++
	d.matched(m.said, received)
	if b.lane == "" {
		d.arrow(Message, m.from.lane, by.lane, min(m.at, at), at, m.label,
			m.from.muted || by.muted)
		return
	}
	b.settled.add(m.key, m)
	if b.settled.size > maxRecent {
		b.settled.removeOldest()
	}
}

func drop(d *Deriver, l *line) {
	d.point(Dropped, l.p, l.at, l.label())
}

// Work

// A bar is work on something.
type bar struct {
	mark    *Mark
	key     string
	task    string // what work on the same has in common, whoever does it
	message *message
	box     *box // that it came from
	limit   int
}

func begin(d *Deriver, l *line) {
	key := l.key()
	b := &bar{key: key, message: l.message, box: l.box, limit: l.verb.limit,
		task: l.links()[0].name + " " + key}
	if l.message != nil && l.message.ask {
		b.task += " of " + l.message.from.lane
	}
	if l.receipt != nil {
		l.receipt.bar = b
	}
	b.mark = d.span(Bar, l.p, l.at, l.label())
	if old := l.p.bars[key]; old != nil {
		d.endBar(l.p, old, l.at, false)
	}
	l.p.bars[key] = b
}

func finish(d *Deriver, l *line) {
	key := l.key()
	b := l.p.bars[key]
	if b == nil {
		return
	}
	d.endBar(l.p, b, l.at, false)
	delete(d.unfinished, b.task) // if another has failed, it does not matter
	if b.box != nil && b.box.lane != "" {
		d.arrow(Ack, l.p.lane, b.box.lane, l.at, l.at, "", l.p.muted)
	}
}

func giveUp(d *Deriver, l *line) { d.giveUp(l, false) }

func giveUpForGood(d *Deriver, l *line) { d.giveUp(l, true) }

func (d *Deriver) giveUp(l *line, aside bool) {
	b := l.p.bars[l.key()]
	if b == nil {
		return
	}
	d.endBar(l.p, b, l.at, true)
	if b.box.keeps() {
		d.goBack(l.p, b, l.at, aside)
	}
}

// goBack puts what a process has worked on back into its queue, or aside, if
// that has happened too often.
func (d *Deriver) goBack(p *process, b *bar, at time.Duration, aside bool) {
	label := b.mark.Label + " goes back"
	box := b.box
	m := b.returned(p)
	if aside || m.returns > b.limit {
		box = d.queue(box.broker, box.queue+"-dead")
		label = b.mark.Label + " is set aside"
	}
	d.arrow(Back, p.lane, box.lane, at, at, label, p.muted)
	d.putBack(box, m, b, at, p.muted)
}

// returned is the message that was worked on, once more.
func (b *bar) returned(p *process) *message {
	m := b.message
	if m == nil { // it has come before anybody had sent it
		m = &message{key: b.key, label: b.mark.Label, from: p,
			at: b.mark.Begin}
	}
	m.returns++
	return m
}

func waitFor(d *Deriver, l *line) {
	l.p.wait, l.p.keeps = d.span(Wait, l.p, l.at, l.label()), false
}

// Requests

func ask(d *Deriver, l *line) {
	if l.p.wait == nil {
		l.p.wait = d.span(Wait, l.p, l.at, "waits for a reply")
		l.p.keeps = true
	}
	m := &message{key: l.key(), label: tidy(l.p.vars["word"]), from: l.p,
		at: l.at, said: l.said(), ask: true}
	l.p.asked = m
	for _, box := range l.boxes() {
		d.put(box, m)
	}
}

func askAgain(d *Deriver, l *line) {
	d.point(Timeout, l.p, l.at, l.label())
	if old := l.p.asked; old != nil {
		old.stale = max(l.at, 1)
		for _, box := range l.boxes() {
			if !box.attended() { // closing its socket has dropped it
				box.waiting.remove(old.key, old)
			}
		}
	}
	if l.field("try") != l.field("of") {
		ask(d, l)
	}
}

func reply(d *Deriver, l *line) {
	b := l.p.bars[l.key()]
	if b == nil || b.message == nil {
		return
	}
	request := b.message
	m := &message{label: l.label(), from: l.p, to: request.from, at: l.at,
		said: l.said()}
	if request.stale > 0 && request.stale <= l.at {
		d.inVain = addBounded(d.inVain, m)
		return
	}
	d.deliver(m)
}

func get(d *Deriver, l *line) {
	d.received++
	p, key := l.p, l.key()
	if p.wait != nil {
		d.endWait(p, l.at, false)
	}
	for i, m := range slices.Backward(p.replies) {
		if strings.Contains(m.key, key) {
			d.gotReply(m, l.at, l.said())
			p.replies = slices.Delete(p.replies, i, i+1)
			return
		}
	}
	if key != "" && p.latest != nil && strings.Contains(p.latest.key, key) {
		d.found++ // another tuple of the same reply
		return
	}
	p.got = append(p.got, &receipt{key: key, by: p, at: l.at, said: l.said()})
	if len(p.got) > maxReplies {
		p.got = p.got[1:]
	}
}

// deliver has a reply go to who waits for it.
func (d *Deriver) deliver(m *message) {
	p := m.to
	for i, r := range p.got { // it has said so already
		if strings.Contains(m.key, r.key) {
			p.got = slices.Delete(p.got, i, i+1)
			d.gotReply(m, r.at, r.said)
			return
		}
	}
	if !p.running() {
		d.loseReply(m)
		return
	}
	p.replies = append(p.replies, m)
	if len(p.replies) > maxReplies {
		p.replies = p.replies[1:]
	}
}

func (d *Deriver) gotReply(m *message, at time.Duration, received said) {
	d.found++
	d.matched(m.said, received)
	m.to.latest = m
	d.arrow(Message, m.from.lane, m.to.lane, min(m.at, at), at, m.label,
		m.from.muted || m.to.muted)
}

// hasReplies is for one who asks again: what he was sent before he must have,
// whether he prints it or not.
func (p *process) hasReplies() {
	for _, m := range p.replies {
		m.had = true
	}
}

// loseReply is for a reply to somebody who has ended. What it has read is
// still in the tuple space, and what it has borrowed comes back.
func (d *Deriver) loseReply(m *message) {
	if !m.quiet || m.taken && !m.had && m.to.bySignal {
		d.inVain = addBounded(d.inVain, m)
	}
}

// What a server prints about another

func hear(d *Deriver, l *line) {
	d.received++
	p := l.other()
	if p == nil {
		return
	}
	d.found++
	d.matched(said{process: p.number}, l.said())
	p.hasReplies()
	if p.wait != nil && p.answered >= p.wait.Begin {
		d.endWait(p, p.answered, false) // it does not print all that it gets
	}
	if b := p.bars[l.key()]; b != nil { // it writes what it had taken
		d.endBar(p, b, l.at, true)
		d.arrow(Back, p.lane, l.p.lane, l.at, l.at,
			b.mark.Label+" goes back", p.muted || l.p.muted)
		return
	}
	d.arrow(Message, p.lane, l.p.lane, l.at, l.at, l.label(),
		p.muted || l.p.muted)
}

func block(d *Deriver, l *line) {
	if p := l.other(); p != nil {
		p.wait, p.keeps = d.span(Wait, p, l.at, l.label()), false
		p.blocked = true
	}
}

func unblock(d *Deriver, l *line) {
	if p := l.other(); p != nil {
		p.blocked = false
		if p.wait != nil {
			d.endWait(p, l.at, false)
		}
	}
}

func answer(d *Deriver, l *line) {
	p := l.other()
	if p == nil {
		return
	}
	p.hasReplies()
	if !p.blocked { // its request was not printed: it did not have to wait
		d.arrow(Message, p.lane, l.p.lane, l.at, l.at, "",
			p.muted || l.p.muted)
	}
	p.blocked, p.answered = false, l.at // it waits until it has the reply
	m := &message{key: l.key(), label: l.label(), from: l.p, to: p, at: l.at,
		said: l.said(), quiet: true, taken: l.field("op") == "take"}
	if name := l.field("loan"); name != "" {
		m.taken = false
		d.loans[l.loan()] = m
	}
	d.deliver(m)
}

// complete is for a result that has come: even if whoever sent it has died
// before it could print so.
func complete(d *Deriver, l *line) {
	p := l.other()
	if p == nil {
		return
	}
	for _, key := range sortedKeys(p.bars) {
		if b := p.bars[key]; b.mark.Begin <= l.at {
			d.endBar(p, b, l.at, false)
			delete(d.unfinished, b.task)
		}
	}
	d.forgive(func(f *failure) bool {
		return f.p == p && f.bar.mark.Begin <= l.at
	})
}

// forgive forgets failures that were none.
func (d *Deriver) forgive(isNone func(f *failure) bool) {
	for task, failures := range d.unfinished {
		failures = slices.DeleteFunc(failures, isNone)
		if d.unfinished[task] = failures; len(failures) == 0 {
			delete(d.unfinished, task)
		}
	}
}

// loan is how the loan is known that the line names.
func (l *line) loan() string { return l.p.lane + " " + l.field("loan") }

func endLoan(d *Deriver, l *line) { delete(d.loans, l.loan()) }

func release(d *Deriver, l *line) {
	d.received++
	m := d.loans[l.loan()]
	if p := l.other(); p != nil && m == nil {
		d.found++
		d.arrow(Message, p.lane, l.p.lane, l.at, l.at, "too late",
			p.muted || l.p.muted)
	}
	if m != nil {
		d.found++
		d.loanEnds(m, l, m.label+" goes back", true)
	}
}

func expire(d *Deriver, l *line) {
	if m := d.loans[l.loan()]; m != nil {
		d.loanEnds(m, l, m.label+" comes back", false)
	}
}

// loanEnds is for a tuple that is in the space again.
func (d *Deriver) loanEnds(m *message, l *line, label string, willing bool) {
	p := m.to
	d.arrow(Back, p.lane, m.from.lane, l.at, l.at, label,
		p.muted || m.from.muted)
	p.replies = slices.DeleteFunc(p.replies, func(other *message) bool {
		return other == m
	})
	if b := p.bars[m.key]; b != nil && willing {
		d.endBar(p, b, l.at, true)
	}
	d.forgive(func(f *failure) bool { return f.p == p && f.bar.key == m.key })
}

// Where it is

func listen(d *Deriver, l *line) {
	l.p.places["bind"] = []string{place(l.field("address"))}
	d.attend(l.p)
	d.newStreams(l.p)
}

func connect(d *Deriver, l *line) {
	b := d.broker(l.field("address"))
	if l.p.broker == nil {
		l.p.broker = b
		d.attend(l.p)
	}
	for _, down := range b.down {
		down.End, down.Open = max(l.at, down.Begin), false
		d.emit(down)
	}
	b.down = nil
	for _, v := range l.p.words.all {
		if v.queue != "" && !strings.Contains(v.queue, "$") {
			d.queue(b, v.queue)
		}
	}
}

func loseBroker(d *Deriver, l *line) {
	b := l.p.broker
	if b == nil {
		return
	}
	b.wasLost = true
	if b.down == nil {
		for _, name := range sortedKeys(b.queues) {
			down := &Mark{Kind: Down, Lane: b.queues[name].lane, Begin: l.at,
				Open: true}
			d.emit(down)
			b.down = append(b.down, down)
		}
	}
	// What was not acknowledged, the broker delivers again.
	for _, key := range sortedKeys(l.p.bars) {
		bar := l.p.bars[key]
		if bar.box.keeps() {
			d.endBar(l.p, bar, l.at, true)
			d.putBack(bar.box, bar.returned(l.p), bar, l.at, l.p.muted)
		}
	}
}
