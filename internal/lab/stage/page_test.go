package stage_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"distsys/internal/lab"
	"distsys/internal/lab/arrows"
	"distsys/internal/lab/labtest"
	"distsys/internal/lab/record"
)

// bestKnown are the experiments that are shown most; their pictures are
// looked at closely. In make test it is those of the first few, with
// STAGE_ALL=1 it is all, and every other experiment is opened, too.
var bestKnown = [][2]string{
	{"pipeline", "worker-crash"},
	{"request_reply", "server-crash"},
	{"event_notification", "slow-joiner"},
	{"tuple_spaces", "one-taker"},
	{"message_queue", "worker-crash"}, // the first that needs RabbitMQ
	{"event_notification", "slow-subscriber"},
	{"request_reply", "client-first"},
	{"pipeline", "slow-worker"},
	{"publish_subscribe", "offline-subscriber"},
	{"message_queue", "prefetch"},
	{"tuple_spaces", "worker-crash"},
	{"go_basics/sockets", "byte-stream"},
}

const fewAreEnough = 5

func everything() bool { return os.Getenv("STAGE_ALL") != "" }

// recorded runs an experiment and returns its record.
func recorded(t *testing.T, pattern, name string) []record.Event {
	t.Helper()
	if os.Getenv("SKIP_RABBITMQ") != "" && needsBroker(pattern) {
		t.Skip("SKIP_RABBITMQ is set")
	}
	file := filepath.Join(t.TempDir(), "record")
	run := labtest.New(t).Start(pattern+"/run", "-record", file, name)
	if status := run.Wait(); status != 0 {
		t.Fatalf("the experiment ended with status %d", status)
	}
	return read(t, file)
}

// allExperiments lists those of all patterns.
func allExperiments(t *testing.T) (all [][2]string) {
	t.Helper()
	l := labtest.New(t)
	for _, pattern := range []string{"request_reply", "event_notification",
		"pipeline", "publish_subscribe", "message_queue", "tuple_spaces",
		"tuple_spaces/event_example", "go_basics/sockets"} {
		list := l.Start(pattern+"/run", "-list")
		list.Wait()
		for _, line := range list.Lines() {
			all = append(all, [2]string{pattern, strings.Fields(line)[0]})
		}
	}
	if len(all) < 39 {
		t.Errorf("only %d experiments were found", len(all))
	}
	return all
}

func needsBroker(pattern string) bool {
	return pattern == "message_queue" || pattern == "publish_subscribe"
}

// The page of an experiment has all that its record has.
func TestPagesOfExperiments(t *testing.T) {
	browser(t)
	chosen := bestKnown[:fewAreEnough]
	if everything() {
		chosen = bestKnown
		for _, one := range allExperiments(t) {
			if !slices.Contains(chosen, one) {
				chosen = append(chosen, one)
			}
		}
	}
	for i, one := range chosen {
		t.Run(one[0]+" "+one[1], func(t *testing.T) {
			t.Parallel()
			events := recorded(t, one[0], one[1])
			p := replay(t, events)
			p.compare(events)
			p.samePicture(events)
			if one == [2]string{"message_queue", "worker-crash"} {
				p.readmeShows()
			}
			if i >= len(bestKnown) {
				return
			}
			for _, size := range [][2]int64{{1280, 720}, {1920, 1080}} {
				p.size(size[0], size[1])
				p.until(fmt.Sprintf("innerWidth == %d", size[0]))
				p.readable()
				p.press("d")
				p.until("view.source")
				p.readable()
				p.press("d")
				p.until("!view.source")
			}
		})
	}
}

