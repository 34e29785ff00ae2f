package arrows

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"distsys/internal/lab/record"
)

// A Deriver finds out, event by event. What is settled it forgets: it may run
// for as long as a lecture does.
type Deriver struct {
	run
	drawing

	// For tests: what belongs together, and how many lines were about
	// something received; found are those whose sender is known.
	matched         func(sent, received said)
	received, found int
}

// A run is what there is to know of a story, or an experiment.
type run struct {
	now       time.Duration // the time of the latest event
	processes map[int]*process
	strangers map[string]*process // of lines of no process: by their role
	byLabel   map[string]*process // the latest of that name
	links     map[string]*link
	boxes     []*box // of all links and brokers
	streams   map[string]*stream
	loans     map[string]*message // what was lent, by the server and the loan
	brokers   map[string]*broker  // by each of their addresses
	nBrokers  int

	unfinished map[string][]*failure // by what was worked on
	inVain     []*message            // sent to somebody who did not get it
	vanished   []*message            // with the queue that they were in

	layout    layout
	isChanged bool // without a line of its programs, as by -without
	isOver    bool
}

// New returns a Deriver that has seen nothing yet.
func New() *Deriver {
	return &Deriver{run: newRun(), matched: func(said, said) {},
		drawing: drawing{bursts: map[burstKey]*burst{}}}
}

func newRun() run {
	return run{processes: map[int]*process{},
		strangers: map[string]*process{}, byLabel: map[string]*process{},
		links: map[string]*link{}, streams: map[string]*stream{},
		loans: map[string]*message{}, brokers: map[string]*broker{},
		unfinished: map[string][]*failure{},
		layout:     layout{rows: map[string]*row{}}}
}

// Derive returns the marks of a whole record, each as it is in the end.
func Derive(events []record.Event) []Mark {
	return New().derive(sorted(events))
}

func (d *Deriver) derive(events []record.Event) (marks []Mark) {
	place := map[int]int{} // where in marks one is
	keep := func(news []Mark) {
		for _, m := range news {
			i, known := place[m.ID]
			if known {
				marks[i] = m
				continue
			}
			place[m.ID] = len(marks)
			marks = append(marks, m)
		}
	}
	for _, e := range events {
		keep(d.Add(e))
	}
	keep(d.Over())
	return marks
}

// Lanes returns the lanes of a whole record, from top to bottom: those of
// each of its runs.
func Lanes(events []record.Event) (lanes []Lane) {
	for _, run := range Runs(events) {
		d := New()
		d.derive(sorted(run))
		ofRun, _ := d.Lanes()
		lanes = append(lanes, ofRun...)
	}
	return lanes
}

// Runs takes a record apart. Most have one run. With -without there are two:
// each has its own time, from 0, and the numbers of its processes go on.
func Runs(events []record.Event) (runs [][]record.Event) {
	for i, e := range events {
		if i == 0 || e.Kind == record.Begin {
			runs = append(runs, nil)
		}
		last := len(runs) - 1
		runs[last] = append(runs[last], e)
	}
	return runs
}

// sorted returns the events of each run in the order of their times.
func sorted(events []record.Event) (all []record.Event) {
	for _, run := range Runs(events) {
		all = append(all, byTime(run)...)
	}
	return all
}

// byTime returns the events in the order of their times. (In a record each
// stands where the lab came to know of it, and it reads what one process has
// printed before it looks at the next.) But a process starts before it
// prints, and ends after it, whatever the clocks say.
func byTime(events []record.Event) []record.Event {
	first, last := map[int]time.Duration{}, map[int]time.Duration{}
	for _, e := range events {
		if t, ok := first[e.Process]; !ok || e.Time < t {
			first[e.Process] = e.Time
		}
		last[e.Process] = max(last[e.Process], e.Time)
	}
	when := func(e record.Event) time.Duration {
		switch e.Kind {
		case record.Start:
			return first[e.Process]
		case record.End:
			return last[e.Process] + 1
		}
		return e.Time
	}
	inOrder := slices.Clone(events)
	slices.SortStableFunc(inOrder, func(a, b record.Event) int {
		return cmp.Compare(when(a), when(b))
	})
	return inOrder
}

// Add takes an event and returns the marks that are new, or no longer as they
// were. Events come as the lab shows them: those of one process in the order
// in which they happened, those of others up to some milliseconds early or
// late. If another run begins, the one before is over.
func (d *Deriver) Add(e record.Event) []Mark {
	if e.Kind == record.Begin {
		d.over()
		d.run = newRun()
		d.isChanged = e.Without != ""
	}
	d.now = max(d.now, e.Time)
	switch e.Kind {
	case record.Start:
		d.start(e)
	case record.Print:
		d.print(e)
	case record.Mute:
		if p := d.processes[e.Process]; p != nil {
			p.muted = true
			for _, part := range p.parts {
				part.muted = true
			}
		}
	case record.Kill:
		if p := d.processes[e.Process]; p != nil {
			p.killed = e.Time
		}
	case record.End:
		if p := d.processes[e.Process]; p != nil {
			d.end(p, e)
		}
	}
	d.showBursts(d.now)
	return d.take()
}

