package suite

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
)

// What a README shows on a terminal is what the programs print: this test
// types the commands of every console block, and compares.
//
//   - The console blocks below one heading are terminals that are open at the
//     same time. The next one is begun when the one before has printed its
//     first line.
//   - A line that begins with "$ " is typed. The lines below are what comes,
//     all of them and in this order. "..." stands for any lines.
//   - "^C" is typed when all lines of the terminals below that heading have
//     come. Without it a program must end by itself, unless "..." ends its
//     block.
//   - A comment above the blocks, <!-- varies: 4711 17 -->, names what stands
//     for any number: 4711 for any process id, as a rule. Another one,
//     <!-- may come: warning -->, names what lines hold that may come or not,
//     and <!-- any order --> says that the order of lines is left to chance.
//   - Blocks of other kinds (text, mermaid) are not run: those that install
//     something, need a second machine, or run tests.
func TestTranscripts(t *testing.T) {
	readmes, err := filepath.Glob(filepath.Join(root, "*", "README.md"))
	labtest.Must(t, err)
	readmes = append(readmes, filepath.Join(root, "README.md"))
	all := 0
	groups := map[string][]*scene{}
	for _, readme := range readmes {
		text, err := os.ReadFile(readme)
		labtest.Must(t, err)
		name, err := filepath.Rel(root, readme)
		labtest.Must(t, err)
		for _, s := range scenes(name, string(text)) {
			all++
			groups[s.shares()] = append(groups[s.shares()], s)
		}
	}
	if all < 12 {
		t.Errorf("only %d transcripts were found", all)
	}
	for group, scenes := range groups {
		t.Run(cmp.Or(group, "no port"), func(t *testing.T) {
			t.Parallel()
			for _, s := range scenes {
				t.Run(s.name, func(t *testing.T) {
					if group == "" { // they share nothing
						t.Parallel()
					}
					s.play(t, s.env(t))
				})
			}
		})
	}
}

// A command that could be run is in a console block, and so is tested.
func TestNoTranscriptIsLeftOut(t *testing.T) {
	readmes, err := filepath.Glob(filepath.Join(root, "*", "README.md"))
	labtest.Must(t, err)
	block := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")
	elsewhere := []string{"make demo", "docker", "rabbitmqctl", "tcp://*",
		"@one"} // installs, or is about a second machine
	for _, readme := range append(readmes, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(readme)
		labtest.Must(t, err)
		for _, match := range block.FindAllStringSubmatch(string(text), -1) {
			if match[1] != "console" && strings.Contains(match[2], "go run") &&
				!slices.ContainsFunc(elsewhere, func(s string) bool {
					return strings.Contains(match[2], s)
				}) {
				t.Errorf("%s has commands that are not run: %s", readme,
					match[2])
			}
		}
	}
}

// A scene is the terminals below one heading.
type scene struct {
	name      string
	terminals []*terminal
	varies    []string // stands for any number
	mayCome   []string
	anyOrder  bool
}

type terminal struct {
	where    string // file and line
	commands []command
}

type command struct {
	text     string
	expected []string
}

// shares returns what a scene shares with others, so that only one of them can
// be played at a time: the usual ports of a pattern, or the broker. Run
// programs choose ports, and names in the broker, of their own.
func (s *scene) shares() string {
	typed := regexp.MustCompile(`^go run \./([a-z_]+)/(?:\S*/)?([a-z]+)`)
	for _, term := range s.terminals {
		for _, c := range term.commands {
			program := typed.FindStringSubmatch(c.text)
			if program == nil || program[2] == "run" {
				continue
			}
			if slices.Contains(rabbitmq, program[1]) {
				return broker
			}
			return program[1]
		}
	}
	return ""
}

const broker = "broker"

// The patterns that need it.
var rabbitmq = []string{"message_queue", "publish_subscribe"}

