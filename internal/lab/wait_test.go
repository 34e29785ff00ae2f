package lab

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// Who waits in vain is told which program has failed: as a rule, one that was
// to print what is waited for, or to send it.
func TestWaitInVain(t *testing.T) {
	defer func(d time.Duration) { Patience = d }(Patience)
	err := Do(context.Background(), io.Discard, func(l *Lab) {
		l.Start("go_basics/channels", "-no-such-flag").Wait()
		Patience = time.Millisecond
		l.WaitForCount("received", 1)
	})
	if err == nil ||
		!strings.Contains(err.Error(), `lines with "received"; channels `) ||
		!strings.HasSuffix(err.Error(), " had ended (status 1)") {
		t.Errorf("it ends with %v", err)
	}
}
