package suite

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// The tests in this file look at the suite as a whole.

func TestMain(m *testing.M) {
	// The patterns' own tests have the race detector watch the programs:
	// once is enough, since that takes long to build.
	if err := os.Setenv("DISTSYS_RACE", "off"); err != nil {
		panic(err)
	}
	os.Exit(labtest.RunWithBroker(m, "."))
}

const root = "../.."

// programs lists every package main of the module.
func programs(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-f",
		`{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./...")
	list.Dir = root
	text, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(strings.ReplaceAll(string(text), "distsys/", ""))
	if len(all) < 8 {
		t.Fatalf("only %q were found", all)
	}
	return all
}

// Every program says what it is, and refuses what it does not take.
func TestEveryProgramHasAUsage(t *testing.T) {
	t.Parallel()
	for _, program := range programs(t) {
		l := labtest.New(t)
		help := l.Start(program, "-h")
		role := filepath.Base(program)
		begins := strings.ToUpper(role[:1]) + role[1:]
		if role == "run" { // a run program tells what its story is
			begins = ""
		}
		status := help.Wait()
		if status != 0 || !strings.HasPrefix(help.Text(), begins) ||
			!strings.Contains(help.Text(), "go run ./"+program) ||
			len(help.Stderr()) > 0 {
			t.Errorf("%s -h: status %d, %q", program, status, help.Text())
		}
		labtest.Refused(t, program, []string{"-nonsense"},
			role+": unknown flag -nonsense")
		labtest.Refused(t, program, strings.Fields("a b c d e f g"), role)
	}
}

// Every experiment is in the README of its pattern, every experiment that a
// README names is there, and so is every folder in the table of patterns.
func TestReadmesNameTheExperiments(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`go run \./([a-z_/]+)/run` +
		`(?: -without [a-z-]+| -[a-z]+)* ([a-z][a-z-]*)`)
	for _, program := range programs(t) {
		pattern, ok := strings.CutSuffix(program, "/run")
		if !ok || strings.HasPrefix(program, "internal/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, pattern, "README.md"))
		if err != nil {
			// A pattern's smaller examples stand in its own README.
			text, err = os.ReadFile(filepath.Join(root, filepath.Dir(pattern),
				"README.md"))
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var told []string
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			if match[1] == pattern && !slices.Contains(told, match[2]) {
				told = append(told, match[2])
			}
		}
		there := labtest.New(t).List(pattern).Names
		slices.Sort(told)
		slices.Sort(there)
		if !slices.Equal(told, there) {
			t.Errorf("%s: the README has the experiments %q, the program %q",
				pattern, told, there)
		}
	}
}

// The README's page of claims has all that the experiments claim, in their
// own words; and the table that compares the patterns names an experiment of
// that pattern in each of its cells.
func TestReadmeHasEveryClaim(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	labtest.Must(t, err)
	readme := string(text)
	_, page, found := strings.Cut(readme, "## Every claim")
	if !found {
		t.Fatal("no page of claims")
	}
	total := 0
	all := map[string][]string{}
	for _, program := range programs(t) {
		pattern, ok := strings.CutSuffix(program, "/run")
		if !ok || strings.HasPrefix(program, "internal/") {
			continue
		}
		there := labtest.New(t).List(pattern)
		all[pattern] = there.Names
		total += len(there.Names)
		for _, name := range there.Names {
			claim := there.Claims[name]
			row := "| " + pattern + " `" + name + "` | " + claim + " |\n"
			if claim == "" || !strings.Contains(page, row) {
				t.Errorf("the page of claims lacks %q", row)
			}
		}
	}
	if n := strings.Count(page, "\n| ") - 1; n != total {
		t.Errorf("the page has %d claims, the programs %d", n, total)
	}

	_, table, found := strings.Cut(readme, "## The patterns side by side")
	table, _, _ = strings.Cut(table, "\n## ")
	var patterns []string
	named := regexp.MustCompile("`([a-z-]+)`")
	rows := 0
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(line, "---") {
			continue
		}
		cells = cells[2 : len(cells)-1]
		if patterns == nil {
			for _, cell := range cells {
				_, folder, _ := strings.Cut(cell, "](")
				patterns = append(patterns, strings.Trim(folder, "/) "))
			}
			continue
		}
		rows++
		for i, cell := range cells {
			names := named.FindAllStringSubmatch(cell, -1)
			if len(names) == 0 {
				t.Errorf("no experiment stands behind %q", cell)
			}
			for _, name := range names {
				if !slices.Contains(all[patterns[i]], name[1]) {
					t.Errorf("%s has no experiment %s", patterns[i], name[1])
				}
			}
		}
	}
	if !found || rows != 7 || len(patterns) != 6 {
		t.Errorf("the table has %d rows for %q", rows, patterns)
	}
}

// What the README shows of make demo is there, and it is short enough to be
// watched.
func TestDemo(t *testing.T) {
	t.Parallel()
	if os.Getenv("SKIP_RABBITMQ") != "" {
		t.Log("SKIP_RABBITMQ is set: the demo runs without RabbitMQ")
	}
	demo := labtest.New(t).Start("internal/cmd/demo")
	if status := demo.Wait(); status != 0 {
		t.Errorf("the demo ended with status %d", status)
	}
	if n := lab.Count("claim holds", demo); n == 0 {
		t.Errorf("the demo shows no claim: %s", demo.Text())
	}
	if n := len(demo.Lines()); n > 200 {
		t.Errorf("the demo prints %d lines: at most 200", n)
	}
	if os.Getenv("SKIP_RABBITMQ") != "" {
		return
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	labtest.Must(t, err)
	_, shown, found := strings.Cut(string(text), "<!-- varies: ")
	varies, shown, _ := strings.Cut(shown, " -->")
	_, shown, _ = strings.Cut(shown, "$ make demo\n")
	shown, _, _ = strings.Cut(shown, "```")
	s := &scene{varies: strings.Fields(varies)}
	want := strings.Split(strings.ReplaceAll(strings.TrimSpace(shown), "...\n",
		""), "\n")
	timed := regexp.MustCompile(`^ *([0-9.]+s )?`) // the time varies, too
	for _, line := range demo.Lines() {
		line = timed.ReplaceAllString(line, "")
		if len(want) > 0 && s.pattern(timed.ReplaceAllString(want[0], "")).
			MatchString(line) {
			want = want[1:]
		}
	}
	if !found || len(want) > 0 {
		t.Errorf("the demo has no such line as the README: %q", want)
	}
}

