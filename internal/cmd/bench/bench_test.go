package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// What go test prints: values in any order, a benchmark that failed, and
// lines that only look like figures.
const printed = `goos: linux
goarch: amd64
pkg: distsys/event_notification
cpu: AMD EPYC
BenchmarkPublisher/subscribers=1-2    1    480000 bare-events/s   0 missed` +
	`   120000 ours-events/s   0.25 ours/bare
BenchmarkPublisher/subscribers=10-2   1    1.5e+04 bare-events/s` +
	`   7500 ours-events/s
--- FAIL: BenchmarkPublisher/subscribers=100-2
    bench_test.go:41: 3 events were missed
BenchmarkPublisher/subscribers=1000-2
Benchmark words that are no figures
BenchmarkTakeLast/n=0     12345     90500 ns/op     16.0 B/tuple
--- FAIL: BenchmarkPublisher
FAIL
exit status 1
FAIL	distsys/event_notification	2.794s
`

func TestParse(t *testing.T) {
	want := map[string]float64{
		"Publisher/subscribers=1 bare-events/s":  480_000,
		"Publisher/subscribers=1 missed":         0,
		"Publisher/subscribers=1 ours-events/s":  120_000,
		"Publisher/subscribers=1 ours/bare":      0.25,
		"Publisher/subscribers=10 bare-events/s": 15_000,
		"Publisher/subscribers=10 ours-events/s": 7_500,
		"TakeLast/n=0 ns/op":                     90_500,
		"TakeLast/n=0 B/tuple":                   16,
	}
	if got := parse(printed); !reflect.DeepEqual(got, want) {
		t.Errorf("parsed: %v", got)
	}
}

var canned = group{pattern: "event notification", rows: []row{
	{unit: "events/s", what: "to 1",
		ours: "Publisher/subscribers=1 ours-events/s",
		bare: "Publisher/subscribers=1 bare-events/s"},
	{unit: "events/s", what: "to 10, alone",
		ours: "Publisher/subscribers=10 ours-events/s"},
	{unit: "events/s", what: "to 10, beside",
		ours: "Publisher/subscribers=10 ours-events/s",
		to:   "Publisher/subscribers=1 ours-events/s"},
	{unit: "events/s", what: "to 100",
		ours: "Publisher/subscribers=100 ours-events/s",
		bare: "Publisher/subscribers=100 bare-events/s"},
	{unit: "µs", what: "to take", ours: "TakeLast/n=0 ns/op"},
}}

func TestTable(t *testing.T) {
	all := canned.figures(parse(printed))
	if n := failures(all); n != 1 {
		t.Errorf("%d figures failed", n)
	}
	var shown strings.Builder
	if err := table(&shown, all); err != nil {
		t.Fatal(err)
	}
	want := `
pattern             what                         ours       bare   ratio
event notification  events/s to 1              120000     480000    0.25
                    events/s to 10, alone        7500
                    events/s to 10, beside       7500               0.06
                    events/s to 100            FAILED
                    µs to take                   90.5

bare: `
	if got := "\n" + shown.String(); !strings.HasPrefix(got, want) {
		t.Errorf("the table is %s", got)
	}
}

// What others plot: nothing is left out, and a file that was longer is
// overwritten.
func TestSave(t *testing.T) {
	name := filepath.Join(t.TempDir(), "figures.json")
	old := strings.Repeat("longer than what follows ", 1000)
	if err := os.WriteFile(name, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := save(file, canned.figures(parse(printed))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]any{
		{"pattern": "event notification", "unit": "events/s", "what": "to 1",
			"ours": 120_000., "bare": 480_000., "ratio": 0.25},
		{"pattern": "event notification", "unit": "events/s",
			"what": "to 10, alone", "ours": 7500., "bare": nil, "ratio": nil},
	} {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("figure %d is %v", i, got[i])
		}
	}
	if got[3]["failed"] != true {
		t.Errorf("the one that failed is %v", got[3])
	}
}

// Every benchmark of the module has a row, and every row names a benchmark
// that is there, and a metric that its file names.
func TestEveryBenchmarkIsShown(t *testing.T) {
	const root = "../../.."
	declared := regexp.MustCompile(`(?m)^func Benchmark(\w+)\(`)
	there := map[string]string{} // folder and name, to the file's text
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry,
		err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		for _, match := range declared.FindAllSubmatch(text, -1) {
			folder, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			there[folder+" "+string(match[1])] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, g := range groups {
		for _, r := range g.rows {
			for _, source := range []string{r.ours, r.bare, r.to} {
				if source == "" {
					continue
				}
				name, metric, _ := strings.Cut(source, " ")
				name, _, _ = strings.Cut(name, "/")
				text, ok := there[g.folder+" "+name]
				if !ok || metric != "ns/op" &&
					!strings.Contains(text, `"`+metric+`"`) {
					t.Errorf("%s gives no %q", g.folder, source)
				}
				shown[g.folder+" "+name] = true
			}
		}
	}
	for name := range there {
		if strings.HasPrefix(name, "internal") {
			continue // not of a pattern
		}
		if !shown[name] {
			t.Errorf("no row shows Benchmark%s", name)
		}
	}
}
