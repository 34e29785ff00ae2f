package stage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	"distsys/internal/lab/record"
	"distsys/internal/lab/stage"
	"distsys/internal/local"
)

// These tests open the page in a real browser, and click on it.

// open is the browser that they share.
var open struct {
	sync.Mutex
	ctx   context.Context
	close func()
}

func TestMain(m *testing.M) {
	code := func() int {
		defer func() {
			if open.close != nil {
				open.close()
			}
		}()
		return labtest.Run(m, "internal/lab/stage")
	}()
	os.Exit(code)
}

// browser returns the browser, which is started if it does not run yet.
func browser(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("SKIP_BROWSER") != "" {
		t.Skip("SKIP_BROWSER is set")
	}
	path := local.Browser()
	if path == "" {
		t.Fatal("no browser: make setup installs one (SKIP_BROWSER=1 leaves " +
			"these tests out)")
	}
	open.Lock()
	defer open.Unlock()
	if open.ctx == nil {
		dir, err := os.MkdirTemp("", "distsys-browser-")
		labtest.Must(t, err)
		allocator, stop := chromedp.NewExecAllocator(context.Background(),
			chromedp.ExecPath(path), chromedp.UserDataDir(dir),
			chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-sync", true),
			chromedp.Flag("hide-scrollbars", true))
		ctx, quit := chromedp.NewContext(allocator)
		labtest.Must(t, chromedp.Run(ctx)) // it starts
		open.ctx = ctx
		open.close = func() {
			chromedp.Cancel(ctx) // waits until it has ended
			quit()
			stop()
			os.RemoveAll(dir)
		}
	}
	return open.ctx
}

// A tab shows a page, as a test sees it.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string // errors of the page's script
}

// visit opens an address in a tab of its own.
func visit(t *testing.T, url string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser(t))
	p := &tab{t: t, ctx: ctx}
	labtest.Must(t, chromedp.Run(ctx)) // it lives as long as this context
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*runtime.EventExceptionThrown); ok {
			p.mu.Lock()
			p.bad = append(p.bad, e.ExceptionDetails.Error())
			p.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		p.mu.Lock()
		for _, text := range p.bad {
			t.Errorf("the page's script: %s", text)
		}
		p.mu.Unlock()
		if t.Failed() {
			p.keep()
		}
		closeTab()
	})
	p.do(chromedp.ActionFunc(func(ctx context.Context) error {
		// The same for everybody, whatever the system prefers.
		return emulation.SetEmulatedMedia().WithFeatures(
			[]*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: "light"},
				{Name: "prefers-reduced-motion", Value: "reduce"},
			}).Do(ctx)
	}))
	p.size(1280, 720)
	p.do(chromedp.Navigate(url))
	return p
}

// replay opens a page with a record in it, and no server.
func replay(t *testing.T, events []record.Event) *tab {
	t.Helper()
	var text bytes.Buffer
	labtest.Must(t, stage.WriteReplay(&text, events, lab.SourceText))
	file := filepath.Join(t.TempDir(), "replay.html")
	labtest.Must(t, os.WriteFile(file, text.Bytes(), 0o600))
	p := visit(t, "file://"+file)
	p.until("model.over")
	return p
}

func (p *tab) do(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, lab.Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// size gives the window a size.
func (p *tab) size(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// keep keeps a picture of the page, for whoever wants to know why a test has
// failed.
func (p *tab) keep() {
	dir := os.Getenv("STAGE_SHOTS")
	if dir == "" {
		dir = os.TempDir()
	}
	name := strings.NewReplacer("/", "-", " ", "-").Replace(p.t.Name())
	p.shot(filepath.Join(dir, "stage-"+name+".png"))
}

func (p *tab) shot(file string) {
	var png []byte
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.ActionFunc(
		func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().Do(ctx)
			return err
		}))
	if err = errors.Join(err, os.WriteFile(file, png, 0o600)); err != nil {
		p.t.Logf("no picture of the page: %v", err)
		return
	}
	p.t.Logf("a picture of the page: %s", file)
}

