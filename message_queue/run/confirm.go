package main

import (
	"fmt"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	messagequeue "distsys/message_queue"
)

// confirm kills the broker while two producers publish, one of which does not
// wait for confirms.
func confirm(l *lab.Lab) {
	const hastily, carefully = 30_000, 1_000
	node := brokerlab.Node(l)
	l.Step("two producers, one with -confirm=false, each with its own queue")
	var urls []string
	for _, vhost := range []string{"hasty", "careful"} {
		url, err := node.AddVhost(l.Context(), vhost)
		l.Check(err)
		urls = append(urls, url)
		producer(l, url, "-count", "0").Wait() // declares the queue
	}
	settle(l)

	l.Step("they send; the broker crashes in the middle of it")
	careful := producer(l, urls[1], "-count", fmt.Sprint(carefully),
		"-interval", "2ms").Mute()
	careful.WaitFor(submitted + "100 ")
	hasty := producer(l, urls[0], "-confirm=false", "-count",
		fmt.Sprint(hastily), "-interval", "0").Mute()
	hasty.WaitFor(sent + "5000 ")
	restart(l, node)
	ended := hasty.Wait() == 0 && careful.Wait() == 0

	believed := len(lab.Numbers(sent, hasty))
	confirmed := len(lab.Numbers(submitted, careful))
	arrived := depth(l, urls[0], messagequeue.Queue)
	safe := depth(l, urls[1], messagequeue.Queue)
	l.Verdict(ended && believed > arrived && confirmed == carefully &&
		safe >= confirmed,
		"without confirms %d sent, %d arrived, %d lost; with confirms %d "+
			"sent, %d arrived", believed, arrived, believed-arrived, confirmed,
		safe)
}

var confirmWithout = []lab.Without{
	{Name: "wait", Edit: unconfirmed, Watch: "the careful producer does not" +
		" wait for confirms, either, and prints submitted too early"},
}
