package publishsubscribe_test

import (
	"fmt"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
	"distsys/internal/lab/labtest"
	pubsub "distsys/publish_subscribe"
)

const (
	publisher  = "publish_subscribe/publisher"
	subscriber = "publish_subscribe/subscriber"
)

func TestMain(m *testing.M) {
	labtest.MainWithBroker(m, "publish_subscribe")
}

func TestExperiments(t *testing.T) {
	t.Parallel()
	labtest.Experiments(t, "publish_subscribe", "slow-subscriber", "fan-out",
		"offline-subscriber", "subscriber-crash", "routing", "late-binding")
}

func TestStory(t *testing.T) {
	t.Parallel()
	run := labtest.New(t).Start("publish_subscribe/run", "-trace")
	if run.Wait() != 0 || lab.Count("handled event", run) != 12 ||
		lab.Count("broker: publish to sensor_data, key [temp.sensor123]",
			run) != 6 {
		t.Errorf("the story is %q", run.Text())
	}
}

func start(l *lab.Lab, program, url string, args ...string) *lab.Process {
	return l.Start(program, append([]string{"-broker", url}, args...)...)
}

// What programs in other languages rely on: names, arguments and messages.
func TestOnTheWire(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	start(l, subscriber, url, "A").WaitFor("waiting")
	channel := labtest.Channel(t, url)
	if err := channel.ExchangeDeclare("sensor_data", "topic", true, false,
		false, false, nil); err != nil {
		t.Fatal(err)
	}
	for queue, arguments := range map[string]amqp.Table{
		"subscriber-A-dead": {"x-queue-type": "quorum"},
		"subscriber-A": {"x-queue-type": "quorum", "x-delivery-limit": 5,
			"x-dead-letter-exchange":    "",
			"x-dead-letter-routing-key": "subscriber-A-dead"},
	} {
		if _, err := channel.QueueDeclare(queue, true, false, false, false,
			arguments); err != nil {
			t.Fatal(err)
		}
	}
	mine, err := channel.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.QueueBind(mine.Name, "temp.roof", "sensor_data", false,
		nil); err != nil {
		t.Fatal(err)
	}
	messages, err := channel.Consume(mine.Name, "", true, true, false, false,
		nil)
	if err != nil {
		t.Fatal(err)
	}
	start(l, publisher, url, "-count", "1", "-sensor", "roof")
	message := <-messages
	var temp int
	const format = `{"seq":0,"id":"roof","temp":%d}`
	n, err := fmt.Sscanf(string(message.Body), format, &temp)
	if n != 1 || fmt.Sprintf(format, temp) != string(message.Body) ||
		message.RoutingKey != "temp.roof" ||
		message.DeliveryMode != amqp.Persistent {
		t.Errorf("the message is %s, key %s (%v)", message.Body,
			message.RoutingKey, err)
	}
}

