package tuplespace

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkJournal has clients write a tuple and take it, from a server with a
// journal and from one without. Beside it is how long the disk takes to
// confirm as many bytes as a request leaves in the journal.
func BenchmarkJournal(b *testing.B) {
	const turns = 50
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			each := max(10, 500/clients)
			servers := []*process{server(b, "space"), server(b, "space",
				"journal="+filepath.Join(b.TempDir(), "journal"))}
			crowds := make([][]*process, len(servers))
			for i, s := range servers {
				for n := range clients {
					crowds[i] = append(crowds[i], begin(b, "client", s.address,
						fmt.Sprint(4711+n)))
				}
			}
			rates := takeTurns(crowds, turns, each)
			without, with := median(rates[0]), median(rates[1])
			b.ReportMetric(without, "pairs/s")
			b.ReportMetric(with, "journal-pairs/s")
			b.ReportMetric(with/without, "journal/none")
			b.ReportMetric(float64(diskTakes(b)), "fsync-ns")
			b.ReportMetric(0, "ns/op") // would count the processes' start
		})
	}
}

// diskTakes returns how long the disk takes to confirm a record.
func diskTakes(b *testing.B) time.Duration {
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	must(b, err)
	defer file.Close()
	took := make([]time.Duration, 200)
	for i := range took {
		begun := time.Now()
		_, err := file.WriteString(writeText)
		must(b, err)
		must(b, file.Sync())
		took[i] = time.Since(begun)
	}
	return median(took)
}

// BenchmarkRecovery reads a journal of a million tuples, which were written
// one at a time and have not been compacted. Its file is compared with the
// tuples' text.
func BenchmarkRecovery(b *testing.B) {
	const n = 1_000_000
	path := filepath.Join(b.TempDir(), "journal")
	text := fmt.Appendf(nil, "%s%d\n", journalMagic, journalVersion)
	length := 0
	for i := range n {
		t := newTuple(b, fmt.Sprintf(`["fac",%d]`, i))
		t.age = uint64(i + 1)
		length += len(t.text)
		text = appendRecord(text, []change{{op: "write", tuples: []*entry{t},
			client: "master 4711/ABCDEFGHIJKLMNOP", seq: int64(i)}})
	}
	must(b, os.WriteFile(path, text, 0o600))
	for b.Loop() {
		s, _, err := unserved(path)
		must(b, err)
		if s.Len() != n {
			b.Fatal(s.Len())
		}
		must(b, s.journal.close())
		must(b, os.WriteFile(path, text, 0o600))
	}
	size, err := recoveredSize(path)
	must(b, err)
	b.ReportMetric(float64(len(text))/float64(length), "file/text")
	b.ReportMetric(float64(size)/float64(length), "compacted-file/text")
}

// recoveredSize returns how long a journal is after compaction.
func recoveredSize(path string) (int64, error) {
	s, _, err := unserved(path)
	if err != nil {
		return 0, err
	}
	return s.journal.size, s.journal.close()
}
