// Package stage shows a story in the lecturer's browser: what the real
// programs do while they do it, with buttons that do something to them. A
// Stage is a Screen with a web server; its page draws, and the marks that it
// draws are those of package arrows.
package stage

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"distsys/internal/lab/record"
	"distsys/internal/local"
)

// Hands are what the page's buttons do; the lab has them.
type Hands interface {
	// Act does something to a process: kill, freeze, go on, stop, another.
	Act(what string, process int) error
	// Press presses one of the buttons of the scene, which Offer has named.
	Press(button string) error
}

// A Stage shows what happens in a lab on a page, which it serves.
type Stage struct {
	gate gate
	http *http.Server
	log  log

	mu      sync.Mutex
	hands   Hands
	inbox   []record.Event
	began   time.Time // the story
	closed  bool
	filled  chan bool // the inbox was filled, or the stage closed
	drained chan bool // all that was in the inbox is in the log

	asked   int  // how often the story has waited for Next
	waiting bool // it does so now
	next    chan bool
	ended   chan bool // closed by End
	end     sync.Once
	leader  string // the tab whose buttons work
}

// Open opens a stage on a free port of this machine, or on the port given if
// that is not 0.
func Open(port int, source Source) (*Stage, error) {
	listener, err := listen(port)
	if err != nil {
		return nil, err
	}
	s := &Stage{next: make(chan bool, 1),
		ended: make(chan bool), drained: make(chan bool),
		filled: make(chan bool, 1)}
	s.log.init()
	s.gate = newGate(listener.Addr().String())
	s.http = &http.Server{Handler: s.gate.guard(s.routes()),
		ReadHeaderTimeout: 5 * time.Second}
	go s.http.Serve(listener)
	go s.derive(source)
	return s, nil
}

// listen listens on loopback, and nowhere else.
func listen(port int) (net.Listener, error) {
	if port != 0 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return nil, fmt.Errorf("the stage's page: %w", err)
		}
		return listener, nil
	}
	for { // another program may be quicker
		listener, err := net.Listen("tcp",
			"127.0.0.1:"+strconv.Itoa(local.FreePort()))
		if err == nil {
			return listener, nil
		}
	}
}

// Give gives the buttons to a lab.
func (s *Stage) Give(hands Hands) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hands = hands
}

// URL returns the address of the page.
func (s *Stage) URL() string { return s.gate.url() }

// Show shows an event. It only notes it: nothing that a browser does, or does
// not do, keeps the programs waiting.
func (s *Stage) Show(e record.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Kind == record.Begin {
		s.began = time.Now().Add(-e.Time)
	}
	if !s.closed {
		s.inbox = append(s.inbox, e)
		s.wake()
	}
}

// derive makes frames of the events, until the stage is closed.
func (s *Stage) derive(source Source) {
	defer close(s.drained)
	frames := newFramer(source, true)
	pause := time.NewTimer(0)
	for {
		s.mu.Lock()
		events, closed := s.inbox, s.closed
		s.inbox = nil
		s.mu.Unlock()
		if len(events) > 0 {
			for _, frame := range frames.add(events) {
				s.log.add(frame)
			}
		}
		if closed {
			return
		}
		pause.Reset(100 * time.Millisecond)
		select {
		case <-s.filled:
		case <-pause.C:
			for _, frame := range frames.pause() {
				s.log.add(frame)
			}
			<-s.filled
		}
	}
}

// wake has derive look at the inbox.
func (s *Stage) wake() {
	select {
	case s.filled <- true:
	default: // it is about to look
	}
}

// Offer has the page show buttons of the scene, such as "stop the broker", in
// place of those that it has shown.
func (s *Stage) Offer(buttons []string) {
	s.log.add(Frame{Buttons: &buttons})
}

// Wait waits until the lecturer has clicked on Next, or the context ends. It
// calls tell when the story waits, and when it goes on.
func (s *Stage) Wait(ctx context.Context, tell func(waits bool)) {
	s.mu.Lock()
	s.asked++
	s.waiting = true
	s.mu.Unlock()
	tell(true)
	s.log.touch()
	select {
	case <-s.next:
	case <-ctx.Done():
		s.mu.Lock()
		if !s.waiting { // it was clicked on just now
			<-s.next
		}
		s.waiting = false
		s.mu.Unlock()
	}
	tell(false)
	s.log.touch()
}

// goOn is a click on Next. It counts only if the story waits for it, for the
// time that the page believes it does: nobody skips a step by clicking twice.
func (s *Stage) goOn(time int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting || time != s.asked {
		return errors.New("the story does not wait for that")
	}
	s.waiting = false
	s.next <- true
	return nil
}

// WaitForEnd waits until the lecturer has clicked on End, or the context
// ends.
func (s *Stage) WaitForEnd(ctx context.Context) {
	select {
	case <-s.ended:
	case <-ctx.Done():
	}
}

// Ended says whether the lecturer has clicked on End.
func (s *Stage) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Close ends the stage: the page keeps what it shows, but its buttons do
// nothing any more.
func (s *Stage) Close() {
	s.mu.Lock()
	s.closed = true
	s.wake()
	s.mu.Unlock()
	<-s.drained
	s.log.add(Frame{Closed: true})
	s.log.close()
	// Whoever still reads is given a moment to read the end.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

// newToken returns a word that nobody can guess.
func newToken() string { return rand.Text() }

// A log is the frames so far, as JSON. Every page reads it at its own pace:
// one that does not read slows nobody down.
type log struct {
	mu     sync.Mutex
	frames [][]byte
	first  int // the number of frames[0]: older ones were dropped
	size   int // in bytes
	closed bool
	grown  chan bool // closed, and made anew, when the log has grown
}

// maxLog is how much of a log is kept, in bytes: hours of free play.
const maxLog = 64 << 20

func (l *log) init() { l.grown = make(chan bool) }

func (l *log) add(f Frame) {
	text, err := json.Marshal(f)
	if err != nil {
		return // a frame has nothing that cannot be written
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, text)
	l.size += len(text)
	for l.size > maxLog {
		l.size -= len(l.frames[0])
		l.frames[0] = nil
		l.frames = l.frames[1:]
		l.first++
	}
	close(l.grown)
	l.grown = make(chan bool)
}

func (l *log) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.touch()
}

// touch has every page look at the log again.
func (l *log) touch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.grown)
	l.grown = make(chan bool)
}

// from returns the frames from a number on, and their first number; and a
// channel that is closed when there are more.
func (l *log) from(number int) (frames [][]byte, first int, more <-chan bool,
	closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number = max(number, l.first)
	if number < l.first+len(l.frames) {
		frames = l.frames[number-l.first:]
	}
	return frames, number, l.grown, l.closed
}
