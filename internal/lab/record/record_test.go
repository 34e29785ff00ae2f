package record

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

var events = []Event{
	{Kind: Begin, Version: Version, Pattern: "pipeline", Name: "worker-crash"},
	{Time: 1500 * time.Microsecond, Kind: Print, Process: 1,
		Text: "worker 1: \"quoted\"", Source: "pipeline/worker/main.go:70"},
	{Time: 2 * time.Second, Kind: Verdict, Text: "1 sent", Holds: true},
}

func written(t *testing.T) string {
	var file bytes.Buffer
	w := NewWriter(&file)
	for _, e := range events {
		w.Show(e)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestReadsWhatWasWritten(t *testing.T) {
	got, err := Read(strings.NewReader(written(t)))
	if err != nil || !reflect.DeepEqual(got, events) {
		t.Errorf("%v, %v", got, err)
	}
}

// A record that was cut off anywhere is read as far as it goes.
func TestCutOff(t *testing.T) {
	whole := written(t)
	for i := range len(whole) {
		got, err := Read(strings.NewReader(whole[:i]))
		lines := strings.Count(whole[:i], "\n")
		atEnd := i > 0 && whole[i-1] == '\n'
		switch {
		case i == 0:
			if err == nil || len(got) > 0 {
				t.Error("nothing is a record")
			}
		case len(got) != lines:
			t.Errorf("%d of %d bytes: %d events of %d", i, len(whole), len(got),
				lines)
		case atEnd != (err == nil),
			!atEnd && !errors.Is(err, io.ErrUnexpectedEOF):
			t.Errorf("%d of %d bytes: %v", i, len(whole), err)
		}
	}
}

func TestNotARecord(t *testing.T) {
	for _, text := range []string{"hello\n", "[1]\n", "{}\n",
		`{"kind":"say","text":"no beginning"}` + "\n",
		`{"kind":"begin","version":99}` + "\n"} {
		if got, err := Read(strings.NewReader(text)); err == nil ||
			len(got) > 0 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// A disk that is full is noticed.
func TestWriterTells(t *testing.T) {
	w := NewWriter(full{})
	for range 10_000 {
		w.Show(events[1])
	}
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
