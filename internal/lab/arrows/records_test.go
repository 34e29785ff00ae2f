package arrows

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab/record"
)

// sample is one run of each pattern; "" is its story. With DISTSYS_ALL=1 all
// experiments and stories are recorded, which takes minutes.
var sample = map[string][]string{
	"request_reply":               {"server-crash"},
	"event_notification":          {"publisher-crash"},
	"pipeline":                    {"worker-crash"},
	"publish_subscribe":           {"subscriber-crash"},
	"message_queue":               {"worker-crash"},
	"tuple_spaces":                {"dead-taker"},
	"tuple_spaces/worker_example": {""},
	"tuple_spaces/event_example":  {""},
	"go_basics/sockets":           {"byte-stream"},
}

// With the address known, nearly every line that says that something was
// received finds the one that says that it was sent, and none a wrong one: as
// the real programs print them.
func TestRealRecords(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range sortedKeys(sample) {
		needsBroker := pattern == "message_queue" ||
			pattern == "publish_subscribe"
		if needsBroker && os.Getenv("SKIP_RABBITMQ") != "" {
			t.Log("SKIP_RABBITMQ is set, so not tested:", pattern)
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			run := filepath.Join(t.TempDir(), "run")
			// Go keeps what it has linked for go run, not for go build.
			build := exec.Command("go", "run", "-exec", "cp",
				"./"+pattern+"/run", run)
			build.Dir = root
			if text, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build: %v: %s", err, text)
			}
			names := sample[pattern]
			if os.Getenv("DISTSYS_ALL") != "" {
				list := exec.Command(run, "-list")
				list.Dir = root
				text, err := list.Output()
				if err != nil {
					t.Fatal(err)
				}
				names = []string{""}
				for _, line := range strings.Split(string(text), "\n") {
					// Its name, then the lines that can be left out.
					if name, _, _ := strings.Cut(line, " "); name != "" {
						names = append(names, name)
					}
				}
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) {
					events, text := runRecorded(t, root, run, name)
					checkRecord(t, events, text)
				})
			}
		})
	}
}

// runRecorded runs an experiment, and returns its record and what it printed.
// Whether its claim holds is what other tests are about.
func runRecorded(t *testing.T, root, run, name string) ([]record.Event,
	string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	path := filepath.Join(t.TempDir(), "record")
	args := []string{"-record", path}
	if name != "" {
		args = append(args, name)
	}
	command := exec.CommandContext(ctx, run, args...)
	command.Dir = root
	command.Cancel = func() error {
		return command.Process.Signal(os.Interrupt)
	}
	text, err := command.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	defer file.Close()
	events, err := record.Read(file)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return events, string(text)
}

func checkRecord(t *testing.T, events []record.Event, text string) {
	t.Helper()
	c := newChecker(t, events)
	d := New()
	d.matched = c.check
	drawn := map[string]bool{} // lanes that marks name
	arrows := 0
	note := func(marks []Mark) {
		for _, m := range marks {
			drawn[m.Lane], drawn[m.To] = true, true
			if m.Kind == Message {
				arrows += max(1, m.Count)
			}
		}
	}
	for _, e := range sorted(events) {
		note(d.Add(e))
	}
	note(d.Over())
	t.Logf("%d lines about what was received, %d found their sender, %d of "+
		"them one that died; %d arrows", d.received, d.found, c.inferred,
		arrows)
	for _, r := range d.unfound() {
		t.Logf("nobody has sent: %v", r.said)
	}
	if arrows == 0 {
		t.Errorf("no arrow; the run printed: %s", text)
	}
	if want := c.receiveLines(events); d.received != want {
		t.Errorf("the tables know %d lines about what was received, of %d",
			d.received, want)
	}
	if d.found < (99*d.received+99)/100 || d.found > d.received {
		t.Errorf("of %d lines %d found their sender: too few", d.received,
			d.found)
	}
	if c.wrong > 0 {
		t.Errorf("%d found a wrong one", c.wrong)
	}
	checkLive(t, events, d)
	checkLanes(t, d, drawn)
}

// unfound returns what somebody has received, and nobody has sent.
func (d *Deriver) unfound() (all []*receipt) {
	for _, b := range d.boxes {
		for _, r := range b.early.values() {
			if !r.done {
				all = append(all, r)
			}
		}
	}
	for _, p := range d.processes {
		all = append(all, p.got...)
	}
	return all
}

// checkLive compares with the order in which the lab came to know of it all.
func checkLive(t *testing.T, events []record.Event, whole *Deriver) {
	t.Helper()
	d := New()
	for _, e := range events {
		d.Add(e)
	}
	d.Over()
	if d.received != whole.received ||
		d.found < (99*d.received+99)/100 {
		t.Errorf("live, of %d lines %d found their sender; sorted by time, "+
			"%d of %d", d.received, d.found, whole.found, whole.received)
	}
}

func checkLanes(t *testing.T, d *Deriver, drawn map[string]bool) {
	t.Helper()
	lanes, _ := d.Lanes()
	member := map[string]int{}
	for _, lane := range lanes {
		if lane.Label == "" || lane.Role == "" {
			t.Errorf("a lane without a name: %+v", lane)
		}
		for _, name := range lane.Members {
			member[name]++
		}
	}
	delete(drawn, "")
	for name := range drawn {
		if member[name] != 1 {
			t.Errorf("%s is in %d lanes", name, member[name])
		}
	}
	if len(lanes) > 13 {
		t.Errorf("%d lanes", len(lanes))
	}
}

