package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"

	"distsys/internal/lab/record"
)

// What the lecturer does to the processes of a story by the stage's buttons.
// Unlike what the story itself does, it never fails the story, nor waits for
// anything. In an experiment it takes over: the story ends where it is, so
// that there is no verdict; the processes go on.

// errTakenOver is why a story that the lecturer has taken over ends.
var errTakenOver = errors.New("you intervened: no verdict")

// stillTold ends the story if the lecturer has taken over.
func (l *Lab) stillTold() {
	if l.isTakenOver() {
		l.fail(errTakenOver.Error())
	}
}

func (l *Lab) isTakenOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.takenOver
}

// takeOver ends the story, unless this is free play. It is called under the
// lab's lock, and refuses if there is nothing left to take over.
func (l *Lab) takeOver() error {
	if l.closing || l.verdict != nil {
		return errors.New("it is over: nothing runs any more")
	}
	if l.free || l.takenOver {
		return nil
	}
	l.takenOver = true
	l.happened(record.Event{Kind: record.Intervene,
		Text: errTakenOver.Error()})
	l.endStory(errTakenOver)
	l.changed.Broadcast()
	return nil
}

// Act does to a process what a button asks for: kill, freeze, go on, stop (as
// by Ctrl-C), or another (starts the same program once more).
func (l *Lab) Act(what string, number int) error {
	l.mu.Lock()
	if number < 1 || number > len(l.processes) {
		l.mu.Unlock()
		return fmt.Errorf("there is no process number %d", number)
	}
	p := l.processes[number-1]
	l.mu.Unlock()
	if p.role == "run" {
		return errors.New("that one tells a story of its own")
	}
	switch what {
	case "kill":
		return p.act(record.Kill, syscall.SIGKILL)
	case "stop":
		return p.act(record.Stop, os.Interrupt)
	case "freeze":
		return p.act(record.Freeze, syscall.SIGSTOP)
	case "go on":
		return p.act(record.GoOn, syscall.SIGCONT)
	case "another":
		return p.another()
	}
	return fmt.Errorf("a process cannot be asked to %q", what)
}

// act sends a signal, if it makes sense now.
func (p *Process) act(what record.Kind, signal os.Signal) error {
	p.signals.Lock() // the story may just be freezing it
	defer p.signals.Unlock()
	p.lab.mu.Lock()
	defer p.lab.mu.Unlock()
	switch {
	case p.ended:
		return fmt.Errorf("%s has ended", p.label)
	case what == record.Freeze && p.frozen:
		return fmt.Errorf("%s is frozen already", p.label)
	case what == record.GoOn && !p.frozen:
		return fmt.Errorf("%s is not frozen", p.label)
	}
	if err := p.lab.takeOver(); err != nil {
		return err
	}
	if what == record.Stop && p.frozen { // else it would not notice
		p.happened(record.Event{Kind: record.GoOn})
		defer p.signal(syscall.SIGCONT)
	}
	p.frozen = what == record.Freeze
	p.happened(record.Event{Kind: what})
	p.signal(signal)
	return nil
}

// another starts the same program once more: with the same id if this one has
// ended, so that it takes its place, and else with one of its own.
func (p *Process) another() error {
	l := p.lab
	l.mu.Lock()
	err := l.takeOver()
	args := slices.Clone(p.args)
	last := len(args) - 1
	if !p.ended && last >= 0 && p.label == p.role+" "+args[last] {
		args[last] = l.unusedID(p.role, args[last])
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = l.launch(p.env, p.program, args)
	return err
}

// unusedID returns an id like the one given that no process of the role has:
// the next number, or the same word with a number.
func (l *Lab) unusedID(role, id string) string {
	n, err := strconv.Atoi(id)
	if err == nil {
		id = ""
	} else {
		n = 1
	}
	for {
		n++
		label := role + " " + id + strconv.Itoa(n)
		if !slices.ContainsFunc(l.processes, func(p *Process) bool {
			return p.label == label
		}) {
			return id + strconv.Itoa(n)
		}
	}
}
