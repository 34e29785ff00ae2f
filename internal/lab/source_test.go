package lab

import (
	"testing"
	"time"
)

// A line's time of day has no date: it is the one that is nearest to now.
func TestTimeAroundMidnight(t *testing.T) {
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	clock := func(text string) time.Time {
		c, err := time.Parse("15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		begun, now time.Time
		printed    string
		want       time.Duration
	}{
		{day.Add(time.Hour), day.Add(time.Hour + 5*time.Second), "01:00:03",
			3 * time.Second},
		{day.Add(-10 * time.Second), day.Add(time.Second), "23:59:55",
			5 * time.Second}, // read after midnight, printed before
		{day.Add(-10 * time.Second), day.Add(-time.Millisecond), "00:00:00",
			10 * time.Second}, // the lab's look at the clock was before
		{day.Add(-10 * time.Second), day.Add(2 * time.Second), "00:00:01",
			11 * time.Second},
	} {
		l := &Lab{begun: c.begun}
		if got := l.since(clock(c.printed), c.now); got != c.want {
			t.Errorf("begun %v, now %v, printed %s: %v", c.begun, c.now,
				c.printed, got)
		}
	}
}

func TestUnstamp(t *testing.T) {
	l := &Lab{begun: time.Now(), sources: true, bin: &bin{root: "/suite"}}
	at, source, text := l.unstamp("23:04:05.000001 " +
		"/suite/pipeline/worker/main.go:70: worker 1: a: b")
	if at == 0 || source != "pipeline/worker/main.go:70" ||
		text != "worker 1: a: b" {
		t.Errorf("%v, %q, %q", at, source, text)
	}
	// A client's bare reply has no stamp; its time is that of reading.
	at, source, text = l.unstamp("12:30 hello!")
	if at != 0 || source != "" || text != "12:30 hello!" {
		t.Errorf("%v, %q, %q", at, source, text)
	}
}
