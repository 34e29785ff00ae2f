package brokerlab

import (
	"context"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/cli"
	"distsys/internal/lab"
)

// follow shows each message that comes and goes in a virtual host, as the
// broker sees it. The programs do not know: RabbitMQ publishes a copy of each
// to the exchange amq.rabbitmq.trace, its "firehose".
func follow(l *lab.Lab, node *broker.Node, vhost, url string) {
	l.Check(node.SetTracing(l.Context(), vhost, true))
	conn, err := amqp.Dial(url)
	l.Check(err)
	channel, err := conn.Channel()
	l.Check(err)
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	l.Check(err)
	l.Check(channel.QueueBind(queue.Name, "#", "amq.rabbitmq.trace", false,
		nil))
	copies, err := channel.Consume(queue.Name, "", true, true, false, false,
		nil)
	l.Check(err)
	done := make(chan bool)
	go func() {
		defer close(done)
		for c := range copies {
			l.Line("broker", "broker: "+describe(c))
		}
	}()
	l.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(),
			5*time.Second)
		defer cancel()
		if err := node.SetTracing(ctx, vhost, false); err != nil {
			l.Say("switch the trace off: %v", err)
		}
		if err := conn.Close(); err != nil {
			l.Say("end the trace: %v", err)
		}
		<-done
	})
}

// describe says what a copy tells. Its routing key is publish.<exchange> or
// deliver.<queue>; its headers say the rest.
func describe(c amqp.Delivery) string {
	what, where, _ := strings.Cut(c.RoutingKey, ".")
	if what == "publish" {
		if where == "" {
			where = "the default exchange"
		}
		return fmt.Sprintf("publish to %s, key %v: %s", where,
			c.Headers["routing_keys"], cli.Printable(string(c.Body)))
	}
	again := ""
	if c.Headers["redelivered"] == int32(1) {
		again = " (redelivered)"
	}
	return fmt.Sprintf("%s from %s%s: %s", what, where, again,
		cli.Printable(string(c.Body)))
}
