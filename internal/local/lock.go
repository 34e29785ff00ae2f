package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// LockFile is the name of the file by which a folder is locked.
const LockFile = "lock"

// A Lock keeps a folder for one program. The kernel releases it when the
// last process that has its file has ended, however it ended.
type Lock struct{ file *os.File }

// InUse is the error of a Lock that somebody else has.
type InUse struct {
	Dir string // the folder
	PID int    // a process that uses it; 0: none that can be named
}

func (e InUse) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("folder %s is in use by another program", e.Dir)
	}
	return fmt.Sprintf("folder %s is in use by process %d", e.Dir, e.PID)
}

// LockDir locks a folder, which must be there. It does not wait: if another
// process has the lock, the error is an InUse.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, LockFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = InUse{Dir: dir, PID: holder(file)}
	}
	if err == nil && !stillAt(path, file) {
		// Whoever had the lock before has removed the folder meanwhile.
		err = fmt.Errorf("lock %s: %w", dir, os.ErrNotExist)
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	lock := &Lock{file}
	return lock, lock.Name(os.Getpid())
}

// holder returns the first process that the file names and that still runs.
func holder(file *os.File) (pid int) {
	text := make([]byte, 100)
	n, _ := file.ReadAt(text, 0) // fewer bytes than asked for is no fault
	for _, word := range strings.Fields(string(text[:n])) {
		pid, err := strconv.Atoi(word)
		if err == nil && pid > 0 && syscall.Kill(pid, 0) == nil {
			return pid
		}
	}
	return 0
}

// stillAt tells whether path still leads to the file.
func stillAt(path string, file *os.File) bool {
	opened, err1 := file.Stat()
	there, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(opened, there)
}

// Name adds a process to those that the lock's file names, for whoever wants
// to know who has it.
func (l *Lock) Name(pid int) error {
	end, err := l.file.Seek(0, 2)
	if err == nil {
		_, err = l.file.WriteAt(fmt.Appendf(nil, "%d\n", pid), end)
	}
	return err
}

// File returns the open file. A child that inherits it keeps the lock, too,
// should its parent be killed.
func (l *Lock) File() *os.File { return l.file }

// Release gives the lock up, for this process and for those that inherited
// it.
func (l *Lock) Release() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN),
		l.file.Close())
}

// TempDir makes a folder for temporary files whose name begins with prefix,
// and locks it. First it removes those of the same prefix whose owners were
// killed, and so could not remove them.
func TempDir(prefix string) (string, *Lock, error) {
	sweep(prefix)
	for tries := 1; ; tries++ {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return "", nil, NoRoom(err)
		}
		lock, err := LockDir(dir)
		if err == nil {
			return dir, lock, nil
		}
		// Another program's sweep may have come between the two.
		if tries == 10 {
			return "", nil, errors.Join(NoRoom(err), os.RemoveAll(dir))
		}
	}
}

// Folder is TempDir for a folder that is used by this process only. The
// function removes it; it may be called after an error, too.
func Folder(prefix string) (dir string, remove func(), err error) {
	dir, lock, err := TempDir(prefix)
	if err != nil {
		return "", func() {}, err
	}
	return dir, func() {
		os.RemoveAll(dir)
		lock.Release()
	}, nil
}

// NoRoom says of an error what to do if it is that a disk is full.
func NoRoom(err error) error {
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return fmt.Errorf("%w: make room in %s, or set TMPDIR to another folder "+
		"(df shows what is full)", err, os.TempDir())
}

// sweep removes the temporary folders whose lock nobody has. It leaves alone
// what has no lock and what belongs to other users, and says nothing of what
// it could not remove: there is no harm in that.
func sweep(prefix string) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, LockFile)); err != nil {
			continue
		}
		if lock, err := LockDir(dir); err == nil {
			os.RemoveAll(dir)
			lock.Release()
		}
	}
}
