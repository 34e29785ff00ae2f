//go:build race

package lab

// raceDetector: what the race detector watches starts programs that it
// watches too.
const raceDetector = true
