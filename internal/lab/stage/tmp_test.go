package stage_test

import "testing"

func TestTmp(t *testing.T) {
	p := replay(t, read(t, "/tmp/w/recs/pipeline-worker-crash.jsonl"))
	p.shot("/tmp/w/recs/tmp.png")
}
