package main

import (
	"fmt"

	"distsys/internal/lab"
	messagequeue "distsys/message_queue"
)

// A count says what became of the orders.
type count struct{ sent, handled, redelivered, lost, twice, aside int }

func (c count) String() string {
	text := fmt.Sprintf("%d sent, %d handled, %d redelivered, %d lost",
		c.sent, c.handled, c.redelivered, c.lost)
	if c.twice > 0 {
		text += fmt.Sprintf(", %d handled twice", c.twice)
	}
	if c.aside > 0 {
		text += fmt.Sprintf(", %d set aside", c.aside)
	}
	return text
}

// tally counts what the programs have printed, and the dead letters.
func tally(l *lab.Lab, url string, p *lab.Process,
	consumers ...*lab.Process) (c count) {
	sent := lab.Numbers(submitted, p)
	done := lab.Numbers(handled, consumers...)
	for _, times := range done {
		if times > 1 {
			c.twice++
		}
	}
	c.sent, c.handled = len(sent), len(done)
	c.redelivered = lab.Count("(redelivered)", consumers...)
	c.lost = lab.Missing(sent, done)
	c.aside = depth(l, url, messagequeue.DeadLetters)
	return c
}
