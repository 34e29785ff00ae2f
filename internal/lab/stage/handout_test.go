package stage_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// The hand-out is made, and read in a browser as somebody does who has only
// its folder. In make test it is about one pattern, with HANDOUT_ALL=1 (make
// soak) about all.
func TestHandout(t *testing.T) {
	browser(t)
	all := os.Getenv("HANDOUT_ALL") != ""
	if all {
		lab.Patience = time.Hour // and then no other test goes on
	} else {
		t.Parallel()
	}
	dir := t.TempDir()
	plot := filepath.Join(dir, "plots", "made-up.svg")
	labtest.Must(t, os.Mkdir(filepath.Dir(plot), 0o755))
	labtest.Must(t, os.WriteFile(plot, []byte(`<svg xmlns="http://www.w3.org/`+
		`2000/svg" width="300" height="200"><title>One &amp; many</title></svg>`),
		0o600))
	args := []string{"-dir", dir}
	if !all {
		args = append(args, "go_basics")
	}
	run := labtest.New(t).Start("internal/cmd/handout", args...)
	if status := run.Wait(); status != 0 {
		t.Fatalf("status %d: %s", status, run.Text())
	}
	seen := weigh(t, dir)
	p := visit(t, "file://"+dir+"/index.html")
	c := newCrawl(p, dir)
	c.from("index.html")
	if len(c.pages) < 10 {
		t.Errorf("only %d pages are linked to: %q", len(c.pages), c.pages)
	}
	for _, file := range seen {
		if strings.HasSuffix(file, ".html") && !slices.Contains(c.pages,
			file) {
			t.Errorf("no link leads to %s", file)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "figures.html"))
	labtest.Must(t, err)
	if !strings.Contains(string(text), ">One &amp; many</a>") {
		t.Errorf("the page of figures is %s", text)
	}
	claim := "go_basics/sockets/byte-stream"
	for _, page := range []string{"index.html", "go_basics/index.html"} {
		for _, to := range []string{claim + ".html", claim + ".svg",
			"go_basics/index.html", "side-by-side.html", "figures.html"} {
			if !slices.Contains(c.links[page], to) && page != to {
				t.Errorf("%s has no link to %s", page, to)
			}
		}
	}
	p.replays("file://" + dir + "/" + claim)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	p.framed(server.URL + "/" + claim + ".html")
}

// weigh checks that a hand-out is as small as it has to be, and returns the
// names of its files.
func weigh(t *testing.T, dir string) (names []string) {
	t.Helper()
	total := int64(0)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry,
		err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		labtest.Must(t, err)
		name, err := filepath.Rel(dir, file)
		labtest.Must(t, err)
		names = append(names, filepath.ToSlash(name))
		total += info.Size()
		if info.Size() > 500_000 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
		return nil
	})
	labtest.Must(t, err)
	if total > 10_000_000 {
		t.Errorf("the hand-out has %d bytes", total)
	}
	return names
}

// A crawl visits every page of a folder that a link leads to.
type crawl struct {
	*tab
	dir   string
	pages []string            // that have been found, as the folder names them
	links map[string][]string // of each page

	mu      sync.Mutex
	outside []string // what was asked for that is not of the folder
}

func newCrawl(p *tab, dir string) *crawl {
	c := &crawl{tab: p, dir: dir, links: map[string][]string{}}
	chromedp.ListenTarget(p.ctx, func(event any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "file://"+dir+"/") {
				c.outside = append(c.outside, e.Request.URL)
			}
		case *network.EventLoadingFailed:
			if !e.Canceled { // as what a page still loads when it is left
				c.outside = append(c.outside, e.ErrorText)
			}
		}
	})
	p.do(network.Enable())
	return c
}

// from visits a page, and all that can be reached from there.
func (c *crawl) from(first string) {
	c.t.Helper()
	c.pages = []string{first}
	for i := 0; i < len(c.pages); i++ {
		page := c.pages[i]
		c.do(chromedp.Navigate("file://" + c.dir + "/" + page))
		if strings.HasSuffix(page, "-replay.html") {
			c.until("model.over")
			if c.count("[data-lane]") == 0 {
				c.t.Errorf("%s shows no process", page)
			}
		}
		c.fits(page)
		for _, to := range eval[[]string](c.tab, `[...new Set(
			[...document.querySelectorAll("a[href], iframe, img, source, " +
			"script[src], link")].map(e => e.tagName === "SOURCE"
			? new URL(e.srcset, document.baseURI).href
			: e.href || e.src))]`) {
			c.follow(page, to)
		}
		c.mu.Lock()
		for _, address := range c.outside {
			c.t.Errorf("%s asks for %s", page, address)
		}
		c.outside = nil
		c.mu.Unlock()
	}
}

// follow looks whether what a page refers to is there. The pages among that
// are visited, too.
func (c *crawl) follow(page, to string) {
	c.t.Helper()
	at, err := url.Parse(to)
	if err != nil || at.Scheme == "http" || at.Scheme == "https" {
		return // it is for those who have a network
	}
	name, inside := strings.CutPrefix(at.Path, c.dir+"/")
	if _, err := os.Stat(at.Path); err != nil || !inside {
		c.t.Errorf("%s has a dead link to %s", page, to)
		return
	}
	c.links[page] = append(c.links[page], name)
	if !strings.HasSuffix(name, ".html") {
		return
	}
	if !slices.Contains(c.pages, name) {
		c.pages = append(c.pages, name)
	}
	if at.Fragment == "" {
		return
	}
	text, err := os.ReadFile(at.Path)
	labtest.Must(c.t, err)
	if !strings.Contains(string(text), `id="`+at.Fragment+`"`) {
		c.t.Errorf("%s has a link to %s, and there is no such place", page, to)
	}
}

