package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"distsys/internal/local"
)

// Whoever asks at the same time is given different numbers, and ports; even
// those that ask much later, before anybody listens on what the first were
// given.
func TestTurn(t *testing.T) {
	cacheIn(t, t.TempDir())
	const n, askers = 500, 20
	var mu sync.Mutex
	turns, ports := map[int]bool{}, map[int]bool{}
	var all sync.WaitGroup
	for range askers {
		all.Add(1)
		go func() {
			defer all.Done()
			for range n / askers {
				turn, port := local.Turn("test", n), local.FreePort()
				if turn < 0 || turn >= n || port < 20_000 || port >= 32_768 {
					t.Errorf("turn %d, port %d", turn, port)
				}
				mu.Lock()
				turns[turn], ports[port] = true, true
				mu.Unlock()
			}
		}()
	}
	all.Wait()
	if len(turns) != n || len(ports) != n {
		t.Errorf("%d turns and %d ports, of %d", len(turns), len(ports), n)
	}
}

// Whatever is in the place of the file, or none at all, there is a number.
func TestTurnWithoutFile(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"nonsense", "-5", "999999999999999999999", ""} {
		cacheIn(t, dir)
		local.Turn("test", 10)
		cache, err := os.UserCacheDir()
		must(t, err)
		must(t, os.WriteFile(filepath.Join(cache, "distsys", "test"),
			[]byte(text), 0o600))
		first := local.Turn("test", 10)
		if second := local.Turn("test", 10); first < 0 || first > 9 ||
			second != (first+1)%10 {
			t.Errorf("after %q: %d, %d", text, first, second)
		}
	}
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	cacheIn(t, file)
	if turn := local.Turn("test", 10); turn < 0 || turn > 9 {
		t.Errorf("without a folder: %d", turn)
	}
}

// cacheIn puts the user's cache into a folder.
func cacheIn(t *testing.T, dir string) {
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("HOME", dir) // macOS
}
