// Package cli is the command line that all programs of the suite share: the
// same help, the same refusals, the same end on Ctrl-C.
package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"path"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var name = "program" // what every line begins with: role and id

// Name returns what every line of this program begins with: its role, and
// its id or, where it was given none, its process id.
func Name() string { return name }

// ID returns the id that the program was given or, where it was given none,
// its process id.
func ID() string {
	_, id, _ := strings.Cut(name, " ")
	return id
}

// QuietFlag defines -quiet, which leaves out the line per message: for
// measurements, where a line costs more than a message.
func QuietFlag() *bool {
	return flag.Bool("quiet", false, "no line per message")
}

// stdout is where lines go.
var stdout io.Writer = os.Stdout

// DropLinesRatherThanWait is for a server that must not depend on whoever
// reads what it prints. If the reader is slow, lines are dropped, and their
// number is said when it has caught up; if it is gone, all are.
func DropLinesRatherThanWait() {
	signal.Ignore(syscall.SIGPIPE)
	out := &dropping{lines: make(chan []byte, 1000), done: make(chan bool)}
	go out.write()
	if log.Writer() == stdout {
		log.SetOutput(out)
	}
	stdout = out
}

type dropping struct {
	lines   chan []byte
	done    chan bool
	dropped int
}

// Write takes a line, and never waits. The log package calls it for one line
// at a time.
func (d *dropping) Write(line []byte) (int, error) {
	if d.dropped > 0 {
		said := fmt.Sprintf("%s: dropped %d lines, which nobody read in time\n",
			name, d.dropped)
		select {
		case d.lines <- []byte(said):
			d.dropped = 0
		default:
		}
	}
	select {
	case d.lines <- bytes.Clone(line):
	default:
		d.dropped++
	}
	return len(line), nil
}

func (d *dropping) write() {
	for line := range d.lines {
		if line == nil {
			close(d.done)
			return
		}
		os.Stdout.Write(line) // an error: nobody reads it any more
	}
}

// flush gives what is still to be read a moment. The program may go on
// printing meanwhile.
func flush() {
	if d, ok := stdout.(*dropping); ok {
		late := time.After(100 * time.Millisecond)
		select {
		case d.lines <- nil: // the end
		case <-late:
			return
		}
		select {
		case <-d.done:
		case <-late:
		}
	}
}

// Loud prints lines whether or not the program was told to be quiet.
func Loud(lines []string) {
	log.SetOutput(stdout)
	for _, line := range lines {
		log.Print(line)
	}
}

// Parse reads the command line by the flags defined so far. The program is
// named by its folder and the words it takes, as in
// "message_queue/consumer [id]"; what says in a sentence what it is. Parse
// ends the program on -h (status 0) and on anything that it does not take
// (status 1). From here on log prints to standard output, each line with the
// program's role and id in front.
func Parse(program, what string) {
	folder, words, _ := strings.Cut(program, " ")
	role := path.Base(folder)
	name = role
	flags := flag.CommandLine
	flags.Init(role, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := flags.Parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		usage(os.Stdout, folder, words, what)
		os.Exit(0)
	}
	if err == nil {
		err = check(words)
	}
	if err != nil {
		fail(explain(err))
	}
	name = fmt.Sprintf("%s %d", role, os.Getpid())
	if id := flag.Arg(0); id != "" && strings.HasPrefix(words, "[id]") {
		name = role + " " + id
	}
	log.SetFlags(0)
	log.SetPrefix(name + ": ")
	showSource(folder)
	log.SetOutput(os.Stdout)
	if quiet := flag.Lookup("quiet"); quiet != nil &&
		quiet.Value.String() == "true" {
		log.SetOutput(io.Discard)
	}
}

