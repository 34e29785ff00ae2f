package tuplespaces_test

import (
	"testing"

	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

// The server does the same with the space that only searches a list.
func TestSimpleServer(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	address := l.Address()
	s := l.Start(server, "-bind", address, "-simple")
	s.WaitFor("searches a list")
	for _, args := range [][]string{{"write", "fac", "5"},
		{"read", "fac", "?int"}, {"take", "fac", "5"}} {
		c := l.Start(client, append([]string{"-connect", address}, args...)...)
		if c.Wait() != 0 || lab.Count(args[0]+` ["fac",5]`, c) != 1 {
			t.Errorf("%q ends with %q", args, c.Text())
		}
	}
	labtest.StopsAtOnce(t, s)
}
