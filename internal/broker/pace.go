package broker

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Pace returns a function that waits until the next message is due: the first
// at once, and each other one when an interval has passed since the one
// before was. It fails when ctx ends, and with amqp.ErrClosed when the channel
// is closed: a publisher that pauses learns at once that the broker is gone.
func Pace(ctx context.Context, channel *amqp.Channel,
	interval time.Duration) (due func() error) {
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	next := time.After(0)
	return func() error {
		if interval <= 0 {
			return ctx.Err()
		}
		select {
		case <-next:
			next = time.After(interval)
			return nil
		case <-closed:
			return amqp.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
