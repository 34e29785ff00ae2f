package arrows

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every program that prints lines stands in the tables, and no other.
func TestEveryProgram(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	var programs []string
	for _, depth := range []string{"*", "*/*", "*/*/*"} {
		files, err := filepath.Glob(filepath.Join(root, depth, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			isRun := strings.HasSuffix(name, "/run") && name != "go_basics/ipc/run"
			if !isRun && !strings.HasPrefix(name, "internal/") &&
				name != "go_basics/ipc/spawn" { // it sends nothing
				programs = append(programs, filepath.ToSlash(name))
			}
		}
	}
	var inTables []string
	for name, v := range vocabularies() {
		isPart := slices.ContainsFunc(programs, func(whole string) bool {
			return strings.HasPrefix(name, whole+"/")
		})
		if !isPart && name != "c_client" {
			inTables = append(inTables, name)
		}
		if len(v.all) <= len(ofAll) && !v.parts &&
			!strings.HasPrefix(name, "tuple_spaces/") {
			t.Errorf("%s has no verb", name)
		}
	}
	slices.Sort(programs)
	slices.Sort(inTables)
	if !slices.Equal(programs, inTables) {
		t.Errorf("the tables have %q, and there are %q", inTables, programs)
	}
}

// A verb says by whom, over what, and with what it does it: a slip would just
// draw nothing.
func TestVerbsAreWhole(t *testing.T) {
	for _, p := range patterns {
		names := map[string]program{}
		for _, program := range p.programs {
			names[program.name] = program
		}
		for _, v := range p.verbs {
			program, ok := names[v.by]
			if !ok {
				t.Errorf("%s has no program %q: %s", p.folder, v.by, v.line)
			}
			if v.at != "" && program.flags[v.at] == "" {
				t.Errorf("%s/%s has no flag -%s: %s", p.folder, v.by, v.at,
					v.line)
			}
			c := compile(&v)
			for _, a := range []act{sends, receives, binds, writes, reads} {
				if c.means(a) && v.over == "" {
					t.Errorf("%s/%s %s over what? %s", p.folder, v.by, a.name,
						v.line)
				}
			}
			if v.queue != "" && c.means(begins) && v.limit == 0 {
				t.Errorf("%s/%s: when is it set aside? %s", p.folder, v.by,
					v.line)
			}
			if len(v.does) == 0 {
				t.Errorf("%s/%s does nothing: %s", p.folder, v.by, v.line)
			}
			if (v.route != "") && !c.means(sends) ||
				(v.fits != nil) != c.means(binds) {
				t.Errorf("%s/%s: route and fits go with sends and binds: %s",
					p.folder, v.by, v.line)
			}
			fields := []template{c.overText, c.keyText, c.labelText, c.whoText,
				c.queueText, c.routeText, c.bytesText}
			for _, piece := range slices.Concat(fields...) {
				_, isFlag := program.flags[piece.name]
				isKnown := slices.Contains([]string{"", "who", "id", "word",
					"number", "queue"}, piece.name)
				if piece.group < 0 && !isFlag && !isKnown {
					t.Errorf("%s/%s: what is $%s? %s", p.folder, v.by,
						piece.name, v.line)
				}
			}
		}
	}
}

// A flag that stands for itself would swallow the one behind it.
func TestFlagsWithoutValue(t *testing.T) {
	declared := regexp.MustCompile(`flag\.Bool(?:Var)?\((?:&\w+, )?"(\w+)"`)
	found := map[string]bool{}
	for _, files := range []string{"*/*/main.go", "*/*/*/main.go",
		"internal/cli/*.go", "internal/zeromq/*.go", "internal/broker/*.go"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "..", files))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "/run/main.go") ||
				strings.Contains(path, "internal/cmd/") ||
				strings.Contains(path, "internal/lab/") {
				continue
			}
			for _, f := range declared.FindAllSubmatch(text, -1) {
				found[string(f[1])] = true
			}
		}
	}
	if !maps.Equal(found, flagsWithoutValue) {
		t.Errorf("there are %v, and known are %v", found, flagsWithoutValue)
	}
}

