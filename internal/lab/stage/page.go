package stage

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"distsys/internal/lab/arrows"
	"distsys/internal/lab/record"
)

//go:embed page
var files embed.FS

// The page is put together of these. As one file it needs no network, and no
// server when it has a record in it.
var scripts = []string{"model.js", "time.js", "draw.js", "page.js"}

// part returns a file of the page.
func part(name string) string {
	text, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// script returns all of the page's scripts.
func script() string {
	text := "\"use strict\";\n"
	for _, name := range scripts {
		text += part(name)
	}
	return text
}

// writePage writes the page, with a record to replay if there is one.
func writePage(out io.Writer, replay []Frame) error {
	data := []byte("null")
	if replay != nil {
		var err error
		// JSON as Go writes it has no "<", which could end the element.
		if data, err = json.Marshal(replay); err != nil {
			return err
		}
	}
	_, err := strings.NewReplacer(
		"<!-- style -->", "<style>\n"+part("style.css")+"</style>",
		"<!-- scripts -->", "<script>const common = {}, kept = "+
			string(data)+";</script>\n<script>\n"+script()+"</script>",
	).WriteString(out, part("page.html"))
	return err
}

// WriteReplay writes a page that replays a record, without any server: a file
// that can be opened by itself, or given to somebody.
func WriteReplay(out io.Writer, events []record.Event, source Source) error {
	return writePage(out, Frames(events, source))
}

// Frames returns what a page needs to replay a record. One that was cut off
// is replayed up to there.
func Frames(events []record.Event, source Source) (frames []Frame) {
	if n := len(events); n > 0 && events[n-1].Kind != record.Over {
		events = append(events[:n:n], record.Event{Kind: record.Over,
			Time: events[n-1].Time})
	}
	f := newFramer(source, false)
	for _, run := range Runs(events) {
		frames = append(frames, f.add(run)...)
		frames = append(frames, Frame{Marks: arrows.Derive(run),
			Lanes: arrows.Lanes(run)})
	}
	return frames
}

// Runs returns the runs of a record each by itself: with -without there are
// two.
func Runs(events []record.Event) (runs [][]record.Event) {
	for len(events) > 0 {
		n := 1 + slices.IndexFunc(events[1:], func(e record.Event) bool {
			return e.Kind == record.Begin
		})
		if n == 0 {
			n = len(events)
		}
		runs = append(runs, events[:n:n])
		events = events[n:]
	}
	return runs
}

// ReadReplay reads a record, to be replayed. A record that was cut off is no
// error: note says so.
func ReadReplay(file io.Reader) (events []record.Event, note string,
	err error) {
	events, err = record.Read(file)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if len(events) == 0 {
			return nil, "", errors.New("not a record: it was cut off in its " +
				"first line")
		}
		return events, fmt.Sprintf("the record was cut off: it is shown as "+
			"far as it goes, %d events", len(events)), nil
	}
	return events, "", err
}
