package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// patience is how long a page may take to read what it is sent.
const patience = 5 * time.Second

// routes are the stage's addresses. The gate stands in front of them.
func (s *Stage) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		showPage(w, nil)
	})
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /click", s.click)
	return mux
}

// showPage answers with the page.
func showPage(w http.ResponseWriter, replay []Frame) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; "+
		"script-src 'unsafe-inline'; style-src 'unsafe-inline'; "+
		"connect-src 'self'; img-src data: blob:; "+
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	writePage(w, replay) // an error: nobody reads it any more
}

// events sends the log from its beginning, or from where a page that was
// interrupted has left off, and then whatever is added to it.
func (s *Stage) events(w http.ResponseWriter, r *http.Request) {
	number := 0
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		n, err := strconv.Atoi(last)
		if err == nil && n >= 0 {
			number = n + 1
		}
	}
	tab := r.URL.Query().Get("tab")
	s.mu.Lock()
	if s.leader == "" {
		s.leader = tab
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	// A page that does not read is dropped.
	send := func(text string) error {
		err := out.SetWriteDeadline(time.Now().Add(patience))
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err == nil {
			err = out.Flush()
		}
		return err
	}
	if send("retry: 500\ndata: {\"live\":true}\n\n") != nil {
		return
	}
	said := ""
	alive := time.NewTicker(10 * time.Second)
	defer alive.Stop()
	for {
		frames, first, more, closed := s.log.from(number)
		text := ""
		if now := s.state(tab); now != said {
			said = now
			text = fmt.Sprintf("event: state\ndata: {\"now\":%d,%s\n\n",
				s.now().Milliseconds(), now[1:])
		}
		for i, frame := range frames {
			text += fmt.Sprintf("id: %d\ndata: %s\n\n", first+i, frame)
			if len(text) > 1<<18 {
				if send(text) != nil {
					return
				}
				text = ""
			}
		}
		number = first + len(frames)
		if text != "" && send(text) != nil {
			return
		}
		if closed {
			return
		}
		select {
		case <-more:
		case <-alive.C: // is anybody there?
			if send(": still here\n\n") != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// state is what a page is told of itself: whether its buttons work, and what
// to say when the story waits for Next.
func (s *Stage) state(tab string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := json.Marshal(map[string]any{"leads": s.leader == tab,
		"waits": s.waiting, "asked": s.asked})
	if err != nil {
		panic(err) // it can be written
	}
	return string(text)
}

// now is how long the story has gone on.
func (s *Stage) now() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		return 0
	}
	return time.Since(s.began)
}

// A click is what a page asks for.
type click struct {
	Tab     string
	Do      string // next, end, lead, press, or what Act knows
	Process int
	Button  string // to press
	Asked   int    // the time that the story waits for Next
}

// click does what a button asks for. It answers with one line that says why
// not, if it was not done.
func (s *Stage) click(w http.ResponseWriter, r *http.Request) {
	var c click
	body := http.MaxBytesReader(w, r.Body, 1<<10)
	err := json.NewDecoder(body).Decode(&c)
	if err != nil {
		http.Error(w, "refused: not a click", http.StatusBadRequest)
		return
	}
	if err := s.do(c); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

func (s *Stage) do(c click) error {
	s.mu.Lock()
	if c.Do == "lead" {
		s.leader = c.Tab
	}
	leads := s.leader == c.Tab && c.Tab != ""
	closed, hands := s.closed, s.hands
	s.mu.Unlock()
	switch {
	case closed || hands == nil:
		return errors.New("the stage has closed")
	case !leads:
		return errors.New("this tab only watches; another one has the buttons")
	case c.Do == "lead":
		s.log.touch()
	case c.Do == "next":
		return s.goOn(c.Asked)
	case c.Do == "end":
		s.end.Do(func() { close(s.ended) })
	case c.Do == "press":
		return hands.Press(c.Button)
	default:
		return hands.Act(c.Do, c.Process)
	}
	return nil
}
