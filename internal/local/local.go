// Package local is what a program that starts others asks of the machine.
package local

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// FreePort returns a port of 127.0.0.1 that nobody listens on, below 32768,
// where no outgoing connection can be given it meanwhile. Nobody else who asks
// is given the same one, until some thousands have been given.
func FreePort() int {
	for {
		port := 23_000 + Turn("port", 7_000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			listener.Close()
			return port
		}
	}
}

// Turn counts, for all programs of a user on this machine: it returns a number
// below n, and the next one the next time that anybody asks by that name.
// Where there is no file to count in, it returns any number.
func Turn(name string, n int) int {
	turn := rand.IntN(n)
	dir, err := os.UserCacheDir()
	if err != nil {
		return turn
	}
	dir = filepath.Join(dir, "distsys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return turn
	}
	file, err := os.OpenFile(filepath.Join(dir, name),
		os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return turn
	}
	defer file.Close() // which unlocks it
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return turn
	}
	text := make([]byte, 20)
	length, _ := file.ReadAt(text, 0)
	last, err := strconv.Atoi(strings.TrimSpace(string(text[:length])))
	if err == nil && last >= 0 {
		turn = (last + 1) % n
	}
	if err := file.Truncate(0); err != nil {
		return turn
	}
	fmt.Fprint(file, turn) // if there is no room, the next one is any
	return turn
}
