package tuplespace

import (
	"cmp"
	"slices"
	"strings"
)

// waits has those who wait, by what they wait for. Those who wait for the
// same pattern stand in one line. So a write looks at the lines that its tuple
// matches, however many wait in others.
//
// To find these, patterns are told apart by their signatures: which fields
// are formal, and of which type. A tuple can match only one pattern of each
// signature: the one whose actual fields are its own.
type waits struct {
	bySignature map[int]map[string]*signature // by length, then by name
	byPlace     map[uint64]*wait
	lastPlace   uint64
}

// A signature is what several patterns have in common.
type signature struct {
	name    string
	pattern []field          // one of them: its actual fields do not count
	lines   map[string]*line // by the actual fields
}

// A line is those who wait for one pattern.
type line struct {
	signature *signature
	name      string

	readers, takers queue[*wait]
}

func newWaits() waits {
	return waits{bySignature: map[int]map[string]*signature{},
		byPlace: map[uint64]*wait{}}
}

// add puts a wait in line: at its old place, if that is free and was one.
func (s *waits) add(w *wait) {
	if s.byPlace[w.place] != nil || w.place == 0 || w.place > s.lastPlace {
		s.lastPlace++
		w.place = s.lastPlace
	}
	s.byPlace[w.place] = w
	w.line = s.lineFor(w.pattern)
	w.queue().add(w)
}

// remove ends a wait, and leaves nothing of it behind.
func (s *waits) remove(w *wait) {
	line, queue := w.line, w.queue()
	w.line = nil
	delete(s.byPlace, w.place)
	queue.remove()
	if line.readers.len+line.takers.len > 0 {
		return
	}
	delete(line.signature.lines, line.name)
	if len(line.signature.lines) > 0 {
		return
	}
	same := s.bySignature[len(w.pattern)]
	if delete(same, line.signature.name); len(same) == 0 {
		delete(s.bySignature, len(w.pattern))
	}
}

func (w *wait) queue() *queue[*wait] {
	if w.take {
		return &w.line.takers
	}
	return &w.line.readers
}

// readers returns those who wait to read a tuple, the longest-waiting first.
func (s *waits) readers(t *entry) (all []*wait) {
	for _, line := range s.matching(t) {
		all = slices.AppendSeq(all, line.readers.each)
	}
	slices.SortFunc(all, func(a, b *wait) int {
		return cmp.Compare(a.place, b.place)
	})
	return all
}

// taker returns who has waited longest to take a tuple, or nil.
func (s *waits) taker(t *entry) (first *wait) {
	for _, line := range s.matching(t) {
		for w := range line.takers.each {
			if first == nil || w.place < first.place {
				first = w
			}
			break // the others in this line came later
		}
	}
	return first
}

// matching returns the lines whose pattern a tuple matches.
func (s *waits) matching(t *entry) (lines []*line) {
	var name strings.Builder
signatures:
	for _, sig := range s.bySignature[len(t.fields)] {
		name.Reset()
		for i, p := range sig.pattern {
			if !p.isFormal() {
				name.WriteString(t.fields[i].key + "\n")
			} else if p.kind&t.fields[i].kind == 0 {
				continue signatures
			}
		}
		if line := sig.lines[name.String()]; line != nil {
			lines = append(lines, line)
		}
	}
	return lines
}

// lineFor returns the line for a pattern, which may be a new one.
func (s *waits) lineFor(pattern []field) *line {
	var kinds, name strings.Builder
	for _, p := range pattern {
		if p.isFormal() {
			kinds.WriteByte(byte(p.kind))
		} else {
			kinds.WriteByte(0)
			name.WriteString(p.key + "\n")
		}
	}
	same := s.bySignature[len(pattern)]
	if same == nil {
		same = map[string]*signature{}
		s.bySignature[len(pattern)] = same
	}
	sig := same[kinds.String()]
	if sig == nil {
		sig = &signature{kinds.String(), pattern, map[string]*line{}}
		same[sig.name] = sig
	}
	l := sig.lines[name.String()]
	if l == nil {
		l = &line{signature: sig, name: name.String()}
		sig.lines[l.name] = l
	}
	return l
}
