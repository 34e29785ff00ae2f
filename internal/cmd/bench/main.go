// Figures runs the benchmarks of all patterns, one after the other, and shows
// what they measure on one page: each figure beside that of the bare library,
// from the same run, and as a ratio.
//
//	make bench
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"distsys/internal/cli"
	"distsys/internal/lab"
	"distsys/internal/local"
)

var jsonFile = flag.String("json", "", "write the figures to a `file`, too")

func main() {
	cli.Parse("internal/cmd/bench",
		"Bench measures every pattern, beside the bare library.")
	cli.Grace = time.Minute // a broker is to end first
	cli.Main(measure)
}

func measure(ctx context.Context) (err error) {
	root, err := lab.Source(".")
	if err != nil {
		return err
	}
	// A benchmark that Ctrl-C ends does not clean up: so it is done here.
	dir, err := os.MkdirTemp("", "distsys-figures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return err
	}
	var out *os.File
	if *jsonFile != "" { // better to fail now than after minutes
		out, err = os.OpenFile(*jsonFile, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer out.Close()
	}

	var all []figure
	var failed error
	for _, g := range groups {
		if g.rabbitmq && os.Getenv("SKIP_RABBITMQ") != "" {
			progress("SKIP_RABBITMQ is set: without %s", g.folder)
			continue
		}
		progress("measuring %s ...", g.folder)
		text, err := g.run(ctx, root)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			progress("%s: %v\n%s", g.folder, err, text)
			failed = fmt.Errorf("the benchmarks of %s failed; the reason "+
				"is further up", g.folder)
		}
		all = append(all, g.figures(parse(text))...)
	}
	progress("measuring go run; the cold one compiles everything ...")
	all = append(all, cold(ctx, root), warm(ctx, root))
	if ctx.Err() != nil {
		return ctx.Err()
	}

	fmt.Printf("Measured on %s/%s with %d processors and %s.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	if err := table(os.Stdout, all); err != nil {
		return err
	}
	if out != nil {
		if err := save(out, all); err != nil {
			return fmt.Errorf("write %s: %w", *jsonFile, err)
		}
	}
	if n := failures(all); n > 0 {
		return fmt.Errorf("%d of %d figures could not be measured; "+
			"the reason is further up", n, len(all))
	}
	return failed // though every figure is there
}

// progress tells those who wait what goes on, apart from the table.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "figures: "+format+"\n", args...)
}

// run has Go run the benchmarks of a group, and returns what they print.
func (g group) run(ctx context.Context, root string) (string, error) {
	return goTool(ctx, root, nil, "test", "-run", "^$", "-bench", g.bench,
		"-benchtime", g.benchtime, "./"+g.folder)
}

// goTool runs the go command, and returns what it prints.
func goTool(ctx context.Context, dir string, env []string,
	args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	// On Ctrl-C the programs that it has started are to stop as well.
	command.SysProcAttr = local.OwnGroup()
	command.Cancel = func() error {
		return syscall.Kill(-command.Process.Pid, syscall.SIGINT)
	}
	command.WaitDelay = 10 * time.Second
	err := command.Run()
	return out.String(), err
}

// cold is go run of a small program on a machine where Go has not compiled
// anything yet.
func cold(ctx context.Context, root string) figure {
	f := figure{Pattern: "go run a client", Unit: "s",
		What: "from cold: compiles the standard library, too"}
	cache, err := os.MkdirTemp("", "distsys-cold-")
	if err == nil {
		f.Ours, err = goRun(ctx, root, "GOCACHE="+cache)
		err = errors.Join(err, os.RemoveAll(cache))
	}
	f.fail(err)
	return f
}

// warm is the same for the second time, with the usual cache.
func warm(ctx context.Context, root string) figure {
	f := figure{Pattern: "go run a client", Unit: "s",
		What: "when warm: the second time"}
	_, err := goRun(ctx, root)
	if err == nil {
		f.Ours, err = goRun(ctx, root)
	}
	f.fail(err)
	return f
}

func goRun(ctx context.Context, root string, env ...string) (*float64, error) {
	begun := time.Now()
	text, err := goTool(ctx, root, env, "run", "./request_reply/client", "-h")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	seconds := time.Since(begun).Seconds()
	return &seconds, nil
}

func (f *figure) fail(err error) {
	if err != nil {
		progress("%s: %v", f.What, err)
		f.Ours, f.Failed = nil, true
	}
}

func save(out *os.File, all []figure) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := out.Truncate(0); err != nil { // of an earlier run
		return err
	}
	_, err = io.WriteString(out, string(text)+"\n")
	return err
}
