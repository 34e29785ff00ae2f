package lab

import (
	"strconv"
	"strings"
)

// Count returns how many lines the processes have printed that hold text.
func Count(text string, processes ...*Process) int {
	if len(processes) == 0 {
		return 0
	}
	l := processes[0].lab
	l.mu.Lock()
	defer l.mu.Unlock()
	return count(text, processes)
}

func count(text string, processes []*Process) (n int) {
	for _, p := range processes {
		for _, line := range p.lines {
			if strings.Contains(line, text) {
				n++
			}
		}
	}
	return n
}

// Numbers returns how often the processes have printed each number that
// follows text, such as those of "handled order 7 worth 17" after "handled
// order ".
func Numbers(text string, processes ...*Process) map[int]int {
	if len(processes) == 0 {
		return nil
	}
	l := processes[0].lab
	l.mu.Lock()
	defer l.mu.Unlock()
	return numbers(text, processes)
}

func numbers(text string, processes []*Process) map[int]int {
	times := map[int]int{}
	for _, p := range processes {
		for _, line := range p.lines {
			if number, ok := Number(text, line); ok {
				times[number]++
			}
		}
	}
	return times
}

// Number returns the number that follows text in a line.
func Number(text, line string) (number int, ok bool) {
	_, rest, found := strings.Cut(line, text)
	if !found {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool {
		return r < '0' || r > '9'
	})
	if end < 0 {
		end = len(rest)
	}
	number, err := strconv.Atoi(rest[:end])
	return number, err == nil
}

// Missing returns how many of the numbers in all are not in some.
func Missing(all, some map[int]int) (missing int) {
	for number := range all {
		if some[number] == 0 {
			missing++
		}
	}
	return missing
}
