package stage

import (
	"encoding/json"
	"html"
	"io"
	"strings"

	"distsys/internal/lab/record"
)

// Player returns the files that the replays of a folder share, by their
// names: so each of them is a small page and its record. They are found from
// a file, too, where a page may not fetch anything.
func Player() map[string]string {
	return map[string]string{"stage.css": part("style.css"),
		"stage.js": script()}
}

// A ReplayPage is a page that replays a run with the files of Player. All
// places are as the page sees them.
type ReplayPage struct {
	Player   string // where the files of Player are
	Record   string // what WriteRecord has written
	Sources  string // what WriteSources has written
	Home     string // a page to go back to,
	HomeText string // and what its link says
}

// Write writes the page.
func (p ReplayPage) Write(out io.Writer) error {
	link := func(name string) string {
		return html.EscapeString(p.Player + "/" + name)
	}
	_, err := strings.NewReplacer(
		"<!-- style -->", `<link rel="stylesheet" href="`+link("stage.css")+
			`">`,
		"<!-- home -->", `<a id="home" target="_top" href="`+
			html.EscapeString(p.Home)+`">`+html.EscapeString(p.HomeText)+"</a>",
		"<!-- scripts -->", load(p.Sources)+load(p.Record)+
			load(p.Player+"/stage.js"),
	).WriteString(out, part("page.html"))
	return err
}

func load(script string) string {
	return `<script src="` + html.EscapeString(script) + `"></script>` + "\n"
}

// ShareSources moves the source files of a run to where several runs have
// theirs, but for what was changed for this one.
func ShareSources(run []Frame, shared map[string][]string) {
	changed := map[string]bool{}
	for i := range run {
		for _, e := range run[i].Events {
			if e.Kind == record.Change {
				file, _, _ := strings.Cut(e.Source, ":")
				changed[file] = true
			}
		}
		own := map[string][]string{}
		for file, lines := range run[i].Sources {
			if changed[file] {
				own[file] = lines
			} else {
				shared[file] = lines
			}
		}
		run[i].Sources = own
	}
}

// WriteRecord writes what a ReplayPage replays, as a script.
func WriteRecord(out io.Writer, run []Frame) error {
	return writeScript(out, "kept", run)
}

// WriteSources writes the source files that several runs share, as a script.
func WriteSources(out io.Writer, shared map[string][]string) error {
	return writeScript(out, "common", shared)
}

func writeScript(out io.Writer, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, "const "+name+" = "+string(text)+";\n")
	return err
}
