package tuplespace

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// UseJournal has the server keep its tuples in a file, and begin with those
// that are there. It is called before Serve. If the last record was cut off,
// as by a kill in the middle of writing it, nobody was told of what it held:
// it is skipped, and skipped is its length in bytes.
//
// An error says what is wrong with the file, which stays as it is then: it is
// no journal, it is damaged, or another server has it.
func (s *Server) UseJournal(path string) (skipped int64, err error) {
	// A link's file is written anew, not the link.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	j := &journal{path: path}
	if j.file, err = openLocked(path); err != nil {
		return 0, err
	}
	s.now = time.Now()
	s.space.advance(s.now)
	skipped, err = s.recover(j)
	if err == nil {
		s.journal = j
		err = s.compact() // also, what was cut off is gone then
	}
	if err != nil {
		s.journal = nil
		return 0, errors.Join(err, j.close())
	}
	return skipped, nil
}

// openLocked opens a file that only this process may use.
func openLocked(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if errors.Is(err, syscall.EISDIR) {
			return nil, fmt.Errorf("%s is a directory; a journal is a file",
				path)
		}
		if err != nil {
			return nil, err
		}
		err = lockFile(file)
		// Whoever had it before may have written another one in its place.
		opened, err1 := file.Stat()
		there, err2 := os.Stat(path)
		isThere := err1 == nil && err2 == nil && os.SameFile(opened, there)
		if err == nil && isThere && opened.Mode().IsRegular() {
			return file, nil
		}
		file.Close()
		if err == nil && isThere {
			err = fmt.Errorf("%s is not a regular file", path)
		}
		if err != nil {
			return nil, err
		}
	}
}

// lockFile locks a file until it is closed, or its process ends in whatever
// way.
func lockFile(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%s is in use by another server", file.Name())
	}
	return err
}

// A recovery is what the records of a journal have led to so far.
type recovery struct {
	server  *Server
	tuples  map[uint64]*entry // by age
	lastAge uint64
}

// recover does again what the journal says, and puts what is left into the
// space. It returns how many bytes were cut off.
func (s *Server) recover(j *journal) (skipped int64, err error) {
	r := recovery{server: s, tuples: map[uint64]*entry{}}
	text := bufio.NewReaderSize(j.file, 1<<20)
	offset, err := readFirstLine(j.path, text)
	if err != nil {
		return 0, err
	}
	for {
		line, err := text.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return 0, err
		}
		if len(line) == 0 {
			break
		}
		changes, ok := parseRecord(line)
		if ok {
			err = r.redo(changes)
		} else {
			skipped, err = skipRest(text, line)
		}
		if err != nil {
			return 0, fmt.Errorf("%s is damaged at byte %d: %w; nothing was "+
				"changed", j.path, offset, err)
		}
		offset += int64(len(line))
	}
	tuples := slices.SortedFunc(maps.Values(r.tuples), byAge)
	s.space.restore(tuples, r.lastAge)
	return skipped, nil
}

func byAge(a, b *entry) int { return cmp.Compare(a.age, b.age) }

// readFirstLine returns how long the first line is, which says what the file
// is. An empty file becomes a journal, and so does one whose first line was
// cut off.
func readFirstLine(path string, text *bufio.Reader) (int64, error) {
	want := journalMagic + strconv.Itoa(journalVersion) + "\n"
	line, err := text.Peek(len(want))
	if err != nil && err != io.EOF {
		return 0, err
	}
	if err == io.EOF && strings.HasPrefix(want, string(line)) ||
		string(line) == want {
		n, err := text.Discard(len(line))
		return int64(n), err
	}
	version, ok := strings.CutPrefix(string(line), journalMagic)
	if ok {
		return 0, fmt.Errorf("%s is a journal of version %q, and this server "+
			"reads version %d; nothing was changed", path,
			strings.TrimSpace(version), journalVersion)
	}
	return 0, fmt.Errorf("%s is no journal of a tuple space; nothing was "+
		"changed", path)
}

// skipRest looks at what comes after a record that is not whole. Nothing, if
// the server was killed when it wrote that one. If there is a record that is
// whole, something else has happened to the file.
func skipRest(text *bufio.Reader, line []byte) (skipped int64, err error) {
	for skipped = int64(len(line)); ; skipped += int64(len(line)) {
		line, err = text.ReadBytes('\n')
		if _, ok := parseRecord(line); ok {
			return 0, errors.New("more records come after a broken one")
		}
		if err == io.EOF {
			return skipped + int64(len(line)), nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// redo does the changes of a record.
func (r *recovery) redo(changes []changeText) error {
	for _, x := range changes {
		took := found{taken: true, more: x.More}
		for _, age := range x.Removed {
			t := r.tuples[age]
			if t == nil {
				return fmt.Errorf("tuple %d is removed, but not there", age)
			}
			delete(r.tuples, age)
			took.tuples = append(took.tuples, t)
		}
		for _, values := range x.Tuples {
			t, err := newStoredEntry(values)
			if err != nil {
				return err
			}
			r.tuples[t.age] = t
			r.lastAge = max(r.lastAge, t.age)
		}
		if x.Client != "" {
			r.remember(&x, &took)
		}
	}
	return nil
}

// remember remembers a client's last request, as the server did that did it.
func (r *recovery) remember(x *changeText, took *found) {
	sessions := &r.server.sessions
	last := sessions.get(x.Client, r.server.now)
	last.seq = x.Seq
	switch x.Op {
	case "take":
		sessions.remember(last, replyText(took, 0), took)
	case "back": // if it comes again it is done again
		sessions.forgetAnswer(last)
	default:
		sessions.remember(last, okText, nil)
	}
}
