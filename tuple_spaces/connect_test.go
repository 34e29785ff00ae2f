package tuplespaces_test

import (
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// A server with -curve serves those who have its key, and nobody else.
func TestCurve(t *testing.T) {
	l := labtest.New(t)
	address := l.Address()
	server := l.StartEnv([]string{
		"DISTSYS_CURVE=" + filepath.Join(t.TempDir(), "curve.key")},
		"tuple_spaces/server", "-curve", "-bind", address)
	_, key, _ := strings.Cut(server.WaitFor("-key '"), "-key '")
	key = strings.TrimSuffix(key, "'")
	server.WaitFor("listening")

	stranger := l.Start("tuple_spaces/client", "-connect", address, "write",
		"forged", "1")
	stranger.WaitFor("no reply")
	for _, operation := range []string{"write", "take"} {
		client := l.Start("tuple_spaces/client", "-connect", address, "-key",
			key, operation, "fac", "5")
		if status := client.Wait(); status != 0 {
			t.Errorf("%s with the key: status %d", operation, status)
		}
	}
	stranger.Stop()
	if n := lab.Count("forged", server); n > 0 {
		t.Errorf("the stranger was served: %s", server.Text())
	}
}

// The address that is printed is the real one, and IPv6 is one as well.
func TestAddresses(t *testing.T) {
	l := labtest.New(t)
	for _, bind := range []string{"tcp://127.0.0.1:*", "tcp://[::1]:*"} {
		server := l.Start("tuple_spaces/server", "-bind", bind)
		_, address, _ := strings.Cut(server.WaitFor("listening on "), " on ")
		client := l.Start("tuple_spaces/client", "-connect", address, "write",
			"fac", "5")
		if client.Wait() != 0 || strings.Contains(address, "*") {
			t.Errorf("%s is %q: %s", bind, address, client.Text())
		}
	}
}