// compare compares what is drawn, at the end, with the record.
func (p *tab) compare(events []record.Event) {
	p.t.Helper()
	p.until("view.time === null")
	end := events[len(events)-1].Time
	var verdict record.Event
	kills := 0
	for i, e := range events {
		switch {
		case e.Kind == record.Verdict:
			verdict = e
			end = min(end, e.Time)
		case e.Kind == record.Stop && e.Text != "":
			end = min(end, e.Time)
		case e.Kind == record.Kill:
			kills++
		case e.Kind == record.End && e.Status == -1 && !slices.ContainsFunc(
			events[:i], func(k record.Event) bool {
				return k.Kind == record.Kill && k.Process == e.Process
			}):
			kills++ // by another than the lab
		}
	}
	lanes := arrows.Lanes(events)
	if n := p.count("[data-lane]"); n != len(lanes) {
		p.t.Errorf("%d lanes are drawn of %d", n, len(lanes))
	}
	if n := p.count(".cross"); n != kills {
		p.t.Errorf("%d crosses are drawn for %d that were killed", n, kills)
	}
	laneOf := map[string]int{}
	for i, lane := range lanes {
		for _, member := range lane.Members {
			laneOf[member] = i
		}
	}
	want := map[string]int{}
	for _, m := range arrows.Derive(events) {
		kind := string(m.Kind)
		switch m.Kind {
		case arrows.Message, arrows.Again, arrows.Back, arrows.Ack:
			a, known := laneOf[m.Lane]
			b, alsoKnown := laneOf[m.To]
			if !known || !alsoKnown || a == b || m.Begin >= end {
				continue
			}
			want[kind] += max(1, m.Count)
		case arrows.Timeout, arrows.Dropped:
			if m.Begin < end {
				want[kind]++
			}
		}
	}
	for _, kind := range []string{"message", "again", "back", "ack",
		"timeout", "dropped"} {
		// Those that are too close to each other are a band, with a number.
		drawn := p.count("g."+kind) + p.count("path.dropped."+kind) +
			eval[int](p, `[...document.querySelectorAll(
			"#diagram .band.`+kind+`")].reduce((n, band) =>
			n + Number(band.dataset.count), 0)`)
		if drawn != want[kind] {
			p.t.Errorf("%d of kind %s are drawn, %d have happened", drawn,
				kind, want[kind])
		}
	}
	mark := "✗"
	if verdict.Holds {
		mark = "✓"
	}
	if got := eval[string](p, `$("number").textContent + " " +
		$("sentence").textContent`); got != mark+" "+verdict.Text {
		p.t.Errorf("the verdict is shown as %q, not %q", got, mark+" "+
			verdict.Text)
	}
}

// unreadable returns the texts that stand on one another, or are cut off.
const unreadable = `(() => {
	const bad = [], texts = [];
	const area = $("diagram").getBoundingClientRect();
	for (const text of document.querySelectorAll("#diagram text")) {
		const b = text.getBoundingClientRect(), k = b.height * .16;
		const box = { text: text.textContent, left: b.left + 1,
			right: b.right - 1, top: b.top + k, bottom: b.bottom - k };
		if (box.left < area.left || box.right > area.right ||
			box.top < area.top || box.bottom > area.bottom) {
			bad.push(box.text + " is cut off");
		}
		if (parseFloat(text.getAttribute("font-size")) < 14) {
			bad.push(box.text + " is too small");
		}
		for (const other of texts) {
			if (box.left < other.right && other.left < box.right &&
				box.top < other.bottom && other.top < box.bottom) {
				bad.push(box.text + " stands on " + other.text);
			}
		}
		texts.push(box);
	}
	for (const element of document.querySelectorAll(
		"h1, #claim, #sentence, #number, button, select, h2")) {
		if (!element.offsetParent) continue;
		const b = element.getBoundingClientRect();
		if (element.scrollWidth > element.clientWidth + 2 ||
			element.scrollHeight > element.clientHeight + 6 ||
			b.right > innerWidth + 1 || b.bottom > innerHeight + 1) {
			bad.push(element.textContent + " is cut off");
		}
	}
	return bad.join("\n");
})()`

func (p *tab) readable() {
	p.t.Helper()
	if bad := eval[string](p, unreadable); bad != "" {
		p.t.Errorf("at %v: %s",
			eval[string](p, `innerWidth + "x" + innerHeight`), bad)
	}
}