// cutOff returns what cannot be read in a window: a page that is wider than
// it, or what stands over the edge of its box.
const cutOff = `(() => {
	const bad = [], root = document.documentElement;
	if (root.scrollWidth > innerWidth) bad.push("the page is " +
		root.scrollWidth + " wide, the window " + innerWidth);
	if (document.getElementById("diagram")) return bad.join("; ");
	for (const e of document.querySelectorAll("main *")) {
		if (e.closest(".wide") && !matchMedia("print").matches) continue;
		const b = e.getBoundingClientRect();
		if (b.width && (b.right > innerWidth + 1 || b.left < 0) &&
			getComputedStyle(e).display !== "inline") {
			bad.push(e.tagName + " " + e.textContent.slice(0, 60) +
				" goes to " + b.right + " of " + innerWidth);
		}
	}
	return bad.slice(0, 5).join("; ");
})()`

// fits checks that a page fits its window, as it is and at 200 %, and the
// paper.
func (c *crawl) fits(page string) {
	c.t.Helper()
	media := func(name string) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			return emulation.SetEmulatedMedia().WithMedia(name).Do(ctx)
		})
	}
	check := func(what string, width, height int64) {
		c.t.Helper()
		c.size(width, height)
		if bad := eval[string](c.tab, cutOff); bad != "" {
			c.t.Errorf("%s %s: %s", page, what, bad)
		}
	}
	check("at 1280x720", 1280, 720)
	check("at 200 %", 640, 360)
	c.do(media("print"))
	paper := int64(718) // A4 without its margins, in pixels
	if strings.Contains(page, "side-by-side") {
		paper = 1045 // in landscape
	}
	check("on paper", paper, 1000)
	if bad := eval[string](c.tab, unprintable); bad != "" {
		c.t.Errorf("%s on paper: %s", page, bad)
	}
	c.do(media(""))
	c.size(1280, 720)
}

// unprintable returns what is of no use on paper and yet there, or what is
// there only on paper and is not.
const unprintable = `[...document.querySelectorAll(
	"button, select, input, nav, iframe, .paper")].filter(e =>
	(e.getClientRects().length > 0) !== e.matches(".paper"))
	.map(e => e.outerHTML.slice(0, 80)).join("; ")`

// replays opens a claim, and from there its replays.
func (p *tab) replays(claim string) {
	p.t.Helper()
	for _, run := range []string{"", "-changed"} {
		p.do(chromedp.Navigate(claim + ".html"))
		p.click(fmt.Sprintf("figcaption a[href$='%s%s-replay.html']",
			filepath.Base(claim), run))
		p.until(`typeof model == "object" && model.over`)
		if p.count(".message, .band") == 0 {
			p.t.Errorf("%s%s: nothing is drawn", claim, run)
		}
		p.readable()
		p.press("d") // the source, which several replays share
		p.until(`view.source &&
			document.querySelectorAll("#code li i").length > 0`)
		p.press("d")
		p.until("!view.source")
		p.try()
		p.click("#home")
		p.do(chromedp.WaitReady("h1 + .verdicts", chromedp.ByQuery))
	}
}

// framed checks, on a page from a server, that the replays run in their
// frames, too. From a file, a page may not look into them.
func (p *tab) framed(page string) {
	p.t.Helper()
	p.do(chromedp.Navigate(page))
	n := eval[int](p, `document.querySelectorAll("iframe").length`)
	if n != 2 {
		p.t.Errorf("%d replays are on %s", n, page)
	}
	for i := range n {
		frame := fmt.Sprintf(`document.querySelectorAll("iframe")[%d]`, i)
		p.do(call(frame + ".scrollIntoView()")) // it is loaded then
		err := chromedp.Run(p.ctx, chromedp.Poll(`(d => d &&
			d.querySelector("#home")?.hidden && d.querySelector(
			"#diagram .message, #diagram .band"))(`+frame+
			`.contentDocument)`, nil,
			chromedp.WithPollingTimeout(lab.Patience/4)))
		if err != nil {
			p.t.Errorf("replay %d does not run in its frame: %v", i+1, err)
		}
	}
}

// A claim that could not be shown is said to be that, and so is a pattern
// that was left out.
func TestHandoutIsHonest(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	for _, c := range []struct {
		env, pattern, page string
		status             int
		says               string
	}{
		{"DISTSYS_PATIENCE=1ns", "go_basics", "go_basics/sockets/byte-stream",
			1, "The experiment could not be run to its end."},
		{"SKIP_RABBITMQ=1", "message_queue", "message_queue/worker-crash",
			0, "It was not run: RabbitMQ was left out (SKIP_RABBITMQ)."},
	} {
		dir := t.TempDir()
		run := l.StartEnv([]string{c.env}, "internal/cmd/handout", "-dir", dir,
			c.pattern)
		if status := run.Wait(); status != c.status {
			t.Errorf("%s: status %d: %s", c.env, status, run.Text())
		}
		for _, page := range []string{"index", c.page} {
			text, err := os.ReadFile(filepath.Join(dir, page+".html"))
			labtest.Must(t, err)
			if !strings.Contains(string(text), c.says) {
				t.Errorf("%s: %s does not say %q", c.env, page, c.says)
			}
		}
	}
	labtest.Refused(t, "internal/cmd/handout", []string{"pipelin"},
		`no pattern "pipelin"; there are: request_reply, `)
	dir := t.TempDir()
	labtest.Must(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600))
	labtest.Refused(t, "internal/cmd/handout", []string{"-dir", dir,
		"go_basics"}, "thesis.txt is not of a hand-out")
}
