package arrows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var laneScripts = []struct{ name, script, want string }{{
	"senders, the broker with its queue, workers; the queue without its broker", `
	0 1 start message_queue/consumer $B fast
	1 1 connected to amqp://127.0.0.1:5000/lab
	2 2 start message_queue/consumer $B slow
	3 3 start message_queue/producer $B`, `
	producer: 3
	queue delivery-orders: queue delivery-orders
	consumer fast: 1
	consumer slow: 2`,
}, {
	"senders, workers, sink", `
	0 1 start pipeline/sink
	1 2 start pipeline/worker 1
	2 3 start pipeline/pusher`, `
	pusher: 3
	worker 1: 2
	sink: 1`,
}, {
	"a process takes over the lane of one of its role that has ended", `
	0 1 start request_reply/server
	1 2 start request_reply/client plain
	2 1 end -1
	3 3 start request_reply/server
	4 4 start request_reply/client again
	5 3 end 0
	6 4 end 0
	7 5 start request_reply/client plain
	8 5 end 0`, `
	client plain: 2
	client: 4, 5
	server: 1, 3`,
}, {
	"rather that of its own name", `
	0 1 start event_notification/subscriber A
	1 2 start event_notification/subscriber B
	2 1 end 0
	3 2 end 0
	4 3 start event_notification/subscriber B
	5 4 start event_notification/subscriber C`, `
	subscriber: 1, 4
	subscriber B: 2, 3`,
}, {
	"a worker in place of one that was started with the same word", `
	0 1 start tuple_spaces/worker_example/worker fac
	1 2 start tuple_spaces/worker_example/worker fib
	2 1 end -1
	3 2 end -1
	4 3 start tuple_spaces/worker_example/worker fib`, `
	worker fac: 1
	worker fib: 2, 3`,
}, {
	"each subscriber has its queue above it, and keeps it", `
	0 1 start publish_subscribe/subscriber $B 1
	1 1 waiting for events temp.* in subscriber-1
	2 2 start publish_subscribe/subscriber $B 2
	3 2 waiting for events temp.* in subscriber-2
	4 3 start publish_subscribe/publisher $B
	5 1 end 0
	6 4 start publish_subscribe/subscriber $B 3
	7 4 waiting for events temp.* in subscriber-3
	8 5 start publish_subscribe/subscriber $B 1
	9 5 waiting for events temp.* in subscriber-1`, `
	publisher: 3
	queue subscriber-1: queue subscriber-1
	subscriber 1: 1, 5
	queue subscriber-2: queue subscriber-2
	subscriber 2: 2
	queue subscriber-3: queue subscriber-3
	subscriber 3: 4`,
}, {
	"the same queue of another broker, once the first is left", `
	0 1 start message_queue/producer -broker amqp://127.0.0.1:1/one
	1 1 submitted order 0 worth 1
	2 1 end 0
	3 2 start message_queue/producer -broker amqp://127.0.0.1:1/two
	4 2 submitted order 0 worth 1`, `
	producer: 1, 2
	queue delivery-orders: queue delivery-orders, queue delivery-orders of broker 2`,
}, {
	"two brokers at the same time", `
	0 1 start message_queue/producer -broker amqp://127.0.0.1:1/hasty
	1 1 submitted order 0 worth 1
	2 2 start message_queue/producer -broker amqp://127.0.0.1:1/careful
	3 2 submitted order 0 worth 1`, `
	producer 101: 1
	producer 102: 2
	queue delivery-orders (hasty): queue delivery-orders
	queue delivery-orders (careful): queue delivery-orders of broker 2`,
}, {
	"a tuple space is between those who use it; so is a client in C among them", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker fac
	2 3 start tuple_spaces/worker_example/worker fib
	3 4 start tuple_spaces/worker_example/master
	4 c_client asks`, `
	master: 4
	c_client: c_client
	server: 1
	worker fac: 2
	worker fib: 3`,
}, {
	"the parts of a process", `
	0 1 start go_basics/channels`, `
	channels: 1
	client: 1/client
	server: 1/server`,
}, {
	"who stands in no table comes last", `
	0 1 start pipeline/run worker-crash
	1 2 start pipeline/pusher
	2 3 start pipeline/run slow-worker`, `
	pusher: 2
	run worker-crash: 1
	run slow-worker: 3`,
}}

func TestLanes(t *testing.T) {
	for _, c := range laneScripts {
		t.Run(c.name, func(t *testing.T) {
			wantLanes(t, Lanes(play(t, c.script)), c.want)
		})
	}
}

func wantLanes(t *testing.T, lanes []Lane, want string) {
	t.Helper()
	var got []string
	for _, lane := range lanes {
		got = append(got, lane.Label+": "+strings.Join(lane.Members, ", "))
	}
	if !slices.Equal(got, linesOf(want)) {
		t.Errorf("lanes:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(linesOf(want), "\n\t"))
	}
}

// Many that do the same are one lane: but one who got something stands out.
func TestCrowd(t *testing.T) {
	script := "0 1 start tuple_spaces/server\n"
	crowd := []string{}
	for i := range 50 {
		script += fmt.Sprintf("%d %d start tuple_spaces/client take prize\n"+
			"%d.5 1 client %d: take [\"prize\"] waits\n", i, i+2, i, i+102)
		if i != 7 {
			crowd = append(crowd, fmt.Sprint(i+2))
		}
	}
	script += `
	100 52 start tuple_spaces/client write prize
	101 1 client 152: write ["prize"]
	102 1 client 109: take gets ["prize"]
	103 9 take ["prize"]
	104 52 end 0
	105 53 start tuple_spaces/client tryread prize`
	lanes := Lanes(play(t, strings.TrimSpace(
		strings.ReplaceAll(script, "\n\n", "\n"))))
	wantLanes(t, lanes, `
	client x49: `+strings.Join(crowd, ", ")+`
	client 109: 9
	client: 52, 53
	server: 1`)
	if lanes[0].Crowd != 49 || lanes[1].Crowd != 0 {
		t.Errorf("crowds of %d and %d", lanes[0].Crowd, lanes[1].Crowd)
	}
}

// If many of them get something, they are a crowd all the same; and ten are
// none.
func TestCrowdOfReaders(t *testing.T) {
	for n, want := range map[int]int{10: 11, 13: 2} {
		script := "0 1 start tuple_spaces/server"
		for i := range n {
			script += fmt.Sprintf("\n%d %d start tuple_spaces/client read a"+
				"\n%d.5 1 client %d: read gets [\"a\"]"+
				"\n%d.6 %d read [\"a\"]", i, i+2, i, i+102, i, i+2)
		}
		if lanes := Lanes(play(t, script)); len(lanes) != want {
			t.Errorf("%d readers: %d lanes, not %d: %v", n, len(lanes), want,
				lanes)
		}
	}
}

// The page is told when the lanes are others than before.
func TestLanesChange(t *testing.T) {
	d := New()
	var changes []int
	for i, e := range play(t, `
	0 1 start message_queue/producer $B
	1 1 submitted order 0 worth 1
	2 1 submitted order 1 worth 1
	3 1 end 0
	4 2 start message_queue/producer $B`) {
		d.Add(e)
		if _, changed := d.Lanes(); changed {
			changes = append(changes, i)
		}
	}
	if want := []int{0, 1, 4}; !slices.Equal(changes, want) {
		t.Errorf("they change with the events %v, not %v", changes, want)
	}
}
