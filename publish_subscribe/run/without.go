package main

import "distsys/internal/lab"

// Lines that several experiments leave out.
const (
	subscriberFile = "publish_subscribe/subscriber/main.go"
	publisherFile  = "publish_subscribe/publisher/main.go"
	exchangeFile   = "publish_subscribe/exchange.go"
	queueFile      = "publish_subscribe/queue.go"
	eventFile      = "publish_subscribe/event.go"

	ackLine      = "\terr = delivery.Ack(multiple)\n"
	receivedLine = "\tlog.Printf(\"received %v%s\", event, " +
		"pubsub.Mark(delivery))\n"
)

// noAck never acknowledges.
var noAck = lab.Edit{File: subscriberFile, Line: ackLine}
