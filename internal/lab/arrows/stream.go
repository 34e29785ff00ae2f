package arrows

import (
	"fmt"
	"strconv"
	"time"
)

// A stream is bytes on their way in one direction: what is written as one may
// be read as several, and the other way round.
type stream struct {
	written []*chunk // and not read yet, as far as the lines tell
	read    []*chunk // and not written
}

// A chunk is what was written, or read, at once.
type chunk struct {
	by    *process
	at    time.Duration
	bytes int // all of them
	open  int // how many are not accounted for
	label string
	said  said
}

func (l *line) chunk() *chunk {
	n, _ := strconv.Atoi(l.fill(l.verb.bytesText))
	return &chunk{by: l.p, at: l.at, bytes: n, open: n, label: l.label(),
		said: l.said()}
}

func (l *line) streams(over string) (streams []*stream) {
	for _, place := range l.p.places[l.verb.at] {
		name := over + " " + place
		if l.d.streams[name] == nil {
			l.d.streams[name] = &stream{}
		}
		streams = append(streams, l.d.streams[name])
	}
	return streams
}

func write(d *Deriver, l *line) {
	for _, s := range l.streams(l.verb.over) {
		s.written = append(s.written, l.chunk())
		d.flow(s)
	}
}

func read(d *Deriver, l *line) {
	d.received++
	for _, s := range l.streams(l.verb.over) {
		s.read = append(s.read, l.chunk())
		d.flow(s)
	}
}

func echo(d *Deriver, l *line) {
	for _, s := range l.streams(l.verb.back) {
		c := l.chunk()
		c.bytes, c.open = c.bytes+1, c.open+1
		s.written = append(s.written, c)
		d.flow(s)
	}
}

// flow draws an arrow from each chunk written to each read that has bytes of
// it.
func (d *Deriver) flow(s *stream) {
	for len(s.written) > 0 && len(s.read) > 0 {
		w, r := s.written[0], s.read[0]
		n := min(w.open, r.open)
		label := w.label
		if n < w.bytes || n > maxLabel {
			label = fmt.Sprintf("%d bytes", n)
		}
		d.arrow(Message, w.by.lane, r.by.lane, min(w.at, r.at), r.at, label,
			w.by.muted || r.by.muted)
		d.matched(w.said, r.said)
		if w.open -= n; w.open == 0 {
			s.written = s.written[1:]
		}
		if r.open -= n; r.open == 0 {
			s.read = s.read[1:]
			d.found++
		}
	}
}

// eachStream calls f for the streams to and from a server.
func (d *Deriver) eachStream(p *process, f func(to, from *stream)) {
	for _, v := range p.words.all {
		if !v.means(echoes) {
			continue
		}
		l := &line{d: d, p: p, verb: v}
		to, from := l.streams(v.over), l.streams(v.back)
		for i := range to {
			f(to[i], from[i])
		}
	}
}

// newStreams is for a server that has started: what its like has left behind
// does not reach it.
func (d *Deriver) newStreams(p *process) {
	d.eachStream(p, func(to, from *stream) { *to, *from = stream{}, stream{} })
}

// breakStreams is for a server that has ended: what it has not read is lost.
func (d *Deriver) breakStreams(p *process) {
	d.eachStream(p, func(to, _ *stream) {
		for _, w := range to.written {
			d.inVain = append(d.inVain, &message{label: w.label, from: w.by,
				to: p, at: w.at})
		}
		to.written = nil
	})
}
