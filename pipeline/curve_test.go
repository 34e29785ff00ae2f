package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// A pipeline whose ends all have a key works; a worker without it gets
// nothing, and says why that may be.
func TestCurvePipeline(t *testing.T) {
	l := labtest.New(t)
	env := []string{"DISTSYS_CURVE=" + filepath.Join(t.TempDir(), "key")}
	source, sink := l.Address(), l.Address()
	collector := l.StartEnv(env, "pipeline/sink", "-curve", "-bind", sink,
		"-count", "3")
	_, key, _ := strings.Cut(collector.WaitFor("-key '"), "-key '")
	key = strings.TrimSuffix(key, "'")
	pusher := l.StartEnv(env, "pipeline/pusher", "-curve", "-bind", source,
		"-count", "3", "-interval", "0")
	pusher.WaitFor("listening")

	stranger := l.Start("pipeline/worker", "-connect", source, "-sink", sink,
		"-work", "0", "stranger")
	stranger.WaitFor("does not let us in")
	worker := l.Start("pipeline/worker", "-connect", source, "-sink", sink,
		"-work", "0", "-key", key, "1")
	if pusher.Wait() != 0 || collector.Wait() != 0 {
		t.Error("the pipeline does not end by itself")
	}
	if !strings.Contains(collector.Text(), "total: 3") ||
		strings.Contains(stranger.Text(), "received") {
		t.Errorf("%s\n%s\n%s", collector.Text(), stranger.Text(), worker.Text())
	}
}
