package lab_test

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
	labtest.Main(m, ".")
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

// A program that is read beside a slide is short and narrow.
func TestProgramsFitASlide(t *testing.T) {
	for _, program := range programs(t) {
		if strings.HasPrefix(program, "internal/") ||
			filepath.Base(program) == "run" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, program, "*.go"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s has the files %q: one program, one file", program,
				files)
			continue
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > 80 {
			t.Errorf("%s has %d lines: at most 80", files[0], len(lines))
		}
		for i, line := range lines {
			wide := strings.ReplaceAll(line, "\t", "    ")
			if len([]rune(wide)) > 80 {
				t.Errorf("%s:%d is wider than 80 columns", files[0], i+1)
			}
		}
	}
}

// Every experiment is in the README of its pattern, every experiment that a
// README names is there, and so is every folder in the table of patterns.
func TestReadmesNameTheExperiments(t *testing.T) {
	named := regexp.MustCompile(`go run \./([a-z_/]+)/run(?: -[a-z]+)* ([a-z][a-z-]*)`)
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
		list := labtest.New(t).Start(program, "-list")
		if list.Wait() != 0 {
			t.Errorf("%s -list fails", program)
		}
		var told []string
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			if match[1] == pattern && !slices.Contains(told, match[2]) {
				told = append(told, match[2])
			}
		}
		there := list.Lines()
		slices.Sort(told)
		slices.Sort(there)
		if !slices.Equal(told, there) {
			t.Errorf("%s: the README has the experiments %q, the program %q",
				pattern, told, there)
		}
	}
}

// The tour is what make demo runs.
func TestTour(t *testing.T) {
	if os.Getenv("SKIP_RABBITMQ") != "" {
		t.Log("SKIP_RABBITMQ is set: the tour runs without RabbitMQ")
	}
	tour := labtest.New(t).Start("internal/lab/tour")
	if status := tour.Wait(); status != 0 {
		t.Errorf("the tour ended with status %d", status)
	}
	if n := lab.Count("claim holds", tour); n == 0 {
		t.Errorf("the tour shows no claim: %s", tour.Text())
	}
}

// Claims makes every experiment, and says which claims hold. All of them are
// made by the tests of their patterns; here it is about how it says so.
func TestClaims(t *testing.T) {
	l := labtest.New(t)
	claims := l.Start("internal/lab/claims", "request_reply")
	if status := claims.Wait(); status != 0 ||
		lab.Count("2 claims, 2 hold", claims) != 1 ||
		lab.Count("holds, ", claims) != 2 ||
		lab.Count("The client may start before the server. 1 request before",
			claims) != 1 {
		t.Errorf("status %d: %s", status, claims.Text())
	}
	// With no time to wait for anything an experiment has no verdict.
	claims = l.StartEnv([]string{"DISTSYS_PATIENCE=1ns"},
		"internal/lab/claims", "go_basics/sockets", "byte-stream")
	if status := claims.Wait(); status != 1 ||
		lab.Count("DOES NOT HOLD, ", claims) != 1 ||
		lab.Count("1 claims, 0 hold", claims) != 1 {
		t.Errorf("status %d: %s", status, claims.Text())
	}
	labtest.Refused(t, "internal/lab/claims", []string{"pipelin"},
		`no pattern "pipelin"`)
}