// check refuses what the flag package lets pass: surplus words, flags after
// a word, numbers and times below zero.
func check(words string) error {
	for i, word := range flag.Args() {
		known := strings.TrimLeft(word, "-")
		known, _, _ = strings.Cut(known, "=")
		if i > 0 && word[:min(1, len(word))] == "-" && isFlag(known) {
			return fmt.Errorf("%s comes after %q; flags come before words",
				word, flag.Arg(0))
		}
	}
	if strings.Contains(flag.Arg(0), "://") {
		return fmt.Errorf("%q is a URL: it comes after a flag", flag.Arg(0))
	}
	takes := strings.Fields(words)
	open := len(takes) > 0 && strings.HasSuffix(words, "...")
	if n := len(takes); flag.NArg() > n && !open {
		return fmt.Errorf("surplus argument %q", flag.Arg(n))
	}
	var bad error
	flag.Visit(func(f *flag.Flag) {
		if strings.HasPrefix(f.Value.String(), "-") && isCount(f) {
			bad = fmt.Errorf("invalid value %q for flag -%s: below zero",
				f.Value, f.Name)
		}
		// libzmq takes a port of any size, and uses its last 16 bits.
		if _, port, ok := strings.Cut(f.Value.String(), "tcp://"); ok {
			port = port[strings.LastIndex(port, ":")+1:]
			if n, err := strconv.Atoi(port); err == nil && n > 65535 {
				bad = fmt.Errorf("invalid value %q for flag -%s: ports go "+
					"up to 65535", f.Value, f.Name)
			}
		}
	})
	return bad
}

func isFlag(name string) bool {
	return name == "h" || name == "help" || flag.Lookup(name) != nil
}

func isCount(f *flag.Flag) bool {
	getter, ok := f.Value.(flag.Getter)
	if !ok {
		return false
	}
	switch getter.Get().(type) {
	case int, time.Duration:
		return true
	}
	return false
}

// explain turns an error of the flag package into advice.
func explain(err error) string {
	text := err.Error()
	if unknown, ok := strings.CutPrefix(text,
		"flag provided but not defined: "); ok {
		text = "unknown flag " + unknown
	}
	if _, after, ok := strings.Cut(text, "for flag -"); ok {
		flagName, _, _ := strings.Cut(after, ":")
		if f := flag.Lookup(flagName); f != nil {
			getter, ok := f.Value.(flag.Getter)
			if ok {
				if _, ok := getter.Get().(time.Duration); ok {
					text += "; times look like 500ms, 2s or 1m"
				}
			}
		}
	}
	var names []string
	flag.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	return text + " (flags: " + strings.Join(append(names, "-h"), ", ") + ")"
}

// RandomTime defines a flag for a time that is random, up to a limit, where
// the flag is not given.
func RandomTime(name string, limit time.Duration,
	what string) func() time.Duration {
	given := flag.Duration(name, 0,
		fmt.Sprintf("%s (default random, up to %v)", what, limit))
	isGiven := sync.OnceValue(func() (set bool) {
		flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
		return set
	})
	return func() time.Duration {
		if isGiven() {
			return *given
		}
		return rand.N(limit)
	}
}

// A List is a flag that can be given several times.
type List struct {
	values []string
	given  bool
	check  func(value string) error
}

// Addresses defines a flag that can be given several times; where it is not
// given, its one value is the default.
func Addresses(name, address, what string) *List {
	list := &List{values: []string{address}}
	flag.Var(list, name, what)
	return list
}

// All returns the values, in the order in which they were given.
func (l *List) All() []string { return l.values }

// String returns the values as one text.
func (l *List) String() string { return strings.Join(l.values, ",") }

// Set adds a value; the first takes the place of the default.
func (l *List) Set(value string) error {
	if l.check != nil {
		if err := l.check(value); err != nil {
			return err
		}
	}
	if !l.given {
		l.values, l.given = nil, true
	}
	l.values = append(l.values, value)
	return nil
}

// Numbers defines a flag for whole numbers from 0 to max that can be given
// several times; where it is not given, its one value is the default.
func Numbers(name string, number, max int, what string) func() []int {
	list := &List{values: []string{strconv.Itoa(number)}}
	flag.Var(list, name, what)
	list.check = func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > max {
			return fmt.Errorf("not a whole number from 0 to %d", max)
		}
		return nil
	}
	return func() (numbers []int) {
		for _, text := range list.values {
			n, _ := strconv.Atoi(text)
			numbers = append(numbers, n)
		}
		return numbers
	}
}

