package lab

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"distsys/internal/lab/record"
)

// Which line of its source a program is at is wanted by records and by the
// stage. The programs' command line (package cli) sees to it, if these
// variables are set: no program knows of it.
const (
	stampVar = "DISTSYS_STAMP" // each line begins with its time and source
	atVar    = "DISTSYS_AT"    // an open file, for the line it is at
)

// A line with its stamp, as package log writes it.
var stamped = regexp.MustCompile(
	`^(\d\d:\d\d:\d\d\.\d{6}) (\S+?):(\d+): (.*)$`)

// unstamp takes off the stamp of a line, if it has one. Without one its time
// is 0.
func (l *Lab) unstamp(line string) (at time.Duration, source, text string) {
	if !l.sources {
		return 0, "", line
	}
	parts := stamped.FindStringSubmatch(line)
	if parts == nil {
		return 0, "", line
	}
	clock, err := time.Parse("15:04:05.000000", parts[1])
	if err != nil {
		return 0, "", line
	}
	return l.since(clock, time.Now().UTC()), l.source(parts[2]) + ":" +
		parts[3], parts[4]
}

// since returns how long after the story's begin a time of day was; it has no
// date, and is at most half a day away from now.
func (l *Lab) since(clock, now time.Time) time.Duration {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0,
		time.UTC)
	day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	when := midnight.Add(clock.Sub(day))
	switch ago := now.Sub(when); {
	case ago > 12*time.Hour:
		when = when.Add(24 * time.Hour)
	case ago < -12*time.Hour:
		when = when.Add(-24 * time.Hour)
	}
	return max(when.Sub(l.begun), 1)
}

// source names a file from the top of the module.
func (l *Lab) source(file string) string {
	name, err := filepath.Rel(l.bin.root, file)
	if err != nil || strings.HasPrefix(name, "..") {
		return file
	}
	return filepath.ToSlash(name)
}

// watchSource has a program that is about to be started tell which line it is
// at. The function that it returns is called once the program has started, or
// has failed to.
func (l *Lab) watchSource(p *Process) (begun func(), err error) {
	if !l.sources || p.role == "run" {
		return func() {}, nil
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.ExtraFiles = []*os.File{writer} // the program's file 3
	p.cmd.Env = append(p.cmd.Env, stampVar+"=1", atVar+"=3")
	return func() {
		writer.Close()
		go func() {
			defer reader.Close()
			for lines := bufio.NewScanner(reader); lines.Scan(); {
				file, line, _ := cutLast(lines.Text(), ":")
				p.happened(record.Event{Kind: record.At,
					Source: l.source(file) + ":" + line})
			}
		}()
	}, nil
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}