// Flush returns the marks of bursts that Add keeps back for up to a tenth of
// a second, for when no event comes for that long.
func (d *Deriver) Flush() []Mark {
	d.showBursts(forever)
	return d.take()
}

// A process has started, and speaks. (Or a part of one does.)
type process struct {
	number int
	lane   string
	role   string
	label  string
	words  *vocabulary
	vars   map[string]string // what a verb may name
	places map[string][]string
	broker *broker
	parts  map[string]*process

	muted        bool
	begun, ended time.Duration // ended: 0 as long as it runs
	killed       time.Duration
	bySignal     bool

	bars     map[string]*bar
	wait     *Mark
	keeps    bool          // the wait goes on when it speaks
	blocked  bool          // a server has said that it waits
	answered time.Duration // when a server has last replied to it
	asked    *message
	replies  []*message             // for it, on their way
	got      []*receipt             // replies that are not known yet
	latest   *message               // the last reply that it got
	seen     map[*compiledVerb]bool // it has received something by this
}

// said is a line, for tests.
type said struct {
	process int
	text    string
	at      time.Duration
}

func (d *Deriver) newProcess(number int, lane, program, role, label string,
	at time.Duration) *process {
	p := &process{number: number, lane: lane, role: role, label: label,
		words: vocabularies()[program], begun: at,
		vars:   map[string]string{"number": strconv.Itoa(number)},
		places: map[string][]string{}, bars: map[string]*bar{},
		seen: map[*compiledVerb]bool{}}
	if p.words == nil {
		p.words = &vocabulary{program: &noProgram}
	}
	return p
}

// noProgram is one that the tables do not name.
var noProgram = program{rank: other}

func (d *Deriver) start(e record.Event) {
	p := d.newProcess(e.Process, strconv.Itoa(e.Process), e.Program, e.Role,
		e.Label, e.Time)
	d.processes[e.Process] = p
	flags, words := readCommand(e.Text)
	for name, value := range p.words.flags {
		p.vars[name] = value
		p.places[name] = []string{place(value)}
	}
	for name, values := range flags {
		p.vars[name] = escape(values[len(values)-1])
		p.places[name] = nil
		for _, value := range values {
			p.places[name] = append(p.places[name], place(value))
		}
	}
	if urls := flags["broker"]; len(urls) > 0 {
		p.broker = d.broker(strings.Split(urls[len(urls)-1], ",")...)
	}
	if len(words) > 0 {
		p.vars["word"] = escape(words[0])
		if p.words.id && words[0] != "" {
			p.label = e.Role + " " + words[0]
		}
	}
	_, p.vars["id"], _ = strings.Cut(p.label, " ")
	d.byLabel[p.label] = p
	d.layout.start(p, e.Text)
	d.attend(p)
	if p.words.parts {
		d.startParts(p)
	}
	for _, v := range p.words.starts {
		d.do(&line{d: d, p: p, verb: v, at: e.Time, text: e.Text})
	}
}

// attend notes where p is going to send, and to receive: only where somebody
// is who does can something be lost.
func (d *Deriver) attend(p *process) {
	for _, v := range p.words.all {
		l := &line{d: d, p: p, verb: v}
		switch {
		case v.means(sends):
			for _, link := range l.links() {
				link.senders = join(link.senders, p)
			}
		case v.means(receives) && v.queue == "":
			for _, link := range l.links() {
				link.box.attend(p)
			}
		}
	}
}

// A line is one that a process has printed, and what it means.
type line struct {
	d      *Deriver
	p      *process
	verb   *compiledVerb
	fields []string
	who    string // whom it is about, if it began with a name
	at     time.Duration
	text   string

	// What it has received: a message out of a box, or one to come.
	box     *box
	message *message
	receipt *receipt
}

func (d *Deriver) print(e record.Event) {
	p := d.processes[e.Process]
	if p == nil {
		p = d.stranger(e)
	}
	text, labelled := strings.CutPrefix(e.Text, e.Label+": ")
	if p.words.parts {
		p, text = p.splitPart(text)
	}
	if !labelled && !strings.Contains(e.Text, ": ") || !labelled &&
		len(p.words.bares) > 0 {
		d.printBare(p, e)
		return
	}
	if labelled && e.Process != 0 && p.label != e.Label && p.parts == nil {
		p.label = e.Label
		d.byLabel[p.label] = p
		d.layout.changed = true
	}
	l := &line{d: d, p: p, at: e.Time, text: e.Text}
	if p.words.speaksOf {
		l.who, text = splitName(p.words, text)
	}
	for _, v := range p.words.verbsFor(text) {
		if l.fields = v.pattern.FindStringSubmatch(text); l.fields != nil {
			l.verb = v
			d.do(l)
		}
	}
}