// An experiment on the stage, from its first step to its verdict, by the
// lecturer's clicks; and then whatever can be clicked on.
func TestExperimentOnTheStage(t *testing.T) {
	t.Parallel()
	p := perform(t, "pipeline/run", "worker-crash")
	p.until("server.waits")
	if next := eval[string](p.tab, `$("next").textContent`); next !=
		"Next: two workers, one ten times slower; 20 orders" {
		t.Errorf("Next is labelled %q", next)
	}
	if n := p.count(".message"); n != 0 {
		t.Errorf("%d messages before the first click", n)
	}
	p.click("#next")
	p.until("server.asked == 2 && server.waits")
	if said := eval[string](p.tab, `$("number").textContent +
		$("sentence").textContent`); said !=
		"1two workers, one ten times slower; 20 orders" {
		t.Errorf("the step is shown as %q", said)
	}
	if n := p.count(".lost"); n != 0 {
		t.Errorf("%d are said to be lost before the verdict", n)
	}
	p.readable()

	// A second click on the same step does not skip the next one.
	p.do(call(`click({ do: "next", asked: 1 })`))
	p.until(`$("note").textContent.includes("does not wait")`)
	if !eval[bool](p.tab, "server.waits && server.asked == 2") {
		t.Error("a step was skipped by a late click")
	}

	// Back changes what is shown, and nothing else; Next leads back.
	p.click("#back")
	p.until("view.time !== null && stepAt(model, shown()) == 0")
	if n := p.count(".message"); n != 0 {
		t.Errorf("%d messages are shown before the first step", n)
	}
	p.click("#next")
	p.until("view.time === null && server.asked == 2 && server.waits")

	// The source shows the line that a worker is at.
	p.choose(2)
	p.until(`$("chosen").textContent == "worker slow"`)
	if lit := eval[string](p.tab, `document.querySelector(".lit").textContent`); !strings.Contains(lit, "Sleep") && !strings.Contains(lit, "log.Printf") {
		t.Errorf("the slow worker is at work, and at the line %q", lit)
	}

	p.goOn()
	p.until("model.verdict")
	p.finish()
	p.compare(p.events())
	p.readable()
	p.try()
}

// try clicks on what a replay offers.
func (p *tab) try() {
	t := p.t
	t.Helper()
	// The whole again, step by step, and back.
	p.click("#next")
	p.until("view.time !== null")
	before := p.count(".message, .band")
	for range 10 {
		if eval[bool](p, "view.time === null") {
			break
		}
		p.press(" ")
	}
	p.until("view.time === null")
	if after := p.count(".message, .band"); before >= after {
		t.Errorf("%d messages at the beginning, %d at the end", before, after)
	}
	p.press(kb.ArrowLeft)
	p.until("view.time !== null")

	// The slider.
	p.do(slide("0.5"))
	p.until("view.time > model.first && view.time < endOf(model)")
	half := eval[float64](p, "view.time")
	p.do(slide("0.9"))
	p.until(fmt.Sprintf("view.time > %f", half))

	// Dark, and light again.
	light := eval[string](p, "getComputedStyle(document.body).backgroundColor")
	p.press("l")
	p.until(`view.theme == "dark"`)
	if dark := eval[string](p,
		"getComputedStyle(document.body).backgroundColor"); dark == light {
		t.Errorf("dark is as light: %s", dark)
	}
	if drawn := eval[bool](p, "drawnText.includes(themes.dark.lanes[0])"); !drawn {
		t.Error("the picture did not become dark")
	}
	p.press("l")
	p.until(`view.theme == "light"`)

	// The picture, as a file.
	svg := eval[string](p, "picture()")
	var any struct{}
	if err := xml.Unmarshal([]byte(svg), &any); err != nil {
		t.Errorf("the picture is no XML: %v", err)
	}
	if len(svg) > 60_000 || !strings.HasPrefix(svg, "<svg ") {
		t.Errorf("the picture has %d bytes, and begins: %.60s", len(svg), svg)
	}
}

// A click in an experiment takes it over: there is no verdict, nothing hangs,
// and all ends in good order.
func TestInterveneInAnExperiment(t *testing.T) {
	t.Parallel()
	p := perform(t, "pipeline/run", "worker-crash")
	p.until("server.waits && model.processes.size >= 3")
	p.choose(1)
	p.until(`$("chosen").textContent == "worker slow"`)
	p.press("k")
	p.until("model.intervened")
	if n := p.count(".cross"); n != 1 {
		t.Errorf("%d crosses are drawn", n)
	}
	said := eval[string](p.tab, `$("sentence").textContent`)
	if said != "you intervened: no verdict" {
		t.Errorf("it says %q", said)
	}
	p.until("!server.waits") // its waiting has ended, too
	// Now it is free play.
	p.choose(0)
	p.until(`$("chosen").textContent == "worker fast"`)
	p.press("f")
	p.until(`document.querySelector("#diagram .freeze")`)
	p.press("f")
	p.until(`[...model.processes.values()].every(p =>
		p.spans.every(s => s.to < Infinity))`)
	p.press("a")
	p.until(`[...model.processes.values()].some(p => p.label ==
		"worker fast2")`)
	p.finish()
	for _, e := range p.events() {
		if e.Kind == record.Verdict || e.Kind == record.Fail {
			t.Errorf("there is a verdict, or a failure: %v", e)
		}
	}
}