// env returns the environment in which a scene is played. Programs that use
// the broker find it as new; run programs see to that themselves.
func (s *scene) env(t *testing.T) []string {
	if s.needs(rabbitmq) && os.Getenv("SKIP_RABBITMQ") != "" {
		t.Skip("SKIP_RABBITMQ is set")
	}
	if s.shares() != broker {
		return os.Environ()
	}
	node, err := brokerlab.Shared()
	labtest.Must(t, err)
	url, err := node.AddVhost(t.Context(), "/")
	labtest.Must(t, err)
	t.Cleanup(func() {
		labtest.Must(t, node.RemoveVhost(context.Background(), "/"))
	})
	return append(os.Environ(),
		"AMQP_URL="+strings.Replace(url, "127.0.0.1", "localhost", 1))
}

// needs returns whether a scene has a command of one of the patterns.
func (s *scene) needs(patterns []string) bool {
	for _, term := range s.terminals {
		for _, c := range term.commands {
			if slices.ContainsFunc(patterns, func(pattern string) bool {
				return strings.Contains(c.text, pattern)
			}) {
				return true
			}
		}
	}
	return false
}

func scenes(file, text string) (all []*scene) {
	var s *scene
	var term *terminal
	inBlock := ""
	for i, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", file, i+1)
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && inBlock != "":
			inBlock, term = "", nil
		case isFence:
			inBlock = fence + " block"
			if fence == "console" {
				if s == nil {
					s = &scene{name: where}
				}
				if len(s.terminals) == 0 {
					s.name = where
					all = append(all, s)
				}
				term = &terminal{where: where}
				s.terminals = append(s.terminals, term)
			}
		case inBlock == "" && strings.HasPrefix(line, "#"):
			s = &scene{}
		case inBlock == "" && s != nil &&
			strings.HasPrefix(line, "<!-- varies: "):
			s.varies = strings.Fields(strings.Trim(line[12:], "<!->"))
		case inBlock == "" && s != nil &&
			strings.HasPrefix(line, "<!-- may come: "):
			s.mayCome = strings.Fields(strings.Trim(line[14:], "<!->"))
		case inBlock == "" && s != nil && line == "<!-- any order -->":
			s.anyOrder = true
		case term == nil:
		case strings.HasPrefix(line, "$ "):
			term.commands = append(term.commands, command{text: line[2:]})
		case len(term.commands) > 0:
			last := &term.commands[len(term.commands)-1]
			last.expected = append(last.expected, line)
		}
	}
	return all
}

// pattern makes of a line what it matches.
func (s *scene) pattern(line string) *regexp.Regexp {
	text := regexp.QuoteMeta(line)
	if len(s.varies) > 0 {
		var names []string
		for _, v := range s.varies { // quoted twice, as text is
			names = append(names, regexp.QuoteMeta(regexp.QuoteMeta(v)))
		}
		slices.SortFunc(names, func(a, b string) int {
			return len(b) - len(a) // 2.84 before 2
		})
		text = regexp.MustCompile(`\b(?:`+strings.Join(names, "|")+`)\b`).
			ReplaceAllString(text, `[-0-9.]+`)
	}
	return regexp.MustCompile("^" + text + "$")
}

// A typed command, while it runs.
type typed struct {
	t     *testing.T
	scene *scene
	where string
	cmd   *exec.Cmd
	done  chan bool

	mu      sync.Mutex
	changed chan bool // closed and renewed at each line
	want    []string  // what is still to come
	skip    bool      // "..." came before that
	seen    int
	wrong   string
	ended   bool
}

