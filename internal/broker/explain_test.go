package broker_test

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/broker"
	"distsys/internal/lab"
	"distsys/internal/lab/labtest"
)

var printedCommand = regexp.MustCompile(`curl [^']*'[^']*'`)

// A queue or an exchange is there that another program has made. The refusal
// says what differs, in which vhost, and prints a command that removes it, on
// a private node as well. After that the program works.
func TestMadeByAnotherProgram(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	_, url, vhost := shared(t, l)
	channel := labtest.Channel(t, url)
	exchange := func(kind string, durable bool) func() error {
		return func() error {
			return channel.ExchangeDeclare("sensor_data", kind, durable, false,
				false, false, nil)
		}
	}
	queue := func(name string, arguments amqp.Table) func() error {
		return func() error {
			_, err := channel.QueueDeclare(name, true, false, false, false,
				arguments)
			return err
		}
	}
	here := `in vhost "` + vhost + `"`
	for _, test := range []struct {
		made    func() error
		program []string
		says    []string
	}{
		{exchange("topic", false), []string{publisher, "-count", "1"},
			[]string{"exchange sensor_data is there already, with other " +
				"arguments, " + here + " (durable: received 'true' but " +
				"current is 'false')", "rabbitmq-plugins enable"}},
		{exchange("fanout", true), []string{publisher, "-count", "1"},
			[]string{"exchange sensor_data is there already, of another " +
				"kind, " + here + " (type: received 'topic' but current is " +
				"'fanout')"}},
		{queue("delivery-orders-dead", nil),
			[]string{producer, "-count", "1"},
			[]string{"queue delivery-orders-dead is there already, with " +
				"other arguments, " + here + " (x-queue-type: received",
				"rabbitmqctl -p " + vhost +
					" delete_queue delivery-orders-dead"}},
		{queue("delivery-orders", amqp.Table{"x-queue-type": "quorum"}),
			[]string{producer, "-count", "1"},
			[]string{"queue delivery-orders is there already, with other " +
				"arguments, " + here + " (x-de"}},
	} {
		labtest.Must(t, test.made())
		program, args := test.program[0], append([]string{"-broker", url},
			test.program[1:]...)
		refused := l.Start(program, args...)
		status, text := refused.Wait(), strings.Join(refused.Stderr(), "\n")
		if status != 1 {
			t.Errorf("status %d: %s", status, refused.Text())
		}
		for _, says := range test.says {
			if !strings.Contains(text, says) {
				t.Errorf("%q is missing in: %s", says, text)
			}
		}
		command := printedCommand.FindString(text)
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		if again := l.Start(program, args...); again.Wait() != 0 {
			t.Errorf("after %s: %s", command, again.Text())
		}
		_, err = channel.QueueDelete("delivery-orders", false, false, false)
		labtest.Must(t, err)
		_, err = channel.QueueDelete("delivery-orders-dead", false, false,
			false)
		labtest.Must(t, err)
		labtest.Must(t, channel.ExchangeDelete("sensor_data", false, false))
	}
}

// With rights on the suite's own names, all programs do their work, and a
// user can do nothing to what belongs to others.
func TestOwnNames(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	node, guests, vhost := shared(t, l)
	const name = "student"
	labtest.Must(t, node.AddUser(t.Context(), name))
	url := as(guests, name, name)
	refusal := `does not let user "` + name + `" into this vhost`
	labtest.Refused(t, producer, []string{"-broker", url}, refusal,
		"set_permissions -p "+vhost+" "+name)
	labtest.Must(t, node.Permit(t.Context(), vhost, name, "^$"))
	for program, what := range map[string]string{
		producer:   "queue delivery-orders-dead",
		consumer:   "queue delivery-orders-dead",
		publisher:  "exchange sensor_data",
		subscriber: "exchange sensor_data",
	} {
		labtest.Refused(t, program, []string{"-broker", url},
			`user "`+name+`" has no right to `+what+` in vhost "`+vhost+`"`,
			"rabbitmqctl set_permissions -p "+vhost+" "+name+" '"+
				broker.OwnNames+"' '"+broker.OwnNames+"' '"+broker.OwnNames+"'")
	}
	labtest.Must(t, node.Permit(t.Context(), vhost, name, broker.OwnNames))

	lasting := start(l, subscriber, url, "A")
	fleeting := start(l, subscriber, url)
	lasting.WaitFor("waiting")
	fleeting.WaitFor("waiting")
	if start(l, publisher, url, "-count", "1").Wait() != 0 {
		t.Error("the publisher has not the rights it needs")
	}
	lasting.WaitFor("handled event 0 ")
	fleeting.WaitFor("handled event 0 ")
	if start(l, producer, url, "-count", "1").Wait() != 0 {
		t.Error("the producer has not the rights it needs")
	}
	start(l, consumer, url, "-work", "0").WaitFor("handled order 0 ")
	// What cannot be handled has to be able to become a dead letter.
	labtest.Must(t, labtest.Channel(t, url).PublishWithContext(t.Context(),
		"", "subscriber-A", false, false, amqp.Publishing{Body: []byte("?")}))
	lasting.WaitFor("set aside")
	letters, err := labtest.Channel(t, guests).Consume("subscriber-A-dead",
		"", true, false, false, false, nil)
	labtest.Must(t, err)
	select {
	case letter := <-letters:
		if string(letter.Body) != "?" {
			t.Errorf("the dead letter is %q", letter.Body)
		}
	case <-time.After(lab.Patience):
		t.Error("what was set aside is no dead letter")
	}

	// Stories, too, are content with these rights.
	for _, run := range []string{"message_queue/run",
		"publish_subscribe/run"} {
		story := l.StartEnv([]string{"DISTSYS_NODE="}, run, "-broker", url)
		if story.Wait() != 0 || count(story, "using the broker") != 1 {
			t.Errorf("%s: %s", run, story.Text())
		}
	}

	// What others have in the same vhost.
	_, err = labtest.Channel(t, guests).QueueDeclare("grades", true, false,
		false, false, nil)
	labtest.Must(t, err)
	for _, test := range []struct {
		what string
		do   func(c *amqp.Channel) error
	}{
		{"declare", func(c *amqp.Channel) error {
			_, err := c.QueueDeclare("mine", true, false, false, false, nil)
			return err
		}},
		{"read", func(c *amqp.Channel) error {
			_, _, err := c.Get("grades", false)
			return err
		}},
		{"bind", func(c *amqp.Channel) error {
			return c.QueueBind("grades", "#", "sensor_data", false, nil)
		}},
		{"purge", func(c *amqp.Channel) error {
			_, err := c.QueuePurge("grades", false)
			return err
		}},
		{"delete", func(c *amqp.Channel) error {
			_, err := c.QueueDelete("grades", false, false, false)
			return err
		}},
	} {
		var refused *amqp.Error
		err := test.do(labtest.Channel(t, url))
		if !errors.As(err, &refused) || refused.Code != amqp.AccessRefused {
			t.Errorf("%s with rights on our own names: %v", test.what, err)
		}
		if err := test.do(labtest.Channel(t, guests)); err != nil {
			t.Errorf("%s with all rights: %v", test.what, err)
		}
	}
}
