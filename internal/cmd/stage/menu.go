package main

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/stage"
)

//go:embed menu.html
var menuPage string

// A pattern is a row of the menu: what its run program says of itself.
type pattern struct {
	Folder, What string
	Experiments  []experiment
	Free         bool
}

type experiment struct {
	Name, Claim string
	Without     []lab.Line
}

// A program that was started by a click on the menu.
type started struct {
	Number    int
	What, URL string
	stop      context.CancelFunc
}

// A desk starts run programs, each on a stage of its own.
type desk struct {
	ctx      context.Context
	token    string
	patterns []pattern

	mu      sync.Mutex
	count   int
	running []*started
	all     sync.WaitGroup
}

// maxRunning is how many may run at once.
const maxRunning = 4

func menu(ctx context.Context) error {
	fmt.Println("Building the programs ...")
	programs, remove, err := lab.Build(".")
	if err != nil {
		return err
	}
	defer remove()
	lab.Patience = 24 * time.Hour // a lecturer may talk for as long as that
	d := &desk{ctx: ctx}
	defer d.all.Wait()
	err = lab.Do(ctx, io.Discard, func(l *lab.Lab) {
		for _, program := range programs {
			if path.Base(program) == "run" {
				d.patterns = append(d.patterns, ask(l, path.Dir(program)))
			}
		}
	})
	if err != nil {
		return err
	}
	d.patterns = slices.DeleteFunc(d.patterns, func(p pattern) bool {
		return p.What == ""
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.show)
	mux.HandleFunc("POST /start", d.start)
	mux.HandleFunc("POST /stop", d.stop)
	url, end, err := stage.Serve(*port, mux)
	if err != nil {
		return err
	}
	defer end()
	_, d.token, _ = strings.Cut(url, "token=")
	fmt.Println("the suite is at", url)
	<-ctx.Done()
	return nil
}

// ask asks a run program what it has. One that has no stage has no What.
func ask(l *lab.Lab, folder string) (p pattern) {
	there := l.List(folder)
	if !there.Has("-stage") {
		return p
	}
	p = pattern{Folder: folder, What: there.What, Free: there.Has("-free")}
	lines := l.Lines(folder)
	for _, name := range there.Names {
		e := experiment{Name: name, Claim: there.Claims[name]}
		for _, line := range lines {
			if line.Experiment == name {
				e.Without = append(e.Without, line)
			}
		}
		p.Experiments = append(p.Experiments, e)
	}
	return p
}

var menuTemplate = template.Must(template.New("menu").Parse(menuPage))

func (d *desk) show(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; "+
		"style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "+
		"form-action 'self' http://127.0.0.1:*")
	menuTemplate.Execute(w, map[string]any{"Token": d.token,
		"Patterns": d.patterns, "Running": d.running})
}

// start starts what was clicked on, and leads to its stage.
func (d *desk) start(w http.ResponseWriter, r *http.Request) {
	args, err := d.command(r.FormValue("pattern"), r.FormValue("name"),
		r.FormValue("without"))
	if err != nil {
		http.Error(w, "refused: "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, stop := context.WithCancel(d.ctx)
	s := &started{stop: stop, What: strings.Join(append([]string{
		r.FormValue("pattern")}, args[1:]...), " ")}
	d.mu.Lock()
	if len(d.running) >= maxRunning || d.ctx.Err() != nil {
		d.mu.Unlock()
		stop()
		http.Error(w, "refused: four run already; end one of them first",
			http.StatusConflict)
		return
	}
	d.count++
	s.Number = d.count
	d.running = append(d.running, s)
	d.all.Add(1)
	d.mu.Unlock()
	at := make(chan string, 1)
	go d.run(ctx, s, args, at)
	if url := <-at; strings.HasPrefix(url, "http://127.0.0.1:") {
		http.Redirect(w, r, url, http.StatusSeeOther)
	} else {
		http.Error(w, url, http.StatusInternalServerError)
	}
}

// command returns the run program and its arguments. Only what is on the menu
// can be started.
func (d *desk) command(folder, name, without string) ([]string, error) {
	i := slices.IndexFunc(d.patterns, func(p pattern) bool {
		return p.Folder == folder
	})
	if i < 0 {
		return nil, fmt.Errorf("no pattern %q", folder)
	}
	args := []string{folder + "/run", "-stage"}
	switch name {
	case "":
		return args, nil
	case "free play":
		return append(args, "-free"), nil
	}
	for _, e := range d.patterns[i].Experiments {
		if e.Name != name {
			continue
		}
		if without != "" && !slices.ContainsFunc(e.Without,
			func(line lab.Line) bool { return line.Name == without }) {
			return nil, fmt.Errorf("%s has no line %q", name, without)
		}
		if without != "" {
			args = append(args, "-without", without)
		}
		return append(args, name), nil
	}
	return nil, fmt.Errorf("%s has no experiment %q", folder, name)
}

// run runs a run program to its end. It says at which address its stage is,
// or why there is none.
func (d *desk) run(ctx context.Context, s *started, args []string,
	at chan<- string) {
	defer d.all.Done()
	defer s.stop()
	const mark = "the stage is at "
	err := lab.Do(ctx, io.Discard, func(l *lab.Lab) {
		p := l.Start(args[0], args[1:]...)
		l.WaitUntil("its stage", func() bool {
			return p.Printed(mark) || p.Ended()
		})
		url := "it has ended: " + p.Text()
		for _, line := range p.Lines() {
			if address, ok := strings.CutPrefix(line, mark); ok {
				url = address
			}
		}
		d.mu.Lock()
		s.URL = url
		d.mu.Unlock()
		at <- url
		p.Wait()
	})
	d.mu.Lock()
	d.running = slices.DeleteFunc(d.running, func(other *started) bool {
		return other == s
	})
	d.mu.Unlock()
	if err != nil {
		select {
		case at <- err.Error():
		default: // it had a stage
		}
	}
}

// stop stops one of those that run.
func (d *desk) stop(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	for _, s := range d.running {
		if fmt.Sprint(s.Number) == r.FormValue("number") {
			s.stop()
		}
	}
	d.mu.Unlock()
	http.Redirect(w, r, "/?token="+d.token, http.StatusSeeOther)
}
