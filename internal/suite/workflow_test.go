package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"distsys/internal/lab/labtest"
)

// A workflow is what GitHub's file of that name may hold, as far as ours use
// it: any other key is refused, so that none is misspelt.
type workflow struct {
	Name        string            `yaml:"name"`
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency map[string]string `yaml:"concurrency"`
	Jobs        map[string]job    `yaml:"jobs"`
}

type job struct {
	RunsOn      string            `yaml:"runs-on"`
	Container   string            `yaml:"container"`
	Minutes     int               `yaml:"timeout-minutes"`
	Environment map[string]string `yaml:"environment"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	ID   string            `yaml:"id"`
	Uses string            `yaml:"uses"`
	With map[string]string `yaml:"with"`
	Run  string            `yaml:"run"`
}

// The workflows cannot be run here. So each is kept to what the Makefile does,
// and its syntax is checked.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	labtest.Must(t, err)
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	targets := makeTargets(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		labtest.Must(t, err)
		for _, fault := range faults(text, targets) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}

const goodWorkflow = `
name: pages
on:
  workflow_dispatch:
permissions:
  contents: read
  pages: write
  id-token: write
jobs:
  pages:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    environment:
      name: github-pages
    steps:
      - uses: actions/checkout@v5
      - run: make handout
      - uses: actions/upload-pages-artifact@v4
        with:
          path: site
      - uses: actions/deploy-pages@v4
`

// A workflow with one fault is refused, for that fault.
func TestFaultsOfWorkflows(t *testing.T) {
	const good = goodWorkflow
	targets := []string{"test", "handout"}
	if found := faults([]byte(good), targets); found != nil {
		t.Errorf("a good one has %q", found)
	}
	for _, c := range []struct{ old, new, says string }{
		{"  contents", "contents", "not YAML"},
		{"\non:", "\nwhen:", "when"},
		{"  workflow_dispatch:", "  workflow_dispatches:", "no such event"},
		{"on:\n  workflow_dispatch:\n", "", "on is missing"},
		{"    runs-on: ubuntu-24.04\n", "", "runs-on is missing"},
		{"    timeout-minutes: 30\n", "", "timeout-minutes is missing"},
		{"runs-on", "run-on", "run-on"},
		{"make handout", "make handouts", "no target"},
		{"make handout", "make handout && ls", "not a make command"},
		{"      - run: make handout\n", "", "no make command"},
		{"actions/checkout@v5", "actions/checkout", "no version"},
		{"actions/checkout@v5", "somebody/checkout@v5", "not official"},
		{"- uses: actions/checkout@v5", "- id: x", "either uses or run"},
		{"checkout@v5\n      - run", "checkout@v5\n        run",
			"either uses or run"},
		{"actions/checkout@v5", "actions/setup-go@v6", "no checkout"},
		{"  pages: write\n", "", "pages: write"},
		{"  id-token: write\n", "", "id-token: write"},
		{"name: github-pages", "name: pages", "github-pages"},
		{"path: site", "path: pages", "site"},
		{"contents: read", "contents: write", "contents: write"},
		{"      - uses: actions/deploy-pages@v4\n", "", "may write"},
		{good[strings.Index(good, "jobs:"):], "jobs: {}\n", "no jobs"},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		found := faults([]byte(bad), targets)
		if bad == good || !strings.Contains(strings.Join(found, "\n"), c.says) {
			t.Errorf("%q in place of %q: found %q", c.new, c.old, found)
		}
	}
}

// faults says what is wrong with a workflow.
func faults(text []byte, targets []string) (all []string) {
	var w workflow
	decoder := yaml.NewDecoder(bytes.NewReader(text),
		yaml.DisallowUnknownField())
	if err := decoder.Decode(&w); err != nil {
		return []string{"not YAML, or no such key: " + err.Error()}
	}
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(len(w.On) == 0, "on is missing")
	for event := range w.On {
		add(!slices.Contains([]string{"push", "pull_request",
			"workflow_dispatch"}, event), "no such event: %s", event)
	}
	add(len(w.Jobs) == 0, "it has no jobs")
	deploys := false
	for name, j := range w.Jobs {
		add(j.RunsOn == "", "%s: runs-on is missing", name)
		add(j.Minutes == 0, "%s: timeout-minutes is missing", name)
		for _, fault := range faultsOfSteps(j.Steps, targets) {
			add(true, "%s: %s", name, fault)
		}
		if uses(j.Steps, "actions/deploy-pages@") != nil {
			deploys = true
			add(j.Environment["name"] != "github-pages",
				"%s: pages need the environment github-pages", name)
			upload := uses(j.Steps, "actions/upload-pages-artifact@")
			add(upload == nil || upload.With["path"] != "site",
				"%s: what is uploaded is to be site", name)
		}
	}
	for _, right := range []string{"pages", "id-token"} {
		add(deploys && w.Permissions[right] != "write",
			"pages need the permission %s: write", right)
		add(!deploys && w.Permissions[right] != "",
			"it may write pages, and has none")
	}
	add(w.Permissions["contents"] != "read",
		"permissions: contents: write, or not said")
	return all
}

func faultsOfSteps(steps []step, targets []string) (all []string) {
	official := regexp.MustCompile(`^actions/[a-z-]+(@v\d+)?$`)
	command := regexp.MustCompile(`^make ([a-z]+)( [A-Z_]+=\S+)*$`)
	made := false
	for i, s := range steps {
		target := command.FindStringSubmatch(s.Run)
		version := official.FindStringSubmatch(s.Uses)
		switch {
		case (s.Uses == "") == (s.Run == ""):
			all = append(all, fmt.Sprintf("step %d needs either uses or run",
				i+1))
		case s.Run != "" && target == nil:
			all = append(all, s.Run+" is not a make command alone")
		case s.Run != "" && !slices.Contains(targets, target[1]):
			all = append(all, "the Makefile has no target "+target[1])
		case s.Uses != "" && version == nil:
			all = append(all, s.Uses+" is not official")
		case s.Uses != "" && version[1] == "":
			all = append(all, s.Uses+" has no version")
		}
		made = made || target != nil
	}
	if !made {
		all = append(all, "no make command is run")
	}
	if uses(steps, "actions/checkout@") == nil {
		all = append(all, "no checkout")
	}
	return all
}

// uses returns the step that uses an action.
func uses(steps []step, action string) *step {
	for i, s := range steps {
		if strings.HasPrefix(s.Uses, action) {
			return &steps[i]
		}
	}
	return nil
}

// makeTargets lists what make alone says that there is to make.
func makeTargets(t *testing.T) (all []string) {
	t.Helper()
	for _, match := range regexp.MustCompile(`(?m)^  make ([a-z]+)`).
		FindAllStringSubmatch(runMake(t), -1) {
		all = append(all, match[1])
	}
	if !slices.Contains(all, "test") {
		t.Fatalf("make offers only %q", all)
	}
	return all
}

// runMake returns what make prints. It builds nothing: either it is asked for
// help, or with -n what it would do.
func runMake(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.Command("make", args...)
	command.Dir = root
	text, err := command.Output()
	labtest.Must(t, err)
	return string(text)
}

// A container is what devcontainer.json may hold, as far as ours does.
type container struct {
	Name           string                    `json:"name"`
	Image          string                    `json:"image"`
	PostCreate     string                    `json:"postCreateCommand"`
	Env            map[string]string         `json:"containerEnv"`
	Forward        []int                     `json:"forwardPorts"`
	Ports          map[string]map[string]any `json:"portsAttributes"`
	OtherPorts     map[string]any            `json:"otherPortsAttributes"`
	Customizations map[string]any            `json:"customizations"`
}

// The development container is an official Go image, of the version that
// go.mod asks for; it sets itself up; and the ports that it forwards are those
// of the stage and of the management page.
func TestDevContainer(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root,
		".devcontainer/devcontainer.json"))
	labtest.Must(t, err)
	var c container
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	labtest.Must(t, decoder.Decode(&c))

	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	labtest.Must(t, err)
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(module)
	if version == nil ||
		!strings.HasPrefix(c.Image, "golang:"+string(version[1])+"-") {
		t.Errorf("the image is %q", c.Image)
	}
	target, ok := strings.CutPrefix(c.PostCreate, "make ")
	if !ok || !slices.Contains(makeTargets(t), target) {
		t.Errorf("after it was created: %q", c.PostCreate)
	}
	port := c.Env["STAGE_PORT"]
	if !strings.Contains(runMake(t, "-n", "stage", "STAGE_PORT="+port),
		"cmd/stage -port "+port+"\n") {
		t.Error("make stage takes no STAGE_PORT")
	}
	var forwarded []string
	for _, p := range c.Forward {
		forwarded = append(forwarded, strconv.Itoa(p))
	}
	if !slices.Equal(forwarded, []string{port, managementPort(t)}) {
		t.Errorf("it forwards %v", c.Forward)
	}
	for p := range c.Ports {
		if !slices.Contains(forwarded, p) {
			t.Errorf("it describes port %s, and does not forward it", p)
		}
	}
}

// managementPort is where make broker has RabbitMQ's management page.
func managementPort(t *testing.T) string {
	t.Helper()
	help := labtest.New(t).Start("internal/cmd/broker", "-h")
	help.Wait()
	found := regexp.MustCompile(`management page.*\(default (\d+)\)`).
		FindStringSubmatch(help.Text())
	if found == nil {
		t.Fatalf("no port in %q", help.Text())
	}
	return found[1]
}
