package stage_test

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
	"distsys/internal/lab/record"
	"distsys/internal/lab/stage"
)

// These tests ask the stage's server without any browser.

// hands note what they are asked to do.
type hands chan string

func (h hands) Act(what string, process int) error {
	h <- fmt.Sprintf("%s %d", what, process)
	return nil
}

func (h hands) Press(button string) error {
	return errors.New("there is no button " + button)
}

// set opens a stage for a test.
func set(t *testing.T) (s *stage.Stage, done hands) {
	t.Helper()
	s, err := stage.Open(0, lab.SourceText)
	labtest.Must(t, err)
	t.Cleanup(s.Close)
	done = make(hands, 10)
	s.Give(done)
	return s, done
}

// ask sends a request, and returns what is answered; of a stream of events,
// which has no end, only the first line.
func ask(t *testing.T, method, url, body string,
	header map[string]string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url,
		strings.NewReader(body))
	labtest.Must(t, err)
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	labtest.Must(t, err)
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		text, err = bufio.NewReader(answer.Body).ReadString('\n')
		labtest.Must(t, err)
		return answer.StatusCode, text
	}
	all, err := io.ReadAll(answer.Body)
	labtest.Must(t, err)
	return answer.StatusCode, string(all)
}

// listen reads the events of a stage, as a tab does.
func listen(t *testing.T, s *stage.Stage, tab, last string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET",
		strings.Replace(s.URL(), "/?", "/events?tab="+tab+"&", 1), nil)
	labtest.Must(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	labtest.Must(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	return bufio.NewReader(answer.Body)
}

// line returns the next line that holds a text.
func line(t *testing.T, from *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatalf("no line with %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

// Whoever has no token, comes by another name, or from another page, is
// refused, with one line; the stage's own page is not.
func TestGate(t *testing.T) {
	t.Parallel()
	s, done := set(t)
	other, _ := set(t)
	base, query, _ := strings.Cut(s.URL(), "/?")
	line(t, listen(t, s, "me", ""), "live") // this tab has the buttons
	kill := `{"tab":"me","do":"kill","process":7}`
	mine := map[string]string{"Origin": base}
	_, otherToken, _ := strings.Cut(other.URL(), "/?")
	if otherToken == query || len(query) < len("token=")+20 {
		t.Errorf("tokens: %q, %q", query, otherToken)
	}
	for _, r := range []struct {
		what, method, at string
		header           map[string]string
		body, says       string
	}{
		{"without a token", "GET", "/", nil, "", "with its token"},
		{"with an empty one", "GET", "/?token=", nil, "", "with its token"},
		{"with another's", "GET", "/?" + otherToken, nil, "", "another run"},
		{"events without one", "GET", "/events", nil, "", "with its token"},
		{"a click without one", "POST", "/click", mine, kill, "with its token"},
		{"by another name", "GET", "/?" + query,
			map[string]string{"Host": "evil.example:80"}, "", "no other name"},
		{"by another port", "GET", "/?" + query,
			map[string]string{"Host": "127.0.0.1:1"}, "", "no other name"},
		{"from another page", "GET", "/events?" + query,
			map[string]string{"Origin": "http://evil.example"}, "",
			"another page"},
		{"a click from another page", "POST", "/click?" + query,
			map[string]string{"Origin": "http://evil.example"}, kill,
			"another page"},
		{"a click from a page without a name", "POST", "/click?" + query,
			map[string]string{"Origin": "null"}, kill, "another page"},
		{"a click from no page", "POST", "/click?" + query, nil, kill,
			"only the stage's own page"},
	} {
		status, text := ask(t, r.method, base+r.at, r.body, r.header)
		if status != http.StatusForbidden || !strings.Contains(text, r.says) ||
			!strings.HasPrefix(text, "refused: ") ||
			strings.Count(text, "\n") != 1 {
			t.Errorf("%s: status %d, %q", r.what, status, text)
		}
	}
	select {
	case what := <-done:
		t.Errorf("refused, and yet done: %s", what)
	default:
	}

	status, text := ask(t, "GET", s.URL(), "", nil)
	if status != 200 || !strings.Contains(text, "<svg") {
		t.Errorf("the page: status %d, %d bytes", status, len(text))
	}
	status, text = ask(t, "POST", base+"/click?"+query, kill, mine)
	if status != 200 {
		t.Errorf("a click: status %d, %q", status, text)
	}
	if what := <-done; what != "kill 7" {
		t.Errorf("done: %s", what)
	}
	for body, says := range map[string]string{
		"":                           "not a click",
		"hello":                      "not a click",
		strings.Repeat("x", 1<<20):   "not a click",
		`{"tab":"you","do":"kill"}`:  "only watches",
		`{"do":"kill"}`:              "only watches",
		`{"tab":"me","do":"next"}`:   "does not wait",
		`{"tab":"me","do":"press"}`:  "no button",
		`{"tab":"you","do":"next"}`:  "only watches",
		`{"tab":"you","do":"end"}`:   "only watches",
		`{"tab":"you","do":"press"}`: "only watches",
		`{"tab":"me","do":"next",` +
			`"asked":1}`: "does not wait",
	} {
		status, text := ask(t, "POST", base+"/click?"+query, body, mine)
		if status < 400 || !strings.Contains(text, says) {
			t.Errorf("%.60s: status %d, %q", body, status, text)
		}
	}
	if s.Ended() {
		t.Error("a tab that only watches has ended it")
	}
}

// A page that is loaded anew, or whose connection broke, gets what it has
// missed, and nothing twice.
func TestEventsAreResumed(t *testing.T) {
	t.Parallel()
	s, _ := set(t)
	s.Show(record.Event{Kind: record.Begin, Pattern: "pipeline"})
	events := listen(t, s, "me", "")
	line(t, events, `"kind":"begin"`)
	s.Show(record.Event{Kind: record.Say, Text: "first", Time: 1})
	line(t, events, "first")
	s.Show(record.Event{Kind: record.Say, Text: "second", Time: 2})
	id := strings.TrimSpace(strings.TrimPrefix(line(t, events, "id: "),
		"id: "))
	line(t, events, "second")
	s.Show(record.Event{Kind: record.Say, Text: "third", Time: 3})

	again := listen(t, s, "me", id)
	if got := line(t, again, "kind"); !strings.Contains(got, "third") {
		t.Errorf("it goes on with %s", got)
	}
	whole := listen(t, s, "me", "")
	if got := line(t, whole, "kind"); !strings.Contains(got, "begin") {
		t.Errorf("it begins with %s", got)
	}
	for _, nonsense := range []string{"-1", "x", "999999999999999999999"} {
		odd := listen(t, s, "me", nonsense)
		if got := line(t, odd, "kind"); !strings.Contains(got, "begin") {
			t.Errorf("after %q it begins with %s", nonsense, got)
		}
	}
	line(t, listen(t, s, "me", "100"), "live") // more than there is: it waits
}

// A page that reads nothing holds nobody up, and is dropped.
func TestPageThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s, _ := set(t)
	address := strings.TrimPrefix(s.URL()[:strings.Index(s.URL(), "/?")],
		"http://")
	conn, err := net.Dial("tcp", address)
	labtest.Must(t, err)
	defer conn.Close()
	labtest.Must(t, conn.(*net.TCPConn).SetReadBuffer(1<<12))
	_, query, _ := strings.Cut(s.URL(), "/?")
	fmt.Fprintf(conn, "GET /events?tab=deaf&%s HTTP/1.1\r\nHost: %s\r\n\r\n",
		query, address)
	quick := listen(t, s, "quick", "")
	line(t, quick, "live")
	text := strings.Repeat("x", 1000)
	const count = 40_000 // 40 MB: more than all buffers
	for i := range count {
		s.Show(record.Event{Kind: record.Say, Text: text,
			Time: time.Duration(i)})
	}
	s.Show(record.Event{Kind: record.Say, Text: "the last", Time: count})
	line(t, quick, "the last")
	// When it has read nothing for some seconds, it is dropped: whatever is
	// written to it then is refused.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(lab.Patience)
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the page that does not read is still served")
		}
	}
}