// In free play there is no story that could be disturbed.
func TestFreePlay(t *testing.T) {
	t.Parallel()
	p := perform(t, "pipeline/run", "-free")
	p.until(`model.prints.some(line => line.text.includes("delivered"))`)
	// Nobody has chosen a process: a key must not hit just any of them.
	p.until(`$("chosen").textContent == "choose a process"`)
	p.until(`[...document.querySelectorAll("[data-act]")].every(b =>
		b.disabled)`)
	p.press("k")
	for _, worker := range []string{"worker fast", "worker slow"} {
		p.do(call(`choose([...model.processes.values()].find(p =>
			p.label == "` + worker + `").number)`))
		p.until(`$("chosen").textContent == "` + worker + `"`)
		p.press("k")
	}
	p.until(`document.querySelectorAll("#diagram .cross").length == 2`)
	p.until(`$("buttons") && document.querySelector("[data-act=another]")
		.textContent == "Start again"`)
	p.press("a")
	p.until(`[...model.processes.values()].filter(p =>
		p.label == "worker slow").length == 2`)
	// The buttons are for the one that runs now.
	p.until(`!document.querySelector("[data-act=kill]").disabled`)
	if n := p.count(".cross"); n != 2 {
		t.Errorf("%d crosses are drawn", n)
	}
	if eval[bool](p.tab, "Boolean(model.intervened)") {
		t.Error("in free play nothing is a disturbance")
	}
	p.readable()
	p.finish()
	p.until(`$("sentence").textContent == "free play is over"`)
}

// The broker is stopped and started again, by buttons.
func TestFreePlayWithBroker(t *testing.T) {
	t.Parallel()
	if os.Getenv("SKIP_RABBITMQ") != "" {
		t.Skip("SKIP_RABBITMQ is set")
	}
	p := perform(t, "message_queue/run", "-free")
	// While the broker starts, there is no beginning, and so no gap after it.
	p.until(`timeline(newModel(), 9000, 800).cuts.length == 0`)
	p.until(`model.said.startsWith("starting a private RabbitMQ node")`)
	p.until(`model.prints.some(line => line.text.includes("handled"))`)
	press := func(button string) {
		p.until(`model.buttons.includes("` + button + `")`)
		p.do(call(`[...$("buttons").children].find(b => b.textContent == "` +
			button + `").click()`))
	}
	press("Stop the broker")
	p.until(`model.prints.some(line => line.text.includes("lost the broker"))`)
	press("Start the broker")
	p.until(`model.buttons.includes("Stop the broker")`)
	p.until(`model.prints.findLastIndex(l => l.text.includes("handled")) >
		model.prints.findLastIndex(l => l.text.includes("lost the broker"))`)
	p.finish()
}

// A second tab shows the same run, and its buttons do nothing until it is
// asked to have them.
func TestSecondTabOnlyWatches(t *testing.T) {
	t.Parallel()
	p := perform(t, "request_reply/run")
	p.until("server.waits")
	second := visit(t, p.url)
	second.until("server.waits && !server.leads")
	if !eval[bool](second, `$("next").disabled`) {
		t.Error("Next works in the second tab")
	}
	second.do(call(`click({ do: "next", asked: server.asked })`))
	second.until(`$("note").textContent.includes("only watches")`)
	second.click("#lead")
	second.until(`server.leads && !$("next").disabled`)
	p.until("!server.leads")
	second.click("#next")
	second.until("server.asked == 2")
	p.until("server.asked == 2")

	// A page that is loaded anew goes on, and so does the story meanwhile.
	second.do(call("location.reload()"))
	second.until("server.asked == 2 && server.leads && model.begin")
	second.click("#next")
	second.until("model.over")
	second.end(p.run.Wait)
}

// end clicks on End, and waits for the run's end.
func (p *tab) end(wait func() int) {
	p.t.Helper()
	p.click("#menu")
	p.click("[data-do=end]")
	if status := wait(); status != 0 {
		p.t.Errorf("the run ended with status %d", status)
	}
}

