package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// SuffixVar names the variable of the environment that holds what is added to
// the name of each queue and exchange. With it, several can use one broker
// and not meet: students in a class, or a story beside them.
const SuffixVar = "DISTSYS_SUFFIX"

// Named returns the name of a queue or an exchange, with the suffix, if any.
func Named(name string) string { return name + os.Getenv(SuffixVar) }

// Remove deletes queues and exchanges at the first of the brokers that
// answers, with all that they hold. Those that do not exist are no error.
func Remove(ctx context.Context, urls string, queues,
	exchanges []string) (err error) {
	conn, failed := dial(ctx, urls)
	if failed != nil {
		return failed
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	channel, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	const ifUnused, ifEmpty, noWait = false, false, false
	for _, name := range queues {
		_, err := channel.QueueDelete(name, ifUnused, ifEmpty, noWait)
		if err != nil {
			return fmt.Errorf("delete queue %s: %w", name, err)
		}
	}
	for _, name := range exchanges {
		err := channel.ExchangeDelete(name, ifUnused, noWait)
		if err != nil {
			return fmt.Errorf("delete exchange %s: %w", name, err)
		}
	}
	return nil
}
