package stage_test

import (
	"testing"
)

// An experiment on the stage, from its first step to its verdict, by the
// lecturer's clicks.
func TestExperimentOnTheStage(t *testing.T) {
	p := perform(t, "pipeline/run", "worker-crash")
	p.until("server.waits")
	p.shot("/tmp/w/recs/live1.png")
	p.press(" ")
	p.until("server.asked == 2 && server.waits")
	p.shot("/tmp/w/recs/live2.png")
	p.goOn()
	p.until("model.verdict")
	p.shot("/tmp/w/recs/live3.png")
	p.end()
	p.shot("/tmp/w/recs/live4.png")
}