// Closing the page ends nothing; Ctrl-C in the terminal does.
func TestPageIsClosed(t *testing.T) {
	t.Parallel()
	p := perform(t, "pipeline/run", "-free")
	p.until("model.processes.size == 4")
	p.do(call(`location.href = "about:blank"`))
	const delivered = "has delivered order "
	p.lab.WaitForCount(delivered, lab.Count(delivered, p.run)+2, p.run)
	labtest.StopsAtOnce(t, p.run)
}

// Both runs of -without are on the page, and the line that was changed.
func TestWithoutOnTheStage(t *testing.T) {
	t.Parallel()
	p := perform(t, "request_reply/run", "-without", "again",
		"client-first")
	for range 2 {
		p.goOn()
		p.until("runs.length == 2")
	}
	p.until("model.over")
	if n := eval[int](p.tab, `$("runs").children.length`); n != 2 {
		t.Errorf("%d runs are offered", n)
	}
	p.run.Stop()
}

// Every colour can be read on its ground.
func TestContrast(t *testing.T) {
	t.Parallel()
	p := replay(t, synthetic(2, 3))
	bad := eval[string](p, `(() => {
		const light = colour => {
			const parts = colour.match(/\w\w/g).map(h => parseInt(h, 16) / 255)
				.map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
			return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
		};
		const contrast = (a, b) => {
			const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
			return (x + .05) / (y + .05);
		};
		const bad = [];
		for (const [name, t] of Object.entries(themes)) {
			const pairs = [[t.text, t.ground], [t.text, t.panel],
				[t.quiet, t.ground], [t.good, t.panel], [t.bad, t.panel],
				[t.bad, t.ground], [t.again, t.ground], [t.onlit, t.lit],
				[t.word, t.ground], [t.string, t.ground],
				[t.onstrong, t.strong], [t.strong, t.ground],
				...t.lanes.map(c => [c, t.ground]),
				...t.lanes.map(c => [t.onbar, c])];
			for (const [a, b] of pairs) {
				if (contrast(a, b) < 6) {
					bad.push(name + ": " + a + " on " + b + " is " +
						contrast(a, b).toFixed(2));
				}
			}
		}
		return bad.join("\n");
	})()`)
	if bad != "" {
		t.Error(bad)
	}
}

// Many processes, many messages: the page stays readable, and quick.
func TestCrowdedPage(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{8, 52} {
		p := replay(t, synthetic(workers, 5000))
		p.readable()
		p.press("l")
		p.until(`view.theme == "dark"`)
	}
}

// synthetic is the record of a pipeline with a number of workers and orders.
func synthetic(workers, orders int) []record.Event {
	events := []record.Event{{Kind: record.Begin, Version: record.Version,
		Pattern: "pipeline", Claim: "Made up."}}
	at := time.Duration(0)
	add := func(e record.Event) {
		at += 300 * time.Microsecond
		e.Time = at
		events = append(events, e)
	}
	start := func(n int, role, id, args string) {
		add(record.Event{Kind: record.Start, Process: n, Program: "pipeline/" +
			role, Role: role, Label: role + " " + id, PID: 1000 + n,
			Text: "go run ./pipeline/" + role + " " + args})
	}
	say := func(n int, role, id, text string) {
		label := role + " " + id
		add(record.Event{Kind: record.Print, Process: n, Role: role,
			Label: label, Text: label + ": " + text})
	}
	start(1, "pusher", "1001", "-bind tcp://127.0.0.1:20001")
	for i := range workers {
		start(i+2, "worker", fmt.Sprint(i), fmt.Sprintf("-connect "+
			"tcp://127.0.0.1:20001 -sink tcp://127.0.0.1:20002 %d", i))
	}
	add(record.Event{Kind: record.Step, Text: "orders are pushed"})
	for i := range orders {
		order := fmt.Sprintf("order %d of 20001 worth %d", i, i%40)
		worker := i % workers
		say(1, "pusher", "1001", "pushed "+order)
		say(worker+2, "worker", fmt.Sprint(worker), "received "+order)
		say(worker+2, "worker", fmt.Sprint(worker), "delivered "+order)
	}
	add(record.Event{Kind: record.Over})
	return events
}

