package broker

import (
	"context"
	"errors"
	"fmt"
	"log"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Unacknowledged says what a queue does with messages that nobody has
// acknowledged: they come back, but not for ever. Without a queue for dead
// letters, the queue itself ends with its consumer, and they with it.
type Unacknowledged struct {
	Noun        string // what the messages are, such as orders
	Limit       int    // how often one may come back: x-delivery-limit
	DeadLetters string // the queue for those that came back too often
}

// PrintDeadLetters prints how many messages have been set aside, if any.
func (u Unacknowledged) PrintDeadLetters(channel *amqp.Channel) error {
	if u.DeadLetters == "" {
		return nil
	}
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	dead, err := channel.QueueDeclarePassive(u.DeadLetters, durable,
		autoDelete, exclusive, noWait, nil)
	if err != nil {
		return fmt.Errorf("look at queue %s: %w", u.DeadLetters, err)
	}
	if dead.Messages > 0 {
		log.Printf("set aside before, in %s: %d %s", u.DeadLetters,
			dead.Messages, u.Noun)
	}
	return nil
}

// PrintReturned prints what becomes of the messages that a consumer holds if
// Ctrl-C has stopped it. current is the delivery that it was working on, and
// name what to call it; held has those that it has not begun with, or is nil.
func (u Unacknowledged) PrintReturned(ctx context.Context, name any,
	current amqp.Delivery, held <-chan amqp.Delivery) {
	var closed *amqp.Error
	if ctx.Err() == nil || errors.As(context.Cause(ctx), &closed) {
		return // it is not Ctrl-C, and KeepConnected says what it is
	}
	if u.DeadLetters == "" {
		log.Printf("%v is gone, and its queue with it", name)
		return
	}
	if u.isLast(current) {
		log.Printf("%v came back too often: set aside, in %s", name,
			u.DeadLetters)
	} else {
		log.Printf("%v goes back to the queue", name)
	}
	if held == nil {
		return
	}
	back, aside := 0, 0
	for delivery := range held { // which ends, since the context has ended
		if u.isLast(delivery) {
			aside++
		} else {
			back++
		}
	}
	if back > 0 {
		log.Printf("%d more %s that it held go back", back, u.Noun)
	}
	if aside > 0 {
		log.Printf("%d more %s that it held came back too often: set aside, "+
			"in %s", aside, u.Noun, u.DeadLetters)
	}
}

// isLast returns whether a message is delivered for the last time. A quorum
// queue writes into the headers how often it has come back before.
func (u Unacknowledged) isLast(delivery amqp.Delivery) bool {
	returns, _ := delivery.Headers["x-delivery-count"].(int64)
	return returns >= int64(u.Limit)
}
