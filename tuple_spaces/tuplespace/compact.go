package tuplespace

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// snapshotBytes is how long a record of a new journal is, about.
const snapshotBytes = 64 << 10

// compact writes the journal anew: only what is there now, and the last
// request of each client. The old file is there until the new one is on the
// disk, and then replaced in one step. Meanwhile the server does nothing else.
func (s *Server) compact() error {
	j := s.journal
	path := j.path + ".new"
	file, err := s.writeSnapshot(path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil {
		err = os.Rename(path, j.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(j.path))
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	old := j.file
	j.file, j.size, j.compacted = file, info.Size(), info.Size()
	return old.Close()
}

// writeSnapshot returns a file that is complete, on the disk, and locked.
func (s *Server) writeSnapshot(path string) (*os.File, error) {
	file, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	// What a server has left there that was killed is of no use any more.
	_, err = readFirstLine(path, bufio.NewReader(file))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	out := bufio.NewWriterSize(file, snapshotBytes)
	err = file.Truncate(0)
	if err == nil {
		_, err = file.Seek(0, 0)
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "%s%d\n", journalMagic, journalVersion)
	}
	if err == nil {
		err = s.writeState(out)
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path), file.Close())
	}
	return file, nil
}

// writeState writes the records of a new journal.
func (s *Server) writeState(out *bufio.Writer) error {
	var text []byte
	write := func(changes ...change) error {
		text = appendRecord(text[:0], changes)
		_, err := out.Write(text)
		return err
	}
	tuples := s.space.all()
	for len(tuples) > 0 {
		n, bytes := 0, 0
		for n < len(tuples) && bytes < snapshotBytes {
			bytes += len(tuples[n].text)
			n++
		}
		err := write(change{op: "write", tuples: tuples[:n]})
		if err != nil {
			return err
		}
		tuples = tuples[n:]
	}
	for e := s.sessions.recent.Front(); e != nil; e = e.Next() {
		if changes := e.Value.(*session).changes(); changes != nil {
			if err := write(changes...); err != nil {
				return err
			}
		}
	}
	return nil
}

// changes are those that lead to what is remembered of a client. It is nil if
// the client's last request may as well be done again.
func (last *session) changes() []change {
	x := change{op: "write", client: last.client, seq: last.seq}
	if last.answer == okText {
		return []change{x}
	}
	f := last.took
	if f == nil || len(f.tuples) == 0 || f.loan != "" {
		return nil
	}
	x.op, x.removed, x.more = "take", f.tuples, f.more
	return []change{{op: "write", tuples: f.tuples}, x}
}

// syncDir waits until the disk has the names of a folder's files.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
