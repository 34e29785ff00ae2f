// Bench runs the benchmarks of all patterns three times, one after the other,
// and shows what they measure on one page: each figure beside that of the bare
// library, from the same run, and as a ratio. It draws plots of them, too.
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
	"distsys/internal/lab/screen"
	"distsys/internal/local"
)

var (
	jsonFile = flag.String("json", "", "write the figures to a `file`, too")
	plots    = flag.String("plots", "",
		"draw plots of the figures (SVG), into a `folder`")
	runs = flag.Int("runs", 3, "how often to measure")
	from = flag.String("from", "", "measure nothing: take the figures from a "+
		"`file`\nthat -json has written")
)

func main() {
	cli.Parse("internal/cmd/bench",
		"Bench measures every pattern, beside the bare library.")
	cli.Grace = time.Minute // a broker is to end first
	cli.Main(bench)
}

func bench(ctx context.Context) (err error) {
	if *runs < 1 {
		return errors.New("-runs is at least 1")
	}
	// What cannot be written had better fail now than after minutes.
	if err := writable(*plots); err != nil {
		return err
	}
	var out *os.File
	if *jsonFile != "" && *from == "" {
		out, err = os.OpenFile(*jsonFile, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer out.Close()
	}
	all, failed := figures(ctx)
	if all == nil {
		return failed
	}
	if err := table(os.Stdout, all); err != nil {
		return err
	}
	fmt.Print("\nAs Markdown, how the tuple spaces grow:\n", growth(all))
	if out != nil {
		if err := save(out, all); err != nil {
			return fmt.Errorf("write %s: %w", *jsonFile, err)
		}
	}
	if *plots != "" {
		if err := drawAll(*plots, all); err != nil {
			return err
		}
		fmt.Println("\nThe plots are in", *plots)
	}
	if n := failures(all); n > 0 {
		return fmt.Errorf("%d of %d figures could not be measured; "+
			"the reason is further up", n, len(all))
	}
	return failed // though every figure is there
}

// writable makes a folder, unless it is there, and says if no file can be
// written to it.
func writable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("-plots: %w", err)
	}
	file, err := os.CreateTemp(dir, "try-")
	if err != nil {
		return fmt.Errorf("-plots: %w", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// figures measures them, or reads them from the file that -from names. If
// some could not be measured it returns the others, too, and an error.
func figures(ctx context.Context) (all []figure, err error) {
	if *from != "" {
		text, err := os.ReadFile(*from)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, fmt.Errorf("%s has no figures: %w", *from, err)
		}
		return all, nil
	}
	root, err := lab.Source(".")
	if err != nil {
		return nil, err
	}
	// A benchmark that Ctrl-C ends does not clean up: so it is done here.
	dir, err := os.MkdirTemp("", "distsys-figures-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return nil, err
	}
	all, err = measure(ctx, root)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	fmt.Printf("Measured on %s/%s with %d processors and %s, %d times.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(),
		*runs)
	return all, err
}

// A part is a run of a group.
type part struct{ run, group int }

// parts lists the runs of all groups, and then all of them again: what else
// the machine does at a time spoils one run, and the spread shows it.
func parts() (all []part) {
	for run := range *runs {
		for i, g := range groups {
			if !g.skipped() && (run == 0 || !g.once) {
				all = append(all, part{run, i})
			}
		}
	}
	return all
}

// measure runs them.
func measure(ctx context.Context, root string) (all []figure, failed error) {
	progress := screen.NewProgress(os.Stderr, len(parts())+1)
	defer progress.End()
	texts := make([]string, len(groups))
	for _, p := range parts() {
		g := groups[p.group]
		end := progress.Begin(fmt.Sprintf("%s, run %d of %d", g.folder, p.run+1,
			*runs))
		text, err := g.run(ctx, root)
		end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			progress.Println(os.Stderr, g.folder+":", err, "\n"+text)
			failed = fmt.Errorf("the benchmarks of %s failed; the reason "+
				"is further up", g.folder)
		}
		texts[p.group] += text + "\n"
	}
	for i, g := range groups {
		if g.skipped() {
			progress.Println(os.Stderr, "SKIP_RABBITMQ is set: without", g.folder)
			continue
		}
		all = append(all, g.figures(parse(texts[i]), *runs)...)
	}
	end := progress.Begin("go run; the cold one compiles everything")
	all = append(all, cold(ctx, root), warm(ctx, root))
	end()
	for _, f := range all {
		if f.why != nil {
			progress.Println(os.Stderr, f.What+":", f.why)
		}
	}
	return all, failed
}

func (g group) skipped() bool {
	return g.rabbitmq && os.Getenv("SKIP_RABBITMQ") != ""
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
// anything yet. It takes so long that one run must do.
func cold(ctx context.Context, root string) figure {
	f := figure{Pattern: "go run a client", Unit: "s",
		What: "from cold: compiles the standard library, too"}
	cache, err := os.MkdirTemp("", "distsys-cold-")
	if err == nil {
		err = errors.Join(f.goRun(ctx, root, "GOCACHE="+cache),
			os.RemoveAll(cache))
	}
	f.fail(err)
	return f
}

// warm is the same for the second time and more, with the usual cache.
func warm(ctx context.Context, root string) figure {
	f := figure{Pattern: "go run a client", Unit: "s",
		What: "when warm: the second time"}
	err := f.goRun(ctx, root)
	f.Ours = nil // that was the first time
	for range *runs {
		err = errors.Join(err, f.goRun(ctx, root))
	}
	f.fail(err)
	return f
}

// goRun adds how long go run takes.
func (f *figure) goRun(ctx context.Context, root string, env ...string) error {
	begun := time.Now()
	text, err := goTool(ctx, root, env, "run", "./request_reply/client", "-h")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	f.Ours = append(f.Ours, time.Since(begun).Seconds())
	return nil
}

func (f *figure) fail(err error) {
	if err != nil {
		f.Ours, f.Failed, f.why = nil, true, err
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
