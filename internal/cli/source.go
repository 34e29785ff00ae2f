package cli

import (
	"log"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A lab that keeps a record wants to know which line of a program has printed
// what, and at which line the program is. It asks by these variables.
const (
	stampVar = "DISTSYS_STAMP"
	atVar    = "DISTSYS_AT"
	everyAt  = 50 * time.Millisecond // a look takes some 40 microseconds
)

// showSource does what these variables ask. The program is named by its
// folder.
func showSource(folder string) {
	if os.Getenv(stampVar) != "" {
		log.SetFlags(log.LUTC | log.Lmicroseconds | log.Llongfile |
			log.Lmsgprefix)
	}
	fd, err := strconv.Atoi(os.Getenv(atVar))
	if err != nil {
		return
	}
	// It is not meant for a child of this program.
	os.Unsetenv(atVar)
	syscall.CloseOnExec(fd)
	go tellPlace(os.NewFile(uintptr(fd), "place"), "/"+folder+"/")
}

// tellPlace writes at which line of its own folder the main goroutine is,
// each time that this has changed.
func tellPlace(out *os.File, folder string) {
	stacks := make([]byte, 64<<10)
	last := ""
	pause := everyAt
	for {
		time.Sleep(pause)
		// A program that waits is looked at less and less often.
		pause = min(2*pause, 8*everyAt)
		n := runtime.Stack(stacks, true)
		place := mainPlace(string(stacks[:n]), folder)
		if place == "" || place == last {
			continue
		}
		last, pause = place, everyAt
		if _, err := out.WriteString(place + "\n"); err != nil {
			return // nobody reads it any more
		}
	}
}

// mainPlace returns the file and line that the main goroutine is at, in the
// innermost function that is in the folder: of the stacks of all goroutines,
// the one with number 1.
func mainPlace(stacks, folder string) string {
	for _, stack := range strings.Split(stacks, "\n\n") {
		if !strings.HasPrefix(stack, "goroutine 1 ") {
			continue
		}
		for _, line := range strings.Split(stack, "\n") {
			if strings.HasPrefix(line, "\t") && strings.Contains(line, folder) {
				line, _, _ = strings.Cut(line, " +0x")
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}
