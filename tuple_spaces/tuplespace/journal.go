package tuplespace

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"time"
)

// A journal is a file in which the server writes down what its requests have
// changed, before it replies to them. So whatever a client was told is true
// even if the server is killed the moment after. (Databases call this a
// write-ahead log; Redis has it as appendfsync always.)
//
// To wait for the disk is slow. So the server does all requests that have come
// meanwhile, and waits once for all of them (group commit).
//
// A record is a line: a checksum, and the changes of such a batch, in JSON. It
// counts as a whole or, if it was cut off, not at all. The file begins with a
// line that says what it is:
//
//	tuplespace journal 1
//	4d60c2cf [{"op":"write","tuples":[[1,0,"fac",5]],"client":"a/x","seq":1}]
//	3241a62a [{"op":"take","removed":[1],"client":"b/y","seq":1}]
//
// Loans are not written down. Should the server die, they end: what is on loan
// is in the space again.
type journal struct {
	path    string
	file    *os.File
	changes []change // that are not in the file yet
	text    []byte   // for the next record, to be used again

	size, compacted int64 // bytes of the file, now and when it was new
	err             error // what went wrong: nothing is written any more
}

const (
	journalMagic   = "tuplespace journal "
	journalVersion = 1

	// So many requests, and bytes of them, are done before the server waits
	// for the disk.
	maxBatch      = 100
	maxBatchBytes = 1 << 20

	// When the file is so many times as long as when it was new, and not
	// short, it is written anew, without what has come and gone.
	maxGrowth   = 4
	shortEnough = 16 << 20
)

// A change is what a request has changed in the space.
type change struct {
	// op is what came: write, take, commit or cancel. Or it is back: tuples
	// are in the space again, since their reply could not be delivered or was
	// not wanted any more.
	op      string
	removed []*entry // from the space
	tuples  []*entry // that came into it
	more    bool     // a take that has left some

	// A client's last request, so that it is not done again if it comes again.
	client string // "": it has no name
	seq    int64
}

// note has the journal write down what a request changes. It is called before
// that, since a write may change more: it wakes those who wait for a tuple.
func (s *Server) note(c *caller, x change) {
	if s.journal == nil {
		return
	}
	if c.session != nil {
		x.client, x.seq = c.session.client, c.session.seq
	}
	s.journal.changes = append(s.journal.changes, x)
}

// sync writes down what has changed, and waits until the disk has it.
func (j *journal) sync() error {
	if j == nil {
		return nil
	}
	if j.err != nil || len(j.changes) == 0 {
		return j.err
	}
	j.text = appendRecord(j.text[:0], j.changes)
	clear(j.changes)
	j.changes = j.changes[:0]

	n, err := j.file.Write(j.text)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		// What is in the file now nobody knows. The next server will see.
		var cause *os.PathError // its path is the one before it was renamed
		if errors.As(err, &cause) {
			err = cause.Err
		}
		j.err = fmt.Errorf("write %s: %w; what was acknowledged is in it: "+
			"start the server again when that is mended", j.path, err)
		return j.err
	}
	j.size += int64(n)
	if cap(j.text) > maxBatchBytes {
		j.text = nil
	}
	return nil
}

// isLong is true when it is time to write the file anew.
func (j *journal) isLong() bool {
	return j != nil && j.size > max(shortEnough, maxGrowth*j.compacted)
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumLength is how long a checksum is, with the blank behind it.
const sumLength = len("f59ba8b2 ")

// appendRecord appends a record, with the line's end.
func appendRecord(text []byte, changes []change) []byte {
	begin := len(text)
	text = append(text, "........ ["...)
	for i := range changes {
		if i > 0 {
			text = append(text, ',')
		}
		text = changes[i].append(text)
	}
	text = append(text, ']')
	sum := crc32.Checksum(text[begin+sumLength:], castagnoli)
	copy(text[begin:], fmt.Sprintf("%08x", sum))
	return append(text, '\n')
}

// append appends a change as JSON. Of a tuple that was removed the number
// suffices by which it is known: its age.
func (x *change) append(text []byte) []byte {
	text = append(append(append(text, `{"op":"`...), x.op...), '"')
	list := func(key string, some []*entry, one func(*entry)) {
		for i, t := range some {
			if i == 0 {
				text = append(text, key...)
			} else {
				text = append(text, ',')
			}
			one(t)
		}
		if len(some) > 0 {
			text = append(text, ']')
		}
	}
	list(`,"removed":[`, x.removed, func(t *entry) {
		text = strconv.AppendUint(text, t.age, 10)
	})
	list(`,"tuples":[`, x.tuples, func(t *entry) { text = t.append(text) })
	if x.more {
		text = append(text, `,"more":true`...)
	}
	if x.client != "" {
		text = append(append(text, `,"client":`...), encode(x.client)...)
		text = strconv.AppendInt(append(text, `,"seq":`...), x.seq, 10)
	}
	return append(text, '}')
}

// append appends a tuple as the journal has it: before its fields stand its
// age, and when it expires, in milliseconds since 1970 (0: never).
func (t *entry) append(text []byte) []byte {
	expires := int64(0)
	if !t.expires.IsZero() {
		expires = t.expires.UnixMilli()
	}
	text = strconv.AppendUint(append(text, '['), t.age, 10)
	text = strconv.AppendInt(append(text, ','), expires, 10)
	return append(append(text, ','), t.text[len("["):]...)
}

// A changeText is a change as it is read.
type changeText struct {
	Op      string
	Removed []uint64
	Tuples  [][]json.RawMessage
	More    bool
	Client  string
	Seq     int64
}

// parseRecord reads a line. It is false if that is not as it was written.
func parseRecord(line []byte) (changes []changeText, ok bool) {
	end := len(line) - len("\n")
	if end < sumLength || line[end] != '\n' || line[sumLength-1] != ' ' {
		return nil, false
	}
	text := line[sumLength:end]
	sum := fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli))
	if string(line[:sumLength-1]) != sum {
		return nil, false
	}
	s := scanner{text: text}
	s.list('[', ']', func() {
		changes = append(changes, changeText{})
		changes[len(changes)-1].scan(&s)
	})
	if s.isDone() {
		return changes, true
	}
	// As in other messages, some texts are for encoding/json.
	changes = nil
	err := json.Unmarshal(text, &changes)
	return changes, err == nil
}

func (x *changeText) scan(s *scanner) {
	s.object(func(key []byte) {
		switch string(key) {
		case `"op"`:
			x.Op = s.string()
		case `"removed"`:
			s.list('[', ']', func() {
				x.Removed = append(x.Removed, uint64(s.int()))
			})
		case `"tuples"`:
			s.list('[', ']', func() { x.Tuples = append(x.Tuples, s.values()) })
		case `"more"`:
			x.More = string(s.value()) == "true"
		case `"client"`:
			x.Client = s.string()
		case `"seq"`:
			x.Seq = s.int()
		default:
			s.failed = true
		}
	})
}

// newStoredEntry makes a tuple of what the journal has.
func newStoredEntry(values []json.RawMessage) (*entry, error) {
	if len(values) < 3 {
		return nil, fmt.Errorf("a tuple of %d fields", len(values)-2)
	}
	age, err := strconv.ParseUint(string(values[0]), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("a tuple's age: %w", err)
	}
	expires, err := strconv.ParseInt(string(values[1]), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("when a tuple expires: %w", err)
	}
	t, err := newEntry(values[2:])
	if err != nil {
		return nil, err
	}
	if t.age = age; expires > 0 {
		t.expires = time.UnixMilli(expires)
	}
	return t, nil
}
