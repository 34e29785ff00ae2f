package cli

import (
	"context"
	"time"
)

// Sleep lets time pass, and returns the context's error where that ends
// first: unlike time.Sleep it does not keep a program from stopping.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
