package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab/record"
	"distsys/internal/local"
)

// A Process is one program of the suite that was started.
type Process struct {
	lab    *Lab
	number int // in the record, from 1
	role   string
	label  string // what its lines begin with, or are made to begin with
	cmd    *exec.Cmd

	program string // these three: to start the same once more
	args    []string
	env     []string

	signals sync.Mutex // held while it is stopped in its tracks, or goes on

	// Under the lab's lock:
	lines  []string // both streams, in the order in which they came
	stderr []string
	next   int // the first line that WaitFor has not passed yet
	frozen bool
	ended  bool
	status int // exit status; -1: a signal ended it
}

// Start starts a program, such as "request_reply/server".
func (l *Lab) Start(program string, args ...string) *Process {
	return l.StartEnv(nil, program, args...)
}

// StartEnv is Start with more settings of the environment.
func (l *Lab) StartEnv(env []string, program string,
	args ...string) *Process {
	l.mustGoOn()
	l.stillTold()
	p, err := l.launch(env, program, args)
	l.Check(err)
	return p
}

// launch starts a program, unless the lab is about to end.
func (l *Lab) launch(env []string, program string,
	args []string) (*Process, error) {
	file, err := l.bin.file(program)
	if err != nil {
		return nil, err
	}
	p := &Process{lab: l, role: path.Base(program), program: program,
		args: args, env: env, cmd: exec.Command(file, args...)}
	p.cmd.Env = append(append(os.Environ(), l.bin.env()...), env...)
	p.cmd.SysProcAttr = local.OwnGroup()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	begun, err := l.watchSource(p)
	if err != nil {
		return nil, err
	}
	defer begun()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, errors.New("the story is over: nothing is started")
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.label = fmt.Sprintf("%s %d", p.role, p.cmd.Process.Pid)
	l.processes = append(l.processes, p)
	p.number = l.processes0 + len(l.processes)
	l.happened(record.Event{Kind: record.Start, Process: p.number,
		Program: program, Role: p.role, Label: p.label, PID: p.PID(),
		Text: typed(program, args)})
	go p.watch(stdout, stderr)
	return p, nil
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// typed is the command that a student would type, without passwords.
func typed(program string, args []string) string {
	command := "go run ./" + program
	for _, arg := range args {
		arg = cli.HidePasswords(arg)
		if !plainWord.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		command += " " + arg
	}
	return command
}

// watch keeps what the process prints, and notes its end.
func (p *Process) watch(stdout, stderr io.Reader) {
	done := make(chan bool)
	go func() {
		p.read(stderr, true)
		close(done)
	}()
	p.read(stdout, false)
	<-done
	err := p.cmd.Wait()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		p.lab.Say("%s: %v", p.Label(), err)
	}
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	p.ended = true
	p.status = p.cmd.ProcessState.ExitCode()
	p.happened(record.Event{Kind: record.End, Status: p.status})
	p.lab.changed.Broadcast()
}

func (p *Process) read(stream io.Reader, isErr bool) {
	reader := bufio.NewReader(stream)
	for {
		line, err := reader.ReadString('\n')
		if line = strings.TrimSuffix(line, "\n"); line != "" || err == nil {
			p.add(line, isErr)
		}
		if err != nil {
			return
		}
	}
}

func (p *Process) add(line string, isErr bool) {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	e := record.Event{Kind: record.Print, Role: p.role, Stderr: isErr}
	e.Time, e.Source, e.Text = p.lab.unstamp(line)
	p.lines = append(p.lines, e.Text)
	if isErr {
		p.stderr = append(p.stderr, e.Text)
	}
	// A program's lines begin with its role and id; only a client prints a
	// bare reply, and only refusals come without an id.
	if strings.HasPrefix(e.Text, p.role+" ") {
		p.label, _, _ = strings.Cut(e.Text, ":")
	}
	e.Label = p.label
	p.happened(e)
	p.lab.changed.Broadcast()
}

// happened shows an event of this process.
func (p *Process) happened(e record.Event) {
	e.Process = p.number
	p.lab.happened(e)
}

// Lines returns all that the process has printed so far.
func (p *Process) Lines() []string {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	return slices.Clone(p.lines)
}

// Stderr returns what it has printed on standard error.
func (p *Process) Stderr() []string {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	return slices.Clone(p.stderr)
}

// Printed returns whether it has printed a line that holds text. It is meant for
// WaitUntil, and only for that.
func (p *Process) Printed(text string) bool {
	return count(text, []*Process{p}) > 0
}

// Ended returns whether it has ended. It is meant for WaitUntil, and only for
// that.
func (p *Process) Ended() bool { return p.ended }

// Text returns all that it has printed, as one text.
func (p *Process) Text() string { return strings.Join(p.Lines(), "\n") }