func TestReadCommand(t *testing.T) {
	for _, c := range []struct {
		command string
		flags   map[string][]string
		words   []string
	}{
		{"go run ./a", nil, nil},
		{"go run ./a -x 1 -y=2 -x 3 b c", map[string][]string{
			"x": {"1", "3"}, "y": {"2"}}, []string{"b", "c"}},
		{"go run ./a -quiet -confirm=false b", map[string][]string{
			"quiet": {""}, "confirm": {"false"}}, []string{"b"}},
		{`go run ./a -t 'TEMP ' 'it'\''s' '' -x`, map[string][]string{
			"t": {"TEMP "}}, []string{"it's", "", "-x"}},
		{"go run ./a --x 1 -- -", map[string][]string{
			"x": {"1"}}, []string{"-"}},
		{"go run ./a -x", map[string][]string{"x": {""}}, nil},
	} {
		flags, words := readCommand(c.command)
		if len(flags)+len(c.flags) > 0 && !reflect.DeepEqual(flags, c.flags) ||
			!slices.Equal(words, c.words) {
			t.Errorf("%s: %q and %q, not %q and %q", c.command, flags, words,
				c.flags, c.words)
		}
	}
}

func TestPlaces(t *testing.T) {
	for address, want := range map[string]string{
		"tcp://127.0.0.1:12345": "12345", "tcp://*:12345": "12345",
		"127.0.0.1:12350": "12350", "ipc:///tmp/a": "ipc:///tmp/a",
		"tcp://[::1]:7": "7"} {
		if got := place(address); got != want {
			t.Errorf("%s: %s, not %s", address, got, want)
		}
	}
	for url, want := range map[string]string{
		"amqp://guest:guest@localhost:5672/": "127.0.0.1:5672/",
		"amqp://guest:guest@localhost:5672":  "127.0.0.1:5672/",
		" amqp://127.0.0.1:5672/lab-1":       "127.0.0.1:5672/lab-1",
		"amqp://a:b@10.0.0.7:1/x":            "10.0.0.7:1/x"} {
		if got := brokerPlace(url); got != want {
			t.Errorf("%s: %s, not %s", url, got, want)
		}
	}
}

func TestTopicFits(t *testing.T) {
	for _, c := range []struct {
		filter, route string
		want          bool
	}{
		{"temp.*", "temp.sensor1", true}, {"temp.*", "temp.roof.north", false},
		{"temp.*", "temp", false}, {"*", "temp.a", false}, {"#", "", true},
		{"#", "temp.roof.north", true}, {"temp.#", "temp", true},
		{"#.north", "temp.roof.north", true}, {"#.south", "temp.north", false},
		{"temp.#", "humidity.a", false}, {"temp.#.a", "temp.a", true},
		{"temp.sensor1", "temp.sensor12", false}, {"a.#.z", "a.b.c.z", true},
		{"#.#.#.#.#.#.#.#.#.#.#.#.#.#.#.#.y",
			strings.Repeat("x.", 100) + "x", false},
	} {
		if topicFits(c.filter, c.route) != c.want {
			t.Errorf("%s for %s: not %v", c.filter, c.route, c.want)
		}
	}
}

func TestTidy(t *testing.T) {
	for text, want := range map[string]string{
		"11":                            "11",
		`["fac",{"?":"int64"}]`:         "fac ?int64",
		`["temp",null,"s 1",2]`:         "temp ? s 1 2",
		`["a",1],["b",2]`:               "a 1 b 2",
		"a long text that does not end": "a long text that does n…",
		strings.Repeat("é", 30):         strings.Repeat("é", 23) + "…",
	} {
		if got := tidy(text); got != want {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
}

func TestShelf(t *testing.T) {
	var s shelf[int]
	for i := range 1000 {
		s.add(fmt.Sprint(i%10), i)
	}
	if got := s.with("3")[:3]; !slices.Equal(got, []int{3, 13, 23}) {
		t.Errorf("%v", got)
	}
	s.remove("3", 13)
	s.remove("3", 13)
	s.remove("4", 13)
	if got := s.with("3")[:3]; !slices.Equal(got, []int{3, 23, 33}) {
		t.Errorf("%v", got)
	}
	if got := s.removeOldest(); got != 0 || s.size != 998 {
		t.Errorf("the oldest was %d; %d are there", got, s.size)
	}
	for i := 999; i > 4; i-- {
		s.remove(fmt.Sprint(i%10), i)
	}
	if got := s.values(); !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("%v", got)
	}
	if len(s.all) > 100 || len(s.byKey) != 4 {
		t.Errorf("it remembers %d things, %d keys", len(s.all), len(s.byKey))
	}
}