// eval returns what an expression of the page's script is.
func eval[T any](p *tab, expression string) (value T) {
	p.t.Helper()
	p.do(chromedp.Evaluate(expression, &value))
	return value
}

// until waits until an expression of the page's script is true.
func (p *tab) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, lab.Patience)
	defer cancel()
	// What is drawn is as new as the model.
	for {
		err := chromedp.Run(ctx, chromedp.Poll("Boolean("+expression+
			") && !dirty", nil,
			chromedp.WithPollingInterval(20*time.Millisecond),
			chromedp.WithPollingTimeout(0)))
		if err == nil {
			return
		}
		// Another page may just be coming.
		text := err.Error()
		if ctx.Err() != nil || !strings.Contains(text, "navigated") &&
			!strings.Contains(text, "context with specified id") {
			p.t.Fatalf("waited in vain until %s: %v", expression, err)
		}
	}
}

// click clicks on what a selector finds, as a person would.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(selector, chromedp.ByQuery))
}

// choose clicks on the name of a lane. The picture may be drawn anew at any
// moment, so it is the place that counts.
func (p *tab) choose(lane int) {
	p.t.Helper()
	at := eval[[]float64](p, fmt.Sprintf(`(b => [b.x + b.width / 2,
		b.y + b.height / 2])(document.querySelector(
		"[data-lane='%d'] rect").getBoundingClientRect())`, lane))
	p.do(chromedp.MouseClickXY(at[0], at[1]))
}

// press presses a key.
func (p *tab) press(key string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key))
}

// count returns how many elements of the picture a selector finds.
func (p *tab) count(selector string) int {
	p.t.Helper()
	return eval[int](p, fmt.Sprintf(
		"document.querySelectorAll('#diagram svg %s').length", selector))
}

// A play is a run of a story or an experiment on the stage.
type play struct {
	*tab
	lab    *lab.Lab
	run    *lab.Process
	url    string
	record string
}

// perform starts a run program on the stage, and opens its page.
func perform(t *testing.T, program string, args ...string) *play {
	t.Helper()
	browser(t) // first, since this skips
	record := filepath.Join(t.TempDir(), "record")
	l := labtest.New(t)
	run := l.Start(program, append([]string{"-stage", "-record", record},
		args...)...)
	url := strings.Fields(run.WaitFor("the stage is at "))[4]
	return &play{visit(t, url), l, run, url, record}
}

// goOn clicks on Next each time that the story waits, until it is over.
func (p *play) goOn() {
	p.t.Helper()
	for {
		p.until("server.waits || model.over")
		if eval[bool](p.tab, "model.over") {
			return
		}
		asked := eval[int](p.tab, "server.asked")
		p.press(kb.ArrowRight)
		p.until(fmt.Sprintf("server.asked > %d || !server.waits", asked))
	}
}

// finish clicks on End, and waits for the run to end in good order.
func (p *play) finish() {
	p.t.Helper()
	p.click("#menu")
	p.click("[data-do=end]")
	if status := p.run.Wait(); status != 0 {
		p.t.Errorf("the run ended with status %d", status)
	}
	p.until("server.closed")
}

// events returns what the run has recorded, once it has ended.
func (p *play) events() []record.Event {
	p.t.Helper()
	return read(p.t, p.record)
}

func read(t *testing.T, name string) []record.Event {
	t.Helper()
	file, err := os.Open(name)
	labtest.Must(t, err)
	defer file.Close()
	events, err := record.Read(file)
	labtest.Must(t, err)
	return events
}

// call has the page's script do something.
func call(script string) chromedp.Action {
	return chromedp.Evaluate("void ("+script+")", nil)
}

// slide moves the slider to a part of its length, as a hand would.
func slide(part string) chromedp.Action {
	return call(`(s => { s.value = ` + part + ` * 1000;
		s.dispatchEvent(new Event("input")); })($("slider"))`)
}