// A checker looks, by other means than the tables, whether two lines can
// belong together.
type checker struct {
	t        *testing.T
	starts   map[int]record.Event
	kills    map[int]bool
	labels   map[int]string
	taken    map[[2]said]bool
	wrong    int
	inferred int
}

func newChecker(t *testing.T, events []record.Event) *checker {
	c := &checker{t: t, starts: map[int]record.Event{}, kills: map[int]bool{},
		labels: map[int]string{}, taken: map[[2]said]bool{}}
	for _, e := range events {
		switch e.Kind {
		case record.Start:
			c.starts[e.Process] = e
		case record.Kill:
			c.kills[e.Process] = true
		case record.Print:
			c.labels[e.Process] = e.Label
		}
	}
	return c
}

var (
	content = regexp.MustCompile(`order \d+ (?:of \S+ )?worth \d+|` +
		`event \d+ of \S+: \d+ degrees`)
	places  = regexp.MustCompile(`-(?:bind|connect|sink|broker) (\S+)`)
	numbers = regexp.MustCompile(`\d+`)
	quoted  = regexp.MustCompile(`"(.*)"$`)
)

// check is called for each two lines that were found to belong together.
func (c *checker) check(sent, received said) {
	fail := func(why string) {
		c.wrong++
		c.t.Errorf("%s:\n\tsent by %d at %v: %s\n\treceived by %d at %v: %s",
			why, sent.process, sent.at, sent.text, received.process,
			received.at, received.text)
	}
	from, to := c.starts[sent.process], c.starts[received.process]
	if from.Kind == "" || to.Kind == "" {
		return // a client in C
	}
	if from.Time > received.at {
		fail("it had not been started")
	}
	if sent.at > received.at+time.Minute {
		fail("that was much later")
	}
	shared := false
	for _, a := range places.FindAllStringSubmatch(from.Text, -1) {
		for _, b := range places.FindAllStringSubmatch(to.Text, -1) {
			shared = shared || strings.TrimPrefix(a[1], "tcp://") ==
				strings.TrimPrefix(b[1], "tcp://")
		}
	}
	if !shared {
		fail("their addresses differ")
	}
	switch {
	case sent.text == "" && to.Program == "tuple_spaces/server":
		if !strings.Contains(received.text, ": "+c.labels[sent.process]+": ") {
			fail("the server does not name it")
		}
	case sent.text == "":
		c.inferred++
		if !c.kills[sent.process] {
			fail("it lives, and has not printed that it sent it")
		}
	case content.MatchString(sent.text):
		if content.FindString(sent.text) !=
			content.FindString(received.text) {
			fail("they are about something else")
		}
		if c.taken[[2]said{sent, {process: received.process}}] &&
			from.Program != "message_queue/producer" &&
			from.Program != "publish_subscribe/publisher" {
			fail("it was received before")
		}
		c.taken[[2]said{sent, {process: received.process}}] = true
	case from.Program == "tuple_spaces/server":
		if !strings.Contains(sent.text, ": "+c.labels[received.process]+": ") {
			fail("the server has given it to another")
		}
		_, what, _ := strings.Cut(received.text, ": ")
		for _, n := range numbers.FindAllString(what, -1) {
			if !strings.Contains(sent.text, n) && len(n) < 20 {
				fail("they are about another tuple")
			}
		}
	case to.Program == "request_reply/server":
		word := quoted.FindStringSubmatch(received.text)[1]
		if !strings.Contains(from.Text, word) {
			fail("it has asked for something else")
		}
	case to.Program == "request_reply/client":
		reply := quoted.FindStringSubmatch(sent.text)[1]
		if !strings.HasPrefix(received.text, reply) {
			fail("it has got another reply")
		}
	case strings.Contains(sent.text, " bytes: "):
		if !strings.Contains(received.text, " bytes: ") {
			fail("these are no bytes")
		}
	default:
		fail("nobody knows such lines")
	}
}

var receiveLine = regexp.MustCompile(`: (?:received (?:\S+ )?event |` +
	`received order |received \d+ bytes: |received "|` +
	`worker .* has delivered |took \w+ \d|took \[|` +
	`(?:take|read|trytake|tryread|takeall|readall) \[|` +
	`\{"status":"ok","tuples")`)

var requestLine = regexp.MustCompile(`: (?:(?:read|take) \S.* (?:waits|` +
	`finds nothing)|write |commit loan |release loan |cancel |refused: )`)

// receiveLines counts the lines that say that something was received.
func (c *checker) receiveLines(events []record.Event) (n int) {
	for _, e := range events {
		if e.Kind != record.Print {
			continue
		}
		isBare := !strings.HasPrefix(e.Text, e.Label+": ") && !e.Stderr
		switch c.starts[e.Process].Program {
		case "tuple_spaces/server":
			if requestLine.MatchString(e.Text) {
				n++
			}
		case "request_reply/client":
			if isBare {
				n++
			}
		default:
			if receiveLine.MatchString(e.Text) {
				n++
			}
		}
	}
	return n
}