// Claims makes every experiment, and says which claims hold. All of them are
// made by the tests of their patterns; here it is about how it says so.
func TestClaims(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	claims := l.Start("internal/cmd/claims", "request_reply")
	if status := claims.Wait(); status != 0 ||
		lab.Count("4 claims, 4 hold", claims) != 1 ||
		lab.Count("holds, ", claims) != 4 ||
		lab.Count("The client may start before the server. 1 request before",
			claims) != 1 || len(claims.Stderr()) != 4 ||
		!strings.HasPrefix(claims.Stderr()[3], "4 of 4: request_reply/run ") {
		t.Errorf("status %d: %s%q", status, claims.Text(), claims.Stderr())
	}
	// With no time to wait for anything an experiment has no verdict.
	claims = l.StartEnv([]string{"DISTSYS_PATIENCE=1ns"},
		"internal/cmd/claims", "go_basics/sockets", "byte-stream")
	if status := claims.Wait(); status != 1 ||
		lab.Count("DOES NOT HOLD, ", claims) != 1 ||
		lab.Count("1 claims, 0 hold", claims) != 1 {
		t.Errorf("status %d: %s", status, claims.Text())
	}
	labtest.Refused(t, "internal/cmd/claims", []string{"pipelin"},
		`no pattern "pipelin"`)
}

// Make test runs the tests of every folder with this.
func TestTest(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	env := []string{"SKIP_RABBITMQ=1"}
	test := l.StartEnv(env, "internal/cmd/test", "./internal/cmd/bench")
	if status := test.Wait(); status != 0 ||
		lab.Count("ok   internal/cmd/bench", test) != 1 {
		t.Errorf("status %d: %s", status, test.Text())
	}
	test = l.StartEnv(env, "internal/cmd/test", "./nix")
	if status := test.Wait(); status != 1 ||
		!strings.Contains(test.Text(), "no packages ./nix") {
		t.Errorf("status %d: %s", status, test.Text())
	}
}

// With -step a story waits for Return at each turning point, having said what
// comes next, however long that takes.
func TestStep(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	help := l.Start("request_reply/run", "-h") // so that it is built
	help.Wait()
	run := exec.Command(filepath.Join(os.Getenv(lab.BinVar),
		"request_reply/run"), "-step", "client-first")
	keyboard, err := run.StdinPipe()
	labtest.Must(t, err)
	screen, err := run.StdoutPipe()
	labtest.Must(t, err)
	labtest.Must(t, run.Start())
	t.Cleanup(func() { run.Process.Kill() })
	shown := ""
	until := func(text string) (before string) {
		t.Helper()
		buffer := make([]byte, 4096)
		for !strings.Contains(shown, text) {
			n, err := screen.Read(buffer)
			if err != nil {
				t.Fatalf("%v before %q: %s", err, text, shown)
			}
			shown += string(buffer[:n])
		}
		before, shown, _ = strings.Cut(shown, text)
		return before
	}
	enter := func() {
		_, err := keyboard.Write([]byte("\n"))
		labtest.Must(t, err)
	}
	const ask = "(Return goes on)"
	if before := until(ask); !strings.Contains(before, "nobody listens") {
		t.Errorf("it asks without saying what comes: %s", before)
	}
	enter()
	if before := until(ask); !strings.Contains(before, "now the server starts") {
		t.Errorf("it asks without saying what comes: %s", before)
	}
	// The lecturer talks, the client waits, and nothing else happens.
	if before := until("(try 4 of "); strings.Contains(before, "listening") {
		t.Errorf("it does not wait for Return: %s", before)
	}
	enter()
	until("listening")
	until("claim holds")
	labtest.Must(t, run.Wait())
}