// printBare is for what a program prints without its label: its result.
func (d *Deriver) printBare(p *process, e record.Event) {
	if e.Stderr {
		return
	}
	for _, v := range p.words.bares {
		d.do(&line{d: d, p: p, verb: v, at: e.Time, text: e.Text,
			fields: []string{e.Text}})
	}
}

// splitName takes off the name that a line begins with, if it does.
func splitName(v *vocabulary, text string) (name, rest string) {
	if v.verbsFor(text) != nil {
		return "", text
	}
	for i := 0; ; {
		at := strings.Index(text[i:], ": ")
		if at < 0 {
			return "", text
		}
		i += at
		if v.verbsFor(text[i+2:]) != nil {
			return text[:i], text[i+2:]
		}
		i += 2
	}
}

// stranger returns who stands behind a line that no process has printed.
func (d *Deriver) stranger(e record.Event) *process {
	p := d.strangers[e.Role]
	if p == nil {
		p = d.newProcess(0, e.Role, e.Role, e.Role, e.Label, e.Time)
		d.strangers[e.Role] = p
		if p.words.folder != "" {
			d.layout.start(p, e.Role)
		}
	}
	return p
}

// startParts is for a process that is several in one: its children, or its
// goroutines.
func (d *Deriver) startParts(p *process) {
	parts := map[string]*process{}
	for _, folder := range sortedKeys(vocabularies()) {
		role, ok := strings.CutPrefix(folder, p.words.folder+"/")
		if !ok {
			continue
		}
		part := d.newProcess(p.number, p.lane+"/"+role, folder, role, role,
			p.begun)
		part.parts = parts // each knows the others
		parts[role] = part
		d.layout.start(part, folder)
	}
	p.parts = parts
}

// splitPart returns which part of a process has printed a line, and the line.
func (p *process) splitPart(text string) (part *process, rest string) {
	label, rest, _ := strings.Cut(text, ": ")
	role, _, _ := strings.Cut(label, " ")
	if part = p.parts[role]; part == nil {
		return p, text
	}
	part.label = label
	return part, rest
}

func (d *Deriver) do(l *line) {
	if l.p.wait != nil && !l.p.keeps {
		d.endWait(l.p, l.at, false)
	}
	if !l.verb.means(gets) { // the lines about its last reply have come
		l.p.latest = nil
	}
	for _, act := range l.verb.does {
		act.do(d, l)
	}
}

// end is the end of a process: what it holds is lost, or goes back.
func (d *Deriver) end(p *process, e record.Event) {
	at := e.Time
	if p.killed > 0 {
		at = p.killed
	}
	p.ended, p.bySignal = max(at, 1), e.Status < 0
	for _, part := range p.parts {
		part.ended = p.ended
	}
	if p.wait != nil {
		d.endWait(p, at, p.bySignal)
	}
	for _, key := range sortedKeys(p.bars) {
		b := p.bars[key]
		d.endBar(p, b, at, true)
		if b.box.keeps() {
			d.goBack(p, b, at, false)
		} else {
			d.unfinished[b.task] = append(d.unfinished[b.task],
				&failure{p, b, at})
		}
	}
	d.leave(p)
	d.breakStreams(p)
	for _, m := range p.replies {
		d.loseReply(m)
	}
	p.replies = nil
}

// A failure is work that was never finished, since its process has ended.
type failure struct {
	p   *process
	bar *bar
	at  time.Duration
}

func (p *process) running() bool { return p.ended == 0 }

func (l *line) fill(t template) string { return t.fill(l.fields, l.p.vars) }

func (l *line) key() string { return l.fill(l.verb.keyText) }

func (l *line) label() string {
	if !strings.Contains(l.verb.label, "$") {
		return l.verb.label
	}
	return tidy(l.fill(l.verb.labelText))
}

func (l *line) field(name string) string {
	if i := l.verb.pattern.SubexpIndex(name); i >= 0 {
		return l.fields[i]
	}
	return ""
}

func (l *line) said() said { return said{l.p.number, l.text, l.at} }

// other returns the process that the line names: a part of the same one, a
// process of that name, or else, if the line names none, the stranger.
func (l *line) other() *process {
	name := l.who
	if name == "" {
		name = l.fill(l.verb.whoText)
	}
	if p := l.p.parts[name]; p != nil {
		return p
	}
	if p := l.d.byLabel[name]; p != nil {
		return p
	}
	if name == "" {
		for _, p := range l.d.strangers {
			if p.words.folder != "" {
				return p
			}
		}
	}
	return nil
}