// A muted process may print megabytes a second: the page gets a number.
func TestMutedLinesAreCounted(t *testing.T) {
	t.Parallel()
	s, _ := set(t)
	events := listen(t, s, "me", "")
	const count = 70_000 // 7 MB
	s.Show(record.Event{Kind: record.Begin, Pattern: "message_queue"})
	s.Show(record.Event{Kind: record.Start, Process: 1, Role: "producer",
		Program: "message_queue/producer"})
	s.Show(record.Event{Kind: record.Mute, Process: 1})
	text := strings.Repeat("x", 100)
	for i := range count {
		s.Show(record.Event{Kind: record.Print, Process: 1, Text: text,
			Time: time.Duration(i) * 10 * time.Microsecond})
	}
	s.Show(record.Event{Kind: record.Say, Text: "the last", Time: count})
	size := 0
	for {
		line, err := events.ReadString('\n')
		labtest.Must(t, err)
		size += len(line)
		if strings.Contains(line, text) {
			t.Fatalf("a muted line: %.200s", line)
		}
		if strings.Contains(line, `"counts":{"1":`+strconv.Itoa(count)+`}`) {
			break
		}
	}
	if size > 1<<20 {
		t.Errorf("%d bytes were sent for %d muted lines", size, count)
	}
}

// Two stages at once have two ports; a port that is taken is said to be.
func TestPorts(t *testing.T) {
	t.Parallel()
	one, _ := set(t)
	two, _ := set(t)
	if one.URL()[:22] == two.URL()[:22] {
		t.Errorf("both are at %s", one.URL())
	}
	port := regexp.MustCompile(`:(\d+)/`).FindStringSubmatch(one.URL())[1]
	if n, _ := strconv.Atoi(port); n >= 32768 {
		t.Errorf("port %d could be given to an outgoing connection", n)
	}
	labtest.Refused(t, "request_reply/run", []string{"-stage", "-stage-port",
		port}, "address already in use")
	labtest.Refused(t, "request_reply/run", []string{"-stage", "-tmux"},
		"choose one of them")
	labtest.Refused(t, "request_reply/run", []string{"-free", "client-first"},
		"-free is no experiment")
	labtest.Refused(t, "internal/cmd/stage", []string{"-page", "x"},
		"-page goes with -replay")
}