// A record that is not whole, or not one, is said to be that.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	good := `{"t":0,"kind":"begin","version":1,"pattern":"pipeline"}` + "\n"
	for text, says := range map[string]string{
		"":                            "it is empty",
		"hello\n":                     "not a record",
		good[:20]:                     "cut off in its first line",
		`{"t":0,"kind":"begin"`:       "cut off in its first line",
		`{"t":0,"kind":"say"}` + "\n": "not a record of version 1",
		strings.Replace(good, `"version":1`, `"version":99`, 1): "not a " +
			"record of version 1",
	} {
		file := filepath.Join(t.TempDir(), "record")
		labtest.Must(t, os.WriteFile(file, []byte(text), 0o600))
		labtest.Refused(t, "internal/cmd/stage", []string{"-replay", file},
			says)
	}
	// One that was cut off later is shown as far as it goes.
	events := synthetic(2, 3)
	var text strings.Builder
	w := record.NewWriter(&text)
	for _, e := range events {
		w.Show(e)
	}
	labtest.Must(t, w.Flush())
	dir := t.TempDir()
	file, out := filepath.Join(dir, "record"), filepath.Join(dir, "page.html")
	cut := text.String()[:text.Len()-50]
	labtest.Must(t, os.WriteFile(file, []byte(cut), 0o600))
	page := labtest.New(t).Start("internal/cmd/stage", "-replay", file,
		"-page", out)
	if page.Wait() != 0 || !strings.Contains(page.Text(), "was cut off") {
		t.Errorf("of a record that was cut off it says %q", page.Text())
	}
	p := visit(t, "file://"+out)
	p.until("model.over && model.processes.size == 3")
}

// The menu starts what is on it, and nothing else.
func TestMenu(t *testing.T) {
	t.Parallel()
	browser(t)
	menu := labtest.New(t).Start("internal/cmd/stage")
	url := strings.Fields(menu.WaitFor("the suite is at "))[4]
	p := visit(t, url)
	names := eval[string](p, `[...document.querySelectorAll("h2")].map(h =>
		h.textContent).join(" ")`)
	for _, pattern := range []string{"request_reply", "event_notification",
		"pipeline", "publish_subscribe", "message_queue", "tuple_spaces"} {
		if !strings.Contains(" "+names+" ", " "+pattern+" ") {
			t.Errorf("the menu has no %s: %s", pattern, names)
		}
	}
	// What shows a claim by doing more than the program does is a cure.
	said := eval[string](p, `[...document.querySelectorAll(
		"[value=moved-server] ~ button[name]")].map(b => b.textContent).join()`)
	if said != "with the cure name" {
		t.Errorf("beside moved-server the menu says %q", said)
	}
	p.do(call(`document.querySelector("form:has([value=client-first]) button")
		.click()`))
	p.until(`typeof server == "object" && server.waits`)
	p.press(" ")
	p.until("server.asked == 2")
	menu.Stop() // and with it what it has started
}

// readmeShows: the README's picture is what the page exports of that
// experiment. A fresh run has as many bars, crosses and so on, if not in the
// same places.
func (p *tab) readmeShows() {
	t := p.t
	t.Helper()
	fresh := eval[string](p, "picture()")
	const file = "worker-crash.svg" // the README shows it
	if os.Getenv("STAGE_PICTURE") != "" {
		labtest.Must(t, os.WriteFile(file, []byte(fresh), 0o644))
	}
	shown, err := os.ReadFile(file)
	labtest.Must(t, err)
	want, got := shapeOf(t, fresh), shapeOf(t, string(shown))
	if !maps.Equal(want, got) || len(want) < 8 {
		t.Errorf("the README's picture has %v, a fresh one %v; this makes it "+
			"anew: STAGE_PICTURE=1 go test ./internal/lab/stage -run Pages",
			got, want)
	}
	if len(shown) > 40_000 {
		t.Errorf("the README's picture has %d bytes", len(shown))
	}
}

// shapeOf counts what is on a picture, as far as it is the same each time:
// which messages are so close to each other that they are drawn as one is
// not.
func shapeOf(t *testing.T, svg string) map[string]int {
	t.Helper()
	shape := map[string]int{}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return shape
		}
		labtest.Must(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			for _, a := range token.Attr {
				switch {
				case a.Name.Local == "data-lane":
					shape["lane"]++
				case a.Name.Local == "class" && slices.Contains([]string{
					"bar", "cross", "start", "step", "depth", "back", "again",
					"end"}, a.Value):
					shape[a.Value]++
				}
			}
		case xml.CharData:
			for _, word := range []string{"killed", "goes back", "again"} {
				shape[word] += strings.Count(string(token), word)
			}
		}
	}
}
