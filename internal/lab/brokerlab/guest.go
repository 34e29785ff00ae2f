package brokerlab

import (
	"context"
	"fmt"
	"os"
	"time"

	"distsys/internal/broker"
	"distsys/internal/lab"
)

// Guest returns the URL of a broker for a story: url if one answers there, and
// else that of a virtual host of a private node. On somebody's broker the
// story is a guest: the programs that it starts from here on use queues and
// exchanges of their own, whose names end in a suffix, and in the end these
// are removed. Named are all that the programs make, without the suffix.
func Guest(l *lab.Lab, url string, queues, exchanges []string) string {
	own := OrVhost(l, url)
	if own != url {
		return own // nobody else is there
	}
	suffix := fmt.Sprintf("-story-%d", os.Getpid())
	l.Say("its queues and exchanges end in %s, and are removed afterwards",
		suffix)
	l.Check(os.Setenv(broker.SuffixVar, os.Getenv(broker.SuffixVar)+suffix))
	l.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(),
			5*time.Second)
		defer cancel()
		if err := broker.Remove(ctx, url, with(suffix, queues),
			with(suffix, exchanges)); err != nil {
			l.Say("remove what the story has made: %v", err)
		}
	})
	return url
}

func with(suffix string, names []string) (all []string) {
	for _, name := range names {
		all = append(all, name+suffix)
	}
	return all
}