// Without a browser the address is printed all the same, and the run goes on.
func TestNoBrowser(t *testing.T) {
	t.Parallel()
	path := "PATH=" + t.TempDir()
	run := labtest.New(t).StartEnv([]string{path}, "request_reply/run",
		"-open", "-stage-port", "0")
	_ = run
	run.WaitFor("the stage is at http://127.0.0.1:")
	run.WaitFor("no browser was opened")
	labtest.StopsAtOnce(t, run)
}

// The colours of a source file change nothing but colours.
func TestColouredSource(t *testing.T) {
	t.Parallel()
	tag := regexp.MustCompile(`</?i[^>]*>`)
	seen := 0
	root, err := lab.Source(".")
	labtest.Must(t, err)
	for _, pattern := range []string{"*/*/*.go", "internal/lab/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		labtest.Must(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			labtest.Must(t, err)
			seen++
			coloured := strings.Join(stage.Colour(text), "\n") + "\n"
			plain := html.UnescapeString(tag.ReplaceAllString(coloured, ""))
			want := strings.ReplaceAll(string(text), "\t", "    ")
			if plain != want {
				t.Errorf("%s is another text when it is coloured", file)
			}
			for _, line := range strings.Split(coloured, "\n") {
				if strings.Count(line, "<i") != strings.Count(line, "</i>") {
					t.Errorf("%s: a colour goes over the line: %s", file, line)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d files were found", seen)
	}
	if !strings.Contains(strings.Join(stage.Colour([]byte(
		"package x // y\nvar z = \"&<\"\n")), "\n"),
		"<i class=k>package</i> x <i class=c>// y</i>\n"+
			"<i class=k>var</i> z = <i class=s>&#34;&amp;&lt;&#34;</i>") {
		t.Error("no colours")
	}
	if _, err := lab.SourceText("../../etc/passwd"); err == nil {
		t.Error("a file outside of the module was read")
	}
}

// With the stage on, every claim holds as without it. That takes some
// minutes: in make test it is one of them.
func TestClaimsHoldOnTheStage(t *testing.T) {
	t.Parallel()
	chosen := [][2]string{{"request_reply", "moved-server"}}
	if everything() {
		chosen = allExperiments(t)
	}
	for _, one := range chosen {
		t.Run(one[0]+" "+one[1], func(t *testing.T) {
			t.Parallel()
			if os.Getenv("SKIP_RABBITMQ") != "" && needsBroker(one[0]) {
				t.Skip("SKIP_RABBITMQ is set")
			}
			run := labtest.New(t).Start(one[0]+"/run", "-stage", one[1])
			drive(t, strings.Fields(run.WaitFor("the stage is at "))[4])
			if status := run.Wait(); status != 0 {
				t.Errorf("the experiment ended with status %d", status)
			}
			if lab.Count(": claim holds", run) != 1 {
				t.Error("there is no such verdict")
			}
		})
	}
}

// drive clicks on Next whenever a story waits, and on End when it is over, as
// a page would.
func drive(t *testing.T, url string) {
	t.Helper()
	base, query, _ := strings.Cut(url, "/?")
	r, err := http.NewRequestWithContext(t.Context(), "GET",
		base+"/events?tab=me&"+query, nil)
	labtest.Must(t, err)
	answer, err := http.DefaultClient.Do(r)
	labtest.Must(t, err)
	defer answer.Body.Close()
	click := func(what string) {
		status, text := ask(t, "POST", base+"/click?"+query, what,
			map[string]string{"Origin": base})
		if status != 200 {
			t.Errorf("%s: %s", what, text)
		}
	}
	asked := regexp.MustCompile(`"asked":(\d+).*"waits":true`)
	last := ""
	events := bufio.NewReader(answer.Body)
	for {
		line, err := events.ReadString('\n')
		if err != nil {
			t.Fatalf("the events end before the story does: %v", err)
		}
		if n := asked.FindStringSubmatch(line); n != nil && n[1] != last {
			last = n[1]
			click(`{"tab":"me","do":"next","asked":` + last + `}`)
		}
		if strings.Contains(line, `"kind":"over"`) {
			click(`{"tab":"me","do":"end"}`)
			return
		}
	}
}
