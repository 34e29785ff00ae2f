package stage

import (
	"context"
	"net/http"
	"time"

	"distsys/internal/lab/record"
)

// Serve serves pages to the browsers of this machine, behind a gate as that
// of a stage, on the port given or on a free one. It returns the address, and
// what ends it.
func Serve(port int, pages http.Handler) (url string, end func(), err error) {
	listener, err := listen(port)
	if err != nil {
		return "", nil, err
	}
	g := newGate(listener.Addr().String())
	server := &http.Server{Handler: g.guard(pages),
		ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	return g.url(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}, nil
}

// Replay returns the page that replays a record.
func Replay(events []record.Event, source Source) http.Handler {
	frames := Frames(events, source)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		showPage(w, frames)
	})
}
