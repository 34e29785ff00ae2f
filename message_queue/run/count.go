package main

import (
	"fmt"

	"distsys/internal/lab"
)

// A count says what became of the orders.
type count struct{ sent, handled, redelivered, twice, lost int }

func (c count) String() string {
	text := fmt.Sprintf("%d sent, %d handled, %d redelivered, %d lost",
		c.sent, c.handled, c.redelivered, c.lost)
	if c.twice > 0 {
		text += fmt.Sprintf(", %d handled twice", c.twice)
	}
	return text
}

// tally counts what the programs have printed.
func tally(p *lab.Process, consumers ...*lab.Process) (c count) {
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
	return c
}
