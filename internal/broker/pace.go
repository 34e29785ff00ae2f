package broker

import (
	"context"
	"time"
)

// Pace returns a function that waits until the next message is due: the first
// at once, and each other one when an interval has passed since the one
// before was. It fails when ctx ends, and so as soon as the broker is lost.
func Pace(ctx context.Context, interval time.Duration) (due func() error) {
	next := time.After(0)
	return func() error {
		if interval <= 0 {
			return ctx.Err()
		}
		select {
		case <-next:
			next = time.After(interval)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
