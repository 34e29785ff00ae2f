package requestreply_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// The key pair is made once, and is nobody else's to read; a server that is
// started again has the same. A file that holds no key is said to be one, and
// is not overwritten.
func TestKeyPairIsKept(t *testing.T) {
	l := labtest.New(t)
	file := filepath.Join(t.TempDir(), "folder", "curve.key")
	env := []string{"DISTSYS_CURVE=" + file}
	keys := map[string]bool{}
	for range 2 {
		server := l.StartEnv(env, "request_reply/server", "-curve", "-bind",
			l.Address())
		keys[strings.SplitAfter(server.WaitFor("-key '"), "-key ")[1]] = true
		server.WaitFor("listening")
		server.Stop()
	}
	if len(keys) != 1 {
		t.Errorf("two starts, the keys %v", keys)
	}
	info, err := os.Stat(file)
	labtest.Must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable: %v", info.Mode())
	}

	labtest.Must(t, os.WriteFile(file, []byte("precious"), 0o600))
	server := l.StartEnv(env, "request_reply/server", "-curve")
	if status := server.Wait(); status != 1 || len(server.Stderr()) != 1 ||
		!strings.Contains(server.Text(), "does not hold a key") {
		t.Errorf("status %d, %q", status, server.Text())
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "precious" {
		t.Errorf("it is %q now, %v", text, err)
	}
}

func TestBadKeys(t *testing.T) {
	for _, key := range []string{"short", strings.Repeat("x", 41),
		strings.Repeat("\"", 40)} {
		labtest.Refused(t, "request_reply/client", []string{"-key", key}, "-key")
	}
}
