package main

import (
	"flag"

	"distsys/internal/lab"
)

var beside = flag.Bool("pipeline", false,
	"first run the pipeline's experiment of that name, to compare")

// alone is for stories and experiments that have no counterpart in the pipeline.
func alone(tell func(*lab.Lab)) func(*lab.Lab) {
	return func(l *lab.Lab) {
		if *beside {
			l.Fail("-pipeline goes with slow-worker or worker-crash")
		}
		tell(l)
	}
}

// besidePipeline first runs the pipeline's experiment of the same name, if
// -pipeline asks for it, so that both verdicts stand one below the other.
func besidePipeline(l *lab.Lab, experiment string) {
	if !*beside {
		return
	}
	run := l.Start("pipeline/run", experiment)
	if run.Wait() != 0 {
		l.Fail("the pipeline's experiment failed")
	}
	lines := run.Lines()
	l.Beside(lines[len(lines)-1] + " (pipeline)")
}
