package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

// atOnce is how many packages are tested at a time. Their tests mostly wait
// for others, so it is more than the processors.
var atOnce = runtime.GOMAXPROCS(0) + 1

// longest is how long the tests of a package may take; then they say where
// they are, and fail.
const longest = 10 * time.Minute

// runAll runs the jobs, several at a time, and says of each what came of it.
func runAll(ctx context.Context, all []*job) error {
	progress := screen.NewProgress(os.Stderr, len(all))
	defer progress.End()
	failures := make(chan error, len(all))
	free := make(chan bool, atOnce)
	for _, j := range all {
		free <- true
		if ctx.Err() != nil {
			return ctx.Err()
		}
		end := progress.Begin(j.name())
		go func() {
			defer func() { <-free }()
			text, err := j.run(ctx)
			end()
			progress.Println(os.Stdout, text)
			failures <- err
		}()
	}
	var failed error
	for range all {
		failed = errors.Join(failed, <-failures)
	}
	if failed != nil {
		return errors.New("not all tests pass; the reason is further up")
	}
	return nil
}

// run runs the tests of a package. The text is what they print, if there is
// something to say, and whether they pass.
func (j *job) run(ctx context.Context) (text string, err error) {
	begun := time.Now()
	which, err := j.tests()
	if err != nil {
		return fmt.Sprintf("FAIL %s: %v", j.name(), err), err
	}
	command := exec.CommandContext(ctx, j.program, "-test.paniconexit0",
		"-test.timeout="+longest.String(), "-test.run="+which)
	command.Dir = j.dir
	// Else the race detector sleeps for a second at the end.
	command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0",
		lab.BuiltVar+"="+j.built)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	// On Ctrl-C the programs that they have started are to stop as well.
	command.SysProcAttr = local.OwnGroup()
	command.Cancel = func() error {
		return syscall.Kill(-command.Process.Pid, syscall.SIGINT)
	}
	err = command.Run()
	took := time.Since(begun).Seconds()
	if err != nil {
		return fmt.Sprintf("%sFAIL %s (%v) %.1f s", &out, j.name(), err,
			took), err
	}
	text = fmt.Sprintf("ok   %s %.1f s", j.name(), took)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "SKIPPED") {
			text = line + text
		}
	}
	return text, nil
}

// tests returns a pattern for the names of the tests that are to run; an empty
// one stands for all.
func (j *job) tests() (pattern string, err error) {
	if !j.rest {
		return "", nil
	}
	names := map[string][]string{}
	for _, program := range []string{j.program, j.raced} {
		text, err := exec.Command(program, "-test.list", ".").Output()
		if err != nil {
			return "", fmt.Errorf("list the tests: %w", err)
		}
		names[program] = strings.Fields(string(text))
	}
	rest := slices.DeleteFunc(names[j.program], func(name string) bool {
		return slices.Contains(names[j.raced], name)
	})
	if len(rest) == 0 {
		return "", errors.New("all are built with the race detector")
	}
	return "^(" + strings.Join(rest, "|") + ")$", nil
}
