package suite

import (
	"os"
	"slices"
	"strings"
	"testing"

	"distsys/internal/lab/labtest"
)

// A sample, beside those that the READMEs show, which their transcripts test:
// the experiment holds, and breaks without the line. make claims WITHOUT=1
// tries them all.
var sample = [][3]string{
	{"go_basics/sockets", "byte-stream", "chunk"},
	{"publish_subscribe", "subscriber-crash", "after"},
	{"publish_subscribe", "routing", "topic"},
	{"tuple_spaces/event_example", "fall-behind", "look"},
}

// The patterns with experiments.
func patterns(t *testing.T) (all []string) {
	for _, program := range programs(t) {
		pattern, ok := strings.CutSuffix(program, "/run")
		if ok && !strings.HasPrefix(program, "internal/") &&
			pattern != "go_basics/ipc" &&
			pattern != "tuple_spaces/worker_example" {
			all = append(all, pattern)
		}
	}
	return all
}

// Every experiment names at least one line that makes it true, or says why
// there is none. Each of these lines is there exactly once, and the programs
// compile without it.
func TestEveryLineThatIsLeftOut(t *testing.T) {
	for _, pattern := range patterns(t) {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			check := labtest.New(t).Start(pattern+"/run", "-without", "check")
			if status := check.Wait(); status != 0 {
				t.Errorf("status %d: %s", status, check.Text())
			}
		})
	}
}

func TestWithout(t *testing.T) {
	for _, s := range sample {
		pattern, name, without := s[0], s[1], s[2]
		if os.Getenv("SKIP_RABBITMQ") != "" &&
			slices.Contains(rabbitmq, pattern) {
			t.Log("SKIP_RABBITMQ is set, so not tested:", s)
			continue
		}
		t.Run(strings.Join(s[:], " "), func(t *testing.T) {
			t.Parallel()
			o := labtest.New(t).TryWithout(pattern, name, without)
			if !o.Holds {
				t.Errorf("the claim does not break: %s", o.Counted)
			}
		})
	}
}
