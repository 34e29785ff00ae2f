package labtest

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"distsys/internal/lab"
)

// TakesACrowd freezes a server, and has 500 peers connect to it meanwhile: a
// busy server is as slow for a moment. The system takes as many connections
// for it as it has asked for (its backlog); the others would have to try
// again, after a second and more.
func TakesACrowd(t *testing.T, server *lab.Process, address string) {
	t.Helper()
	peers := 500
	limit, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if n, _ := strconv.Atoi(strings.TrimSpace(string(limit))); n < peers {
		t.Skipf("this system lets no server ask for more than %d (%v)", n, err)
	}
	server.Freeze()
	defer server.Thaw()
	for i := range peers {
		// As long as the queue has room this takes no time at all. A first
		// try is repeated after a second.
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(address,
			"tcp://"), lab.Patience/4)
		if err != nil {
			t.Fatalf("peer %d: %v", i, err)
		}
		defer conn.Close()
	}
}
