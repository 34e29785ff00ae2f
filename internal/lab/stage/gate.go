package stage

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// A gate lets in only who has the token, from this machine, from the stage's
// own page. A page can kill processes: no other page in the same browser may
// do that, nor one that has been given this machine's address under another
// name.
type gate struct {
	address string
	token   string
}

func newGate(address string) gate { return gate{address, newToken()} }

func (g gate) url() string {
	return "http://" + g.address + "/?token=" + g.token
}

// guard refuses, with one line, whoever is not to come in.
func (g gate) guard(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := g.refusal(r); why != "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, why)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "same-origin") // the URL has the token
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		inner.ServeHTTP(w, r)
	})
}

// refusal returns why a request is refused, or "".
func (g gate) refusal(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return "refused: not from this machine"
	}
	_, port, _ := net.SplitHostPort(g.address)
	if r.Host != g.address && r.Host != "localhost:"+port {
		return "refused: the page is at " + g.address +
			", and has no other name"
	}
	origin := r.Header.Get("Origin")
	if origin == "" && r.Method != http.MethodGet {
		return "refused: only the stage's own page has buttons"
	}
	if origin != "" && origin != "http://"+r.Host {
		return "refused: another page has asked for this"
	}
	given := r.URL.Query().Get("token")
	if given == "" {
		return "refused: open the whole address that the program has " +
			"printed, with its token"
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(g.token)) != 1 {
		return "refused: that is the token of another run; open the address " +
			"that the program has printed"
	}
	if strings.HasPrefix(r.URL.Path, "//") {
		return "refused: no such page"
	}
	return ""
}