func (s *scene) play(t *testing.T, env []string) {
	var running []*typed
	defer func() {
		for _, c := range running {
			c.interrupt()
			<-c.done
		}
	}()
	for _, term := range s.terminals {
		for i, c := range term.commands {
			run := s.start(t, term.where, c, env)
			running = append(running, run)
			if i < len(term.commands)-1 {
				run.wait("its end", func() bool { return run.ended })
				run.check(true)
			} else {
				run.wait("it to be ready", run.isReady)
			}
		}
	}
	for _, c := range running {
		c.wait("all of its lines", func() bool {
			return len(c.want) == 0 || c.want[0] == "^C" || c.ended
		})
	}
	for _, c := range running {
		c.mu.Lock()
		interrupt := len(c.want) > 0 && c.want[0] == "^C"
		if interrupt {
			c.want = c.want[1:]
		}
		goesOn := len(c.want) == 0 && c.skip && !interrupt
		c.mu.Unlock()
		if interrupt {
			c.interrupt()
		}
		if !goesOn {
			c.wait("its end", func() bool { return c.ended })
		}
		c.check(!goesOn)
	}
}

// start types a command, in a process group of its own, as a shell does.
func (s *scene) start(t *testing.T, where string, c command,
	env []string) *typed {
	t.Helper()
	run := &typed{t: t, scene: s, where: where + ": " + c.text,
		cmd: exec.Command("sh", "-c", "exec "+c.text), done: make(chan bool),
		changed: make(chan bool), want: c.expected}
	run.cmd.Dir = root
	run.cmd.Env = env
	run.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer, err := os.Pipe()
	labtest.Must(t, err)
	run.cmd.Stdout, run.cmd.Stderr = writer, writer
	labtest.Must(t, run.cmd.Start())
	labtest.Must(t, writer.Close())
	run.next()
	go run.read(reader)
	return run
}

func (r *typed) read(reader io.ReadCloser) {
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		r.line(lines.Text())
	}
	err := r.cmd.Wait()
	r.mu.Lock()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		r.wrong = err.Error()
	}
	r.ended = true
	close(r.changed)
	r.changed = make(chan bool)
	r.mu.Unlock()
	reader.Close()
	close(r.done)
}

func (r *typed) line(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { close(r.changed); r.changed = make(chan bool) }()
	r.seen++
	for i, want := range r.want {
		if want == "^C" || i > 0 && !r.scene.anyOrder {
			break
		}
		if r.scene.pattern(want).MatchString(line) {
			r.want = slices.Delete(slices.Clone(r.want), i, i+1)
			r.skip = r.skip && r.scene.anyOrder
			r.next()
			return
		}
	}
	for _, text := range r.scene.mayCome {
		if strings.Contains(line, text) {
			return
		}
	}
	if !r.skip && r.wrong == "" {
		want := "nothing more"
		if len(r.want) > 0 {
			want = r.want[0]
		}
		r.wrong = fmt.Sprintf("it prints\n\t%s\nwhere the README has\n\t%s",
			line, want)
	}
}

// isReady tells whether whoever typed the command would type the next one: it
// has printed something, and that it listens or waits, if it is to print that.
func (r *typed) isReady() bool {
	return r.ended || r.seen > 0 && !slices.ContainsFunc(r.want,
		func(line string) bool {
			return strings.Contains(line, ": listening on ") ||
				strings.Contains(line, ": waiting for ")
		})
}

// next passes over "...".
func (r *typed) next() {
	for len(r.want) > 0 && r.want[0] == "..." {
		r.want, r.skip = r.want[1:], true
	}
}

func (r *typed) wait(what string, done func() bool) {
	r.t.Helper()
	late := time.After(lab.Patience)
	for {
		r.mu.Lock()
		ok, changed := done() || r.wrong != "", r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			r.t.Fatalf("%s: waited in vain for %s; next is %q", r.where, what,
				r.want)
		}
	}
}

func (r *typed) check(ended bool) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wrong != "" {
		r.t.Errorf("%s: %s", r.where, r.wrong)
	} else if ended && len(r.want) > 0 {
		r.t.Errorf("%s: it ends without\n\t%s", r.where, r.want[0])
	}
}

// interrupt is Ctrl-C: it reaches the whole group.
func (r *typed) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil {
			r.t.Logf("%s: Ctrl-C: %v", r.where, err)
		}
	}
}