func usage(out io.Writer, folder, words, what string) {
	fmt.Fprintf(out, "%s\n\nusage: go run ./%s", what, folder)
	hasFlags := false
	flag.VisitAll(func(*flag.Flag) { hasFlags = true })
	if hasFlags {
		fmt.Fprint(out, " [flags]")
	}
	if words != "" {
		fmt.Fprint(out, " "+words)
	}
	fmt.Fprint(out, "\n")
	if hasFlags {
		fmt.Fprint(out, "\n")
		flag.CommandLine.SetOutput(out)
		flag.PrintDefaults()
	}
}

var (
	stopping sync.Mutex // held while the end is said
	onStop   = func() {}
)

// OnStop has f called when the program was told to stop, before it says that
// it has: for what is now dropped. A later call replaces an earlier one.
func OnStop(f func()) {
	stopping.Lock()
	defer stopping.Unlock()
	onStop = f
}

// Grace is how long a program has to end in good order after Ctrl-C. What
// has others to stop and to clean up after takes longer, and sets it.
var Grace = 500 * time.Millisecond

// The tests set another time, to see that the usual one is not needed.
func grace() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("DISTSYS_GRACE")); err == nil {
		return d
	}
	return Grace
}

// Main runs a program until it has done its work, fails or is told to stop.
// Ctrl-C (or SIGTERM, or a terminal that is closed) ends the context, and the
// program with one line "stopped" and status 0: as soon as run returns, or at
// once if run is still waiting for someone else when the Grace is over. A
// failure is one line on standard error, with its cure if one is known, and
// status 1.
func Main(run func(ctx context.Context) error) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
		// A terminal that is closed may say so more than once: unlike a
		// second Ctrl-C, that does not kill.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	ctx, release := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		release() // a second Ctrl-C kills
		time.Sleep(grace())
		stop()
	})
	err := run(ctx)
	if ctx.Err() != nil {
		stop()
	}
	if err != nil {
		say(err.Error() + cure(err.Error()))
		status := &withStatus{status: 1}
		errors.As(err, &status)
		os.Exit(status.status)
	}
}

type withStatus struct {
	error
	status int
}

// Unwrap returns the error itself.
func (w *withStatus) Unwrap() error { return w.error }

// Status returns an error that ends the program with another exit status
// than 1.
func Status(status int, err error) error { return &withStatus{err, status} }

func stop() {
	stopping.Lock() // for good: the end is said once
	log.SetOutput(stdout)
	onStop()
	log.Print("stopped")
	flush()
	os.Exit(0)
}

func fail(text string) {
	say(text)
	os.Exit(1)
}

func say(text string) {
	text = Printable(HidePasswords(strings.Join(strings.Fields(text), " ")))
	fmt.Fprintln(os.Stderr, name+": "+text)
}

// What a newcomer meets, and what to do about it. The texts are those of the
// operating system and of libzmq.
var cures = []struct{ sign, cure string }{
	{"lookup ", "; check the name of the machine, or give its IP address"},
	{"ddress already in use", "; the port is taken, perhaps by the same " +
		"program in another terminal: stop that one (WHO), or choose " +
		"another with -bind"},
	{"nvalid argument", "; an address looks like tcp://127.0.0.1:12345"},
	{"rotocol not supported", "; an address looks like tcp://127.0.0.1:12345"},
	{"o such device", "; listen on an IP address of this machine, or on " +
		"all of them: tcp://127.0.0.1:12345, tcp://*:12345"},
	{"issing port in address", "; an address looks like 127.0.0.1:12350"},
	{"oo many colons in address", "; an address looks like 127.0.0.1:12350"},
	{"nknown port", "; an address looks like 127.0.0.1:12350"},
	{"nvalid port", "; an address looks like 127.0.0.1:12350"},
	{"annot assign requested address", "; that address is not one of this " +
		"machine's"},
}

func cure(text string) string {
	who := "ss -ltnp shows it"
	if runtime.GOOS == "darwin" {
		who = "lsof -i -P shows it"
	}
	for _, c := range cures {
		if strings.Contains(text, c.sign) {
			return strings.Replace(c.cure, "WHO", who, 1)
		}
	}
	return ""
}
