package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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
	want := map[string][]float64{
		"Publisher/subscribers=1 bare-events/s":  {480_000},
		"Publisher/subscribers=1 missed":         {0},
		"Publisher/subscribers=1 ours-events/s":  {120_000},
		"Publisher/subscribers=1 ours/bare":      {0.25},
		"Publisher/subscribers=10 bare-events/s": {15_000},
		"Publisher/subscribers=10 ours-events/s": {7_500},
		"TakeLast/n=0 ns/op":                     {90_500},
		"TakeLast/n=0 B/tuple":                   {16},
	}
	if got := parse(printed); !reflect.DeepEqual(got, want) {
		t.Errorf("parsed: %v", got)
	}
}

var canned = group{pattern: "event notification", rows: []row{
	{unit: "events/s", what: "to 1",
		ours:  "Publisher/subscribers=1 ours-events/s",
		bare:  "Publisher/subscribers=1 bare-events/s",
		place: place{"publisher", 1}},
	{unit: "events/s", what: "to 10, alone",
		ours: "Publisher/subscribers=10 ours-events/s"},
	{unit: "events/s", what: "to 10, beside",
		ours: "Publisher/subscribers=10 ours-events/s",
		to:   "Publisher/subscribers=1 ours-events/s"},
	{unit: "events/s", what: "to 100",
		ours: "Publisher/subscribers=100 ours-events/s",
		bare: "Publisher/subscribers=100 bare-events/s"},
	{unit: "µs", what: "to take", ours: "TakeLast/n=0 ns/op"},
	{unit: "µs", what: "again", ours: "TakeLast/n=0 ns/op",
		to: "TakeLast/n=0 ns/op"},
}}

// Three runs, of which the second one is the fastest with one subscriber.
var thrice = printed + strings.NewReplacer("480000 bare", "500000 bare",
	"120000 ours", "200000 ours").Replace(printed) +
	strings.NewReplacer("480000 bare", "400000 bare", "120000 ours",
		"110000 ours", "90500", "99550").Replace(printed)

// The runs stand in the order in which they were printed; a row that one of
// them lacks has failed.
func TestRuns(t *testing.T) {
	values := parse(thrice)
	one := values["Publisher/subscribers=1 ours-events/s"]
	if !slices.Equal(one, []float64{120_000, 200_000, 110_000}) {
		t.Errorf("parsed: %v", one)
	}
	all := canned.figures(values, 3)
	if !slices.Equal(all[0].Ratio, []float64{0.25, 0.4, 0.275}) {
		t.Errorf("each of its own run: %v", all[0].Ratio)
	}
	for i, failed := range []bool{false, false, false, true, false, false} {
		if all[i].Failed != failed {
			t.Errorf("%s: failed is %v", all[i].What, all[i].Failed)
		}
	}
	once := group{once: true, rows: []row{{unit: "s",
		ours: "Recovery ns/op"}}}
	all = once.figures(parse("BenchmarkRecovery 1 6500000000 ns/op\n"), 3)
	if all[0].Failed || !slices.Equal(all[0].Ours, []float64{6.5}) {
		t.Errorf("of a single run it is %v", all[0])
	}
	values["Publisher/subscribers=10 ours-events/s"] = []float64{1, 2}
	if all := canned.figures(values, 3); !all[1].Failed || all[1].Ours != nil {
		t.Errorf("two of three runs are there, and it is %v", all[1])
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		median float64
		number string
		spread string
	}{
		{nil, 0, "", ""},
		{[]float64{7}, 7, "7.00", ""},
		{[]float64{7, 8}, 7.5, "7.50", "-7% +7%"},
		{[]float64{130, 90, 100}, 100, "100", "-10% +30%"},
		{[]float64{4, 1, 3, 2}, 2.5, "2.50", "-60% +60%"},
		{[]float64{0, 0, 5}, 0, "0.00", ""},
	} {
		given := slices.Clone(c.values)
		if m := median(c.values); m != c.median {
			t.Errorf("the median of %v is %v", c.values, m)
		}
		if text := number(c.values); text != c.number {
			t.Errorf("%v is written %q", c.values, text)
		}
		if text := spread(c.values); text != c.spread {
			t.Errorf("the spread of %v is %q", c.values, text)
		}
		if !slices.Equal(c.values, given) { // which run gave what is kept
			t.Errorf("%v was sorted", given)
		}
	}
}

func TestTable(t *testing.T) {
	all := canned.figures(parse(thrice), 3)
	if n := failures(all); n != 1 {
		t.Errorf("%d figures failed", n)
	}
	var shown strings.Builder
	if err := table(&shown, all); err != nil {
		t.Fatal(err)
	}
	want := `
                              ours      spread      bare      spread  ratio
event notification
  events/s to 1             120000    -8% +67%    480000    -17% +4%   0.28
  events/s to 10, alone       7500     -0% +0%
  events/s to 10, beside      7500     -0% +0%                         0.06
  events/s to 100           FAILED
  µs to take                  90.5    -0% +10%
  µs again                    90.5    -0% +10%                         1.00

ours, bare, ratio: `
	if got := "\n" + shown.String(); !strings.HasPrefix(got, want) {
		t.Errorf("the table is %s", got)
	}
}

// What was kept is read again as it was, nothing is left out, and a file that
// was longer is overwritten.
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
	all := canned.figures(parse(thrice), 3)
	if err := save(file, all); err != nil {
		t.Fatal(err)
	}
	*from = name
	defer func() { *from = "" }()
	again, err := figures(t.Context())
	if err != nil || !reflect.DeepEqual(again, all) {
		t.Errorf("kept as %v, %v", again, err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"pattern": "event notification",
		"unit": "events/s", "what": "to 1",
		"ours":   []any{120_000., 200_000., 110_000.},
		"bare":   []any{480_000., 500_000., 400_000.},
		"ratio":  []any{0.25, 0.4, 0.275},
		"series": "publisher", "at": 1.}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("the first figure is %v", got[0])
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

// Every group is measured as often as was asked for, but for those that need
// it only once; and no group twice in a row.
func TestParts(t *testing.T) {
	t.Setenv("SKIP_RABBITMQ", "")
	defer func(before int) { *runs = before }(*runs)
	*runs = 2
	times := make([]int, len(groups))
	for i, p := range parts() {
		if p.run != times[p.group] || i < len(groups) && p.group != i {
			t.Errorf("part %d is run %d of group %d", i, p.run, p.group)
		}
		times[p.group]++
	}
	for i, g := range groups {
		if times[i] != 2 && !(g.once && times[i] == 1) {
			t.Errorf("%s is measured %d times", g.folder, times[i])
		}
	}
	t.Setenv("SKIP_RABBITMQ", "1")
	for _, p := range parts() {
		if groups[p.group].rabbitmq {
			t.Errorf("SKIP_RABBITMQ is set, and yet: %s", groups[p.group].folder)
		}
	}
}