// Label returns the role and id that the process goes by.
func (p *Process) Label() string {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	return p.label
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// WaitFor waits for the next line that holds text, after the one that the
// last such call found, and returns it.
func (p *Process) WaitFor(text string) string {
	return p.waitFor(fmt.Sprintf("%q", text), func(line string) bool {
		return strings.Contains(line, text)
	})
}

// WaitForNumber waits for the next line in which a number of at least min
// follows text.
func (p *Process) WaitForNumber(text string, min int) string {
	return p.waitFor(fmt.Sprintf("%s%d", text, min), func(line string) bool {
		number, ok := Number(text, line)
		return ok && number >= min
	})
}

// NextNumber waits for the next line in which a number follows text, and
// returns the number.
func (p *Process) NextNumber(text string) (number int) {
	p.waitFor("a number after "+text, func(line string) (ok bool) {
		number, ok = Number(text, line)
		return ok
	})
	return number
}

func (p *Process) waitFor(what string, fits func(line string) bool) string {
	found, seen := "", false
	p.lab.WaitUntil(fmt.Sprintf("%s from %s", what, p.Label()), func() bool {
		for ; p.next < len(p.lines) && !seen; p.next++ {
			if fits(p.lines[p.next]) {
				found, seen = p.lines[p.next], true
			}
		}
		return seen || p.ended
	})
	if !seen && !p.Running() {
		p.lab.vain(fmt.Sprintf("%s ended (status %d) without %s", p.Label(),
			p.status, what))
	}
	return found
}

// LastNumber returns the number that follows text in the last line that has
// one, or -1.
func (p *Process) LastNumber(text string) int {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	for _, line := range slices.Backward(p.lines) {
		if number, ok := Number(text, line); ok {
			return number
		}
	}
	return -1
}

// Wait waits until the process has ended by itself and returns its status.
func (p *Process) Wait() int {
	p.lab.WaitUntil("the end of "+p.Label(), func() bool { return p.ended })
	return p.status
}

// Mute keeps what the process prints off the screen from here on, if that is
// too much to read. It is kept, and counted, all the same.
func (p *Process) Mute() *Process {
	p.happened(record.Event{Kind: record.Mute})
	return p
}

// Hold stops the process in its tracks (SIGSTOP) and does not count as a part
// of the story: what is to be killed when the lecturer goes on is to be found
// as it was. Hold returns when the process stands still for certain, which
// takes a moment. It is for the story's goroutine.
func (p *Process) Hold() {
	p.lab.stillTold()
	p.happened(record.Event{Kind: record.Hold})
	p.halt()
}

// Freeze stops the process in its tracks, as if its machine had stalled: its
// connections stay. Freezing one that is frozen, or has ended, does nothing.
func (p *Process) Freeze() {
	p.lab.stillTold()
	p.halt()
	p.happened(record.Event{Kind: record.Freeze})
}

func (p *Process) halt() {
	p.signals.Lock()
	defer p.signals.Unlock()
	p.lab.mu.Lock()
	done := p.frozen || p.ended
	p.frozen = true
	p.lab.mu.Unlock()
	if done {
		return
	}
	p.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(p.PID(), &status, syscall.WUNTRACED, nil)
	p.lab.Check(err)
}

// Thaw lets a frozen process go on.
func (p *Process) Thaw() {
	p.lab.stillTold()
	p.signals.Lock()
	defer p.signals.Unlock()
	p.lab.mu.Lock()
	p.frozen = false
	p.lab.mu.Unlock()
	p.happened(record.Event{Kind: record.GoOn})
	p.signal(syscall.SIGCONT)
}

// Running returns whether the process has not ended yet.
func (p *Process) Running() bool {
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	return !p.ended
}

// Stop stops the process as Ctrl-C does, and waits for its end. The story
// fails if it does not end with status 0. Stop returns how long it took.
func (p *Process) Stop() time.Duration {
	begun := time.Now()
	p.interrupt("")
	if status := p.Wait(); status != 0 {
		p.lab.vain(fmt.Sprintf("%s ended with status %d on Ctrl-C", p.Label(),
			status))
	}
	return time.Since(begun)
}

// Kill ends the process as a crash does (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	p.lab.stillTold()
	p.happened(record.Event{Kind: record.Kill})
	p.signal(syscall.SIGKILL)
	p.Wait()
}

// interrupt asks the process to stop, as Ctrl-C does; why is "" if that is a
// part of the story.
func (p *Process) interrupt(why string) {
	if p.Running() {
		p.happened(record.Event{Kind: record.Stop, Text: why})
	}
	p.signals.Lock()
	defer p.signals.Unlock()
	p.signal(os.Interrupt)
	p.signal(syscall.SIGCONT) // in case that it was frozen
}

func (p *Process) signal(s os.Signal) {
	err := p.cmd.Process.Signal(s)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.lab.Say("%s: %v", p.Label(), err)
	}
}

// end makes sure that the process is gone.
func (p *Process) end() {
	deadline := time.AfterFunc(5*time.Second, func() {
		p.signal(syscall.SIGKILL)
	})
	defer deadline.Stop()
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	for !p.ended {
		p.lab.changed.Wait()
	}
}