// A subscriber warns above 30 degrees, sets aside what is no event, and goes
// on.
func TestWarningsAndBadEvents(t *testing.T) {
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "A")
	s.WaitFor("waiting")
	channel := labtest.Channel(t, url)
	bad := []string{"", "ciao", "{}", "null", `{"seq":1,"id":"x"}`,
		`{"seq":"1","id":"x","temp":2}`, "\xff", strings.Repeat("x", 1<<20)}
	for _, body := range append(bad, `{"seq":1,"id":"x","temp":30}`,
		`{"seq":2,"id":"x","temp":31}`) {
		if err := channel.PublishWithContext(t.Context(), pubsub.Exchange,
			"temp.x", true, false,
			amqp.Publishing{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	s.WaitFor("received event 1 of x: 30 degrees")
	s.WaitFor("received event 2 of x: 31 degrees")
	s.WaitFor("warning: high temperature measured by sensor x")
	s.WaitFor("handled event 2")
	labtest.StopsAtOnce(t, s)
	if n := lab.Count("set aside", s); n != len(bad) {
		t.Errorf("%d of %d bad events were set aside", n, len(bad))
	}
	if n := lab.Count("warning", s); n != 1 {
		t.Errorf("%d warnings, expected one", n)
	}
	letters, err := channel.Consume("subscriber-A-dead", "", true, false, false,
		false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if letter := <-letters; string(letter.Body) != bad[0] {
		t.Errorf("the first dead letter is %q", letter.Body)
	}
}

// Without an id a subscriber has a queue that goes with it.
func TestTemporaryQueue(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	vhost := url[strings.LastIndex(url, "/")+1:]
	s := start(l, subscriber, url)
	line := s.WaitFor("waiting for events")
	queue := line[strings.LastIndex(line, " ")+1:]
	p := start(l, publisher, url, "-count", "1000000", "-interval", "50ms")
	s.WaitFor("handled event")

	node, err := brokerlab.Shared()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.CloseConnections(t.Context(), vhost); err != nil {
		t.Fatal(err)
	}
	s.WaitFor("lost the broker (")
	s.WaitFor("it may have missed events")
	s.WaitFor("handled event")
	p.WaitFor("lost the broker (")
	p.WaitFor("connected to")
	labtest.StopsAtOnce(t, s)
	p.WaitFor("dropped event ") // so the queue is gone
	labtest.StopsAtOnce(t, p)
	if _, err := labtest.Channel(t, url).QueueDeclarePassive(queue, false, true, true,
		false, nil); err == nil {
		t.Errorf("the queue %s is still there", queue)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	uri, err := amqp.ParseURI(url)
	if err != nil {
		t.Fatal(err)
	}
	host := fmt.Sprintf("127.0.0.1:%d", uri.Port)
	nobody := strings.TrimPrefix(l.Address(), "tcp://")
	node, err := brokerlab.Shared()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.AddUser(t.Context(), "nobody"); err != nil {
		t.Fatal(err)
	}
	if err := node.Permit(t.Context(), uri.Vhost, "nobody",
		"nothing"); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{publisher, subscriber} {
		for broker, says := range map[string][]string{
			"amqp://" + nobody:           {"no broker answers at", "make broker"},
			"amqp://guest:wrong@" + host: {`refuses user "guest"`},
			"amqp://" + host + "/nix":    {"no such vhost"},
			"amqp://nobody:nobody@" + host + "/" + uri.Vhost: {
				"no right to exchange sensor_data", "set_permissions"},
		} {
			labtest.Refused(t, program, []string{"-broker", broker}, says...)
		}
		labtest.Refused(t, program, []string{"-x"}, "unknown flag -x")
		labtest.Refused(t, program, []string{"1", "2"}, "surplus argument")
	}

	channel := labtest.Channel(t, url)
	if _, err := channel.QueueDeclare("subscriber-A", true, false, false,
		false, nil); err != nil { // a classic queue
		t.Fatal(err)
	}
	labtest.Refused(t, subscriber, []string{"-broker", url, "A"},
		"queue subscriber-A is there already, with other arguments",
		"delete_queue subscriber-A")
	if err := channel.ExchangeDelete(pubsub.Exchange, false,
		false); err != nil {
		t.Fatal(err)
	}
	if err := channel.ExchangeDeclare(pubsub.Exchange, "fanout", true, false,
		false, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{publisher, subscriber} {
		labtest.Refused(t, program, []string{"-broker", url},
			"exchange sensor_data is there already, of another kind",
			"/exchanges/"+uri.Vhost+"/sensor_data")
	}
}

// A subscriber whose queue is deleted makes it anew.
func TestQueueDeleted(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "A")
	s.WaitFor("waiting")
	channel := labtest.Channel(t, url)
	if _, err := channel.QueueDelete("subscriber-A", false, false,
		false); err != nil {
		t.Fatal(err)
	}
	s.WaitFor("was the queue deleted?); connecting again")
	s.WaitFor("waiting")
	start(l, publisher, url, "-count", "1").Wait()
	s.WaitFor("handled event 0")
}

func TestCtrlC(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "-work", "1h", "A")
	s.WaitFor("waiting") // blocked in receive
	labtest.StopsAtOnce(t, s)
	p := start(l, publisher, url, "-count", "3", "-interval", "1h")
	p.WaitFor("published event 0") // between two events
	labtest.StopsAtOnce(t, p)
	p.WaitFor("2 events not published")
	s = start(l, subscriber, url, "-work", "1h", "A")
	s.WaitFor("received event 0") // at work
	labtest.StopsAtOnce(t, s)
	s = start(l, subscriber, url, "A")
	s.WaitFor("handled event 0") // it went back
	labtest.StopsAtOnce(t, s)
}

// What a subscriber prints of the event that it held when it was stopped is
// true: five times it goes back to the queue, and then it is set aside. The
// event of a temporary queue is gone.
func TestStoppedTooOften(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "-work", "1h", "A")
	s.WaitFor("waiting")
	temporary := start(l, subscriber, url, "-work", "1h")
	temporary.WaitFor("waiting")
	start(l, publisher, url, "-count", "1").Wait()
	temporary.WaitFor("received event 0 ")
	labtest.StopsAtOnce(t, temporary)
	temporary.WaitFor("degrees is gone, and its queue with it")
	for range 5 {
		s.WaitFor("received event 0 ")
		labtest.StopsAtOnce(t, s)
		s.WaitFor("degrees goes back to the queue")
		s = start(l, subscriber, url, "-work", "1h", "A")
	}
	s.WaitFor("received event 0 ")
	labtest.StopsAtOnce(t, s)
	s.WaitFor("came back too often: set aside, in subscriber-A-dead")
	if n := lab.Count("goes back", s); n > 0 {
		t.Errorf("it goes back as well? %q", s.Text())
	}
	channel := labtest.Channel(t, url)
	for dead := 0; dead == 0; {
		queue, err := channel.QueueDeclarePassive("subscriber-A-dead", true,
			false, false, false, nil)
		labtest.Must(t, err)
		dead = queue.Messages
	}
	s = start(l, subscriber, url, "A")
	s.WaitFor("set aside before, in subscriber-A-dead: 1 events")
	s.WaitFor("waiting")
}

// A subscriber that loses the broker while it works has not handled the
// event: it cannot acknowledge it, and gets it again.
func TestHandledIsAcknowledged(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	wire := labtest.NewWire(t, url)
	s := start(l, subscriber, wire.URL, "-work", "500ms", "A")
	s.WaitFor("waiting")
	start(l, publisher, url, "-count", "1").Wait()
	s.WaitFor("received event 0 ")
	wire.Cut()
	s.WaitFor("lost the broker (")
	s.WaitFor("(redelivered)")
	s.WaitFor("handled event 0 ")
	if n := lab.Count("handled event 0 ", s); n != 1 {
		t.Errorf("it was handled %d times: %q", n, s.Text())
	}
}

// A publisher that pauses for long notices at once that the broker is gone.
func TestLostInAPause(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	wire := labtest.NewWire(t, brokerlab.Vhost(l))
	p := start(l, publisher, wire.URL, "-count", "2", "-interval", "1h")
	p.WaitFor("dropped event 0 of sensor123: ")
	wire.Cut()
	p.WaitFor("lost the broker (")
	p.WaitFor("connected to")
	p.WaitFor("dropped event 1 of sensor123: ") // the pause is over, too
}

// Two subscribers with one id share its events. The second says so.
func TestSameID(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	first := start(l, subscriber, url, "A")
	first.WaitFor("waiting")
	second := start(l, subscriber, url, "A")
	second.WaitFor("warning: somebody else takes events from subscriber-A")
	second.WaitFor("waiting")
	other := start(l, subscriber, url, "B")
	other.WaitFor("waiting")
	if n := lab.Count("somebody else", first, other); n != 0 {
		t.Errorf("%d warnings for a subscriber that has its own queue", n)
	}
}

// A key that fits nothing of what is published is not a missing subscriber,
// and one that looks like another system's gets a warning.
func TestKeys(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	start(l, subscriber, url, "-key", "temp.roof", "A").WaitFor("waiting")
	p := start(l, publisher, url, "-count", "1")
	p.WaitFor("degrees: no queue is bound for temp.sensor123")
	for key, warning := range map[string]string{
		"temp/+": `in the key "temp/+", + is part of a word`,
		"temp/x": `in the key "temp/x", / is part of a word`,
		"temp*":  `in the key "temp*", the word "temp*" fits itself alone`,
		"a.#b":   `in the key "a.#b", the word "#b" fits itself alone`,
		"temp.*": "", "#": "", "*.roof.#": "",
	} {
		s := start(l, subscriber, url, "-key", key)
		s.WaitFor("waiting")
		labtest.StopsAtOnce(t, s)
		if warning == "" && lab.Count("warning", s) > 0 ||
			lab.Count("warning: "+warning, s) == 0 && warning != "" {
			t.Errorf("-key %s: %q", key, s.Text())
		}
	}
}

// Whatever strangers publish, a subscriber's terminal is safe from it.
func TestHostileEvents(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "-key", "#", "A")
	s.WaitFor("waiting")
	channel := labtest.Channel(t, url)
	for _, name := range []string{"\x1b[31mred", "x\nsubscriber A: forged",
		"\u202ebackwards", "x: 1 degrees", strings.Repeat("long", 1000), ""} {
		message := pubsub.Message(pubsub.Event{Sensor: name, Temp: 50})
		labtest.Must(t, channel.PublishWithContext(t.Context(),
			pubsub.Exchange, "temp.x", true, false, message))
	}
	labtest.Must(t, channel.PublishWithContext(t.Context(), pubsub.Exchange,
		"temp.x", true, false, amqp.Publishing{Body: []byte("\x1b[31m{")}))
	labtest.Must(t, channel.PublishWithContext(t.Context(), pubsub.Exchange,
		"temp.x", true, false, pubsub.Message(pubsub.Event{Seq: 7,
			Sensor: "Küche_2.nord-west"})))
	s.WaitFor("handled event 7 of Küche_2.nord-west: 0 degrees")
	for _, line := range s.Lines() {
		if !strings.HasPrefix(line, "subscriber A: ") || len(line) > 200 ||
			strings.ContainsAny(line, "\x1b\u202e") ||
			strings.Contains(line, "of x: 1 degrees:") {
			t.Errorf("it prints %q", line)
		}
	}
	if n := lab.Count(`of "x\nsubscriber A: forged": 50 degrees`, s); n != 2 {
		t.Errorf("the name is in %d lines: %q", n, s.Text())
	}
}

// On a broker that is there already, the story touches nothing that is
// somebody else's, and leaves nothing of its own: not even as a user who has
// no rights but on names like ours, and not if it is stopped.
func TestStoryIsAGuest(t *testing.T) {
	t.Parallel()
	l := labtest.New(t)
	url := brokerlab.Vhost(l)
	s := start(l, subscriber, url, "1")
	s.WaitFor("waiting")
	labtest.StopsAtOnce(t, s) // its queue stays, and may collect events
	guest := labtest.User(t, url, "story-of-pubsub",
		`^(sensor_data|subscriber-|amq\.default)`)
	before := labtest.Inventory(t, url)
	for _, stop := range []bool{false, true} {
		run := l.StartEnv([]string{"DISTSYS_NODE="}, "publish_subscribe/run",
			"-broker", guest)
		if stop {
			run.WaitFor("published event 2 ")
			run.Stop()
		} else if run.Wait() != 0 || lab.Count("handled event", run) != 12 {
			t.Errorf("the story is %q", run.Text())
		}
		if after := labtest.Inventory(t, url); after != before {
			t.Errorf("before the story: %s\nafter it (stopped: %v): %s",
				before, stop, after)
		}
	}
}

// An event reads as it was written.
func TestRoundTrip(t *testing.T) {
	for _, event := range pubsub.Measure(10, "roof") {
		read, err := pubsub.ParseEvent(pubsub.Message(event).Body)
		if err != nil || read != event {
			t.Errorf("%v was read as %v, %v", event, read, err)
		}
	}
}
