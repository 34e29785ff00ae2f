package cli

import (
	"context"
	"io"
)

// CloseOnStop closes c when the program is told to stop. A read or write that
// waits then returns with an error.
func CloseOnStop(ctx context.Context, c io.Closer) {
	context.AfterFunc(ctx, func() { c.Close() })
}
