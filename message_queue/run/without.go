package main

import "distsys/internal/lab"

// Lines that several experiments leave out.
const (
	consumerFile = "message_queue/consumer/main.go"
	producerFile = "message_queue/producer/main.go"
	queueFile    = "message_queue/queue.go"
	orderFile    = "message_queue/order.go"

	ackLine      = "\terr = delivery.Ack(multiple)\n"
	receivedLine = "\tlog.Printf(\"received %v%s\", order, " +
		"messagequeue.Mark(delivery))\n"
)

// noAck never acknowledges.
var noAck = lab.Edit{File: consumerFile, Line: ackLine, Become: ""}

// noLimit lets a consumer hold any number of orders.
var noLimit = lab.Edit{File: consumerFile,
	Line:   "err = channel.Qos(*prefetch, bytes, global)",
	Become: "err = channel.Qos(0, bytes, global)"}

// autoAck counts an order as acknowledged as soon as it is sent to a consumer.
var autoAck = lab.Edit{File: consumerFile,
	Line:   "autoAck, exclusive, noLocal, noWait = false, false, false, false",
	Become: "autoAck, exclusive, noLocal, noWait = true, false, false, false"}

// unconfirmed does not wait for the broker's confirm.
var unconfirmed = lab.Edit{File: producerFile,
	Line:   "kept, err := sent[0].WaitContext(ctx)",
	Become: "kept, err := true, error(nil)"}

// classic makes both queues classic queues, which have no delivery limit.
var (
	classic = lab.Edit{File: queueFile, Line: `kind = "quorum"`,
		Become: `kind = "classic"`}
	noDeliveryLimit = lab.Edit{File: queueFile,
		Line: "\t\t\t\"x-delivery-limit\":          Unacknowledged.Limit,\n"}
)
