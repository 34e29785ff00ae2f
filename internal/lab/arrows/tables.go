package arrows

// The tables: what the programs of each pattern print, and what that means.
// The words (sends, receives, begins...) are explained in acts.go. A line that
// stands in no table means nothing here.

var patterns = []pattern{requestReply, eventNotification, pipeline,
	publishSubscribe, messageQueue, tupleSpaces, cClient, sockets, ipc,
	channels}

// What several lines have in common.
const (
	event   = `event (?<n>\d+) of "?(?<s>.+?)"?: (?<v>\d+) degrees`
	orderOf = `order (?<n>\d+) of (?<p>\S+) worth (?<v>\d+)`
	order   = `order (?<n>\d+) worth (?<v>\d+)`
)

// What all programs print.
var ofAll = []verb{
	{line: `listening on (?<address>\S+)`, does: []act{listens}},
	{line: `connected to (?<address>amqp://\S+)`, does: []act{connects}},
	{line: `lost the broker .*; connecting again`, does: []act{losesBroker}},
}

var requestReply = pattern{
	folder: "request_reply",
	programs: []program{
		{name: "client", rank: sender, flags: map[string]string{
			"connect": "12345"}},
		{name: "server", rank: worker, flags: map[string]string{
			"bind": "12345"}},
	},
	verbs: []verb{
		{by: "client", line: atStart, does: []act{asks},
			over: "request", at: "connect", key: "$word", label: "$word"},
		{by: "client", does: []act{asksAgain},
			line: `no reply within .* \(try (?<try>\d+) of (?<of>\d+)\)`,
			over: "request", at: "connect", key: "$word",
			label: "no reply (try $try of $of)"},
		{by: "client", line: bare, does: []act{gets}},

		{by: "server", line: `received "(?<text>.*)"`,
			does: []act{receives, begins},
			over: "request", at: "bind", key: "$text", label: "$text"},
		{by: "server", line: `replied "(?<text>.*?)!?"`,
			does: []act{replies, ends}, key: "$text", label: "$text!"},
	},
}

var eventNotification = pattern{
	folder: "event_notification",
	programs: []program{
		{name: "publisher", rank: sender, flags: map[string]string{
			"bind": "12346", "topic": "TEMP"}},
		{name: "subscriber", rank: worker, id: true, flags: map[string]string{
			"connect": "12346"}},
	},
	verbs: []verb{
		{by: "publisher", does: []act{sends},
			line: `published ` + event,
			over: "event", at: "bind", key: "$topic:20 $n of $s: $v",
			label: "$n", route: "$topic "},
		{by: "subscriber", does: []act{binds},
			line: `subscribing to "(?<filter>.*)" at (?<address>\S+)`,
			over: "event", fits: prefixFits},
		{by: "subscriber", does: []act{receives},
			line: `received "?(?<t>.*?)"? ` + event,
			over: "event", at: "connect", key: "$t:20 $n of $s: $v",
			label: "$n"},
	},
}

var pipeline = pattern{
	folder: "pipeline",
	programs: []program{
		{name: "pusher", rank: sender, flags: map[string]string{
			"bind": "12347"}},
		{name: "worker", rank: worker, id: true, flags: map[string]string{
			"connect": "12347", "sink": "12349"}},
		{name: "sink", rank: collector, flags: map[string]string{
			"bind": "12349"}},
	},
	verbs: []verb{
		{by: "pusher", does: []act{sends},
			line: `pushed ` + orderOf,
			over: "order", at: "bind", key: "$n of $p: $v", label: "$n"},
		{by: "pusher", line: `waiting for a worker that can take an order`,
			does: []act{waits}, label: "waits for a worker"},
		{by: "pusher", line: `waiting until the workers have all orders`,
			does: []act{waits}, label: "waits until the workers have all"},

		{by: "worker", does: []act{receives, begins},
			line: `received ` + orderOf,
			over: "order", at: "connect", key: "$n of $p: $v", label: "$n"},
		{by: "worker", does: []act{ends},
			line: `delivered ` + orderOf,
			over: "order", at: "connect", key: "$n of $p: $v"},
		{by: "worker", does: []act{sends},
			line: `delivered ` + orderOf,
			over: "report", at: "sink", key: "$n of $p: $v by $id",
			label: "$n"},

		{by: "sink", does: []act{receives},
			line: `worker "?(?<w>.*?)"? has delivered ` +
				orderOf,
			over: "report", at: "bind", key: "$n of $p: $v by $w",
			label: "$n"},
	},
}

var publishSubscribe = pattern{
	folder: "publish_subscribe",
	programs: []program{
		{name: "publisher", rank: sender},
		{name: "subscriber", rank: worker, id: true},
	},
	verbs: []verb{
		{by: "publisher", does: []act{sends},
			line: `published ` + event,
			over: "event", key: "$n of $s: $v", label: "$n", route: "temp.$s"},
		{by: "publisher", does: []act{drops},
			line:  `dropped event (?<n>\d+) of .*: no queue is bound for .*`,
			label: "$n"},

		{by: "subscriber", does: []act{binds},
			line: `waiting for events (?<filter>\S+) in (?<queue>\S+)`,
			over: "event", queue: "$queue", fits: topicFits},
		{by: "subscriber", does: []act{receives, begins},
			line: `received ` + event +
				`(?<again> \(redelivered\))?`,
			over: "event", queue: "$queue", key: "$n of $s: $v", label: "$n",
			limit: 5},
		{by: "subscriber", does: []act{ends},
			line: `handled ` + event,
			key:  "$n of $s: $v"},
		{by: "subscriber", does: []act{returns},
			line: event + ` goes back to the queue`,
			key:  "$n of $s: $v"},
		{by: "subscriber", does: []act{setsAside},
			line: event + ` came back too often: set aside, in .*`,
			key:  "$n of $s: $v"},
	},
}

var messageQueue = pattern{
	folder: "message_queue",
	programs: []program{
		{name: "producer", rank: sender},
		{name: "consumer", rank: worker, id: true},
	},
	verbs: []verb{
		{by: "producer", does: []act{sends},
			line: `submitted ` + order,
			over: "order", queue: "delivery-orders", key: "$n: $v",
			label: "$n"},
		{by: "producer", does: []act{sends}, lax: true,
			line: `sent ` + order,
			over: "order", queue: "delivery-orders", key: "$n: $v",
			label: "$n"},

		{by: "consumer", does: []act{receives, begins},
			line: `received ` + order +
				`(?<again> \(redelivered\))?`,
			over: "order", queue: "delivery-orders", key: "$n: $v",
			label: "$n", limit: 5},
		{by: "consumer", does: []act{ends},
			line: `handled ` + order, key: "$n: $v"},
		{by: "consumer", does: []act{returns},
			line: order + ` goes back to the queue`,
			key:  "$n: $v"},
		{by: "consumer", does: []act{setsAside},
			line: order + ` came back too often: set aside, in .*`,
			key:  "$n: $v"},
	},
}

// The server of a tuple space names whose request a line is about. What a
// client then prints tells when the reply has reached it.
var tupleSpaces = pattern{
	folder: "tuple_spaces",
	programs: []program{
		{name: "server", rank: middle, speaksOf: true,
			flags: map[string]string{"bind": "5678"}},
		{name: "client", rank: sender},
		{name: "worker_example/master", rank: sender},
		{name: "worker_example/worker", rank: worker,
			flags: map[string]string{"connect": "5678"}},
		{name: "event_example/publisher", rank: sender},
		{name: "event_example/subscriber", rank: worker, id: true},
	},
	verbs: []verb{
		{by: "server", line: `write (?<t>.*)`, does: []act{hears},
			who: "$who", key: "$t", label: "$t"},
		{by: "server", line: `(?<op>read|take) (?<t>.*) waits`,
			does: []act{hears, makesWait},
			who:  "$who", label: "$op $t"},
		{by: "server", line: `(?<op>read|take) (?<t>.*) finds nothing`,
			does: []act{hears}, who: "$who", label: "$op $t"},
		{by: "server", line: `(?<op>read|take) .*: its client is gone`,
			does: []act{endsWait}, who: "$who"},
		{by: "server", does: []act{answers},
			line: `(?<op>read|take) gets (?<t>.*?)(?:, on loan (?<loan>\S+))?`,
			who:  "$who", key: "$t:200", label: "$t"},
		{by: "server", line: `commit loan (?<loan>\S+), write (?<t>.*)`,
			does: []act{hears, endsLoan}, who: "$who", label: "$t"},
		{by: "server", line: `commit loan (?<loan>\S+) \(too late\).*`,
			does: []act{hears}, who: "$who", label: "too late"},
		{by: "server", line: `release loan (?<loan>\S+)(?: \(too late\))?`,
			does: []act{givesBack, endsLoan}, who: "$who"},
		{by: "server", does: []act{comesBack, endsLoan}, label: "$t",
			line: `loan (?<loan>\S+) has run out: (?<t>.*) comes back`},
		{by: "server", does: []act{completes}, who: "$who",
			line: `(?:write|commit) (?:loan \S+, write )?\["\w+_res",.*`},
		{by: "server", line: `cancel the last request`,
			does: []act{hears, endsWait}, who: "$who", label: "cancel"},
		{by: "server", line: `refused: .*`, does: []act{hears},
			who: "$who", label: "refused"},

		{by: "client", does: []act{gets},
			line: `(?:take|read|trytake|tryread|takeall|readall) (?<t>\[.*)`,
			key:  "$t"},

		{by: "worker_example/master", line: `took (?<t>\[.*)`,
			does: []act{gets}, key: "$t"},
		{by: "worker_example/worker", line: `took (?<k>\w+) (?<n>\d+)`,
			does: []act{gets, begins}, over: "task", at: "connect",
			key: `["$k",$n]`, label: "$k $n"},
		{by: "worker_example/worker", line: `wrote .* for (?<n>\d+)`,
			does: []act{ends}, over: "task", at: "connect",
			key: `["$word",$n]`},
		{by: "worker_example/worker", does: []act{ends},
			line: `too late with (?<k>\w+) (?<n>\d+): the loan has run out`,
			over: "task", at: "connect", key: `["$k",$n]`},

		{by: "event_example/subscriber", does: []act{gets},
			line: `received ` + event,
			key:  `["temp",$n,"$s",$v]`},
	},
}

// A client in C is no program of the suite: the run program says what it
// asks, and the server does not know its name.
var cClient = pattern{
	programs: []program{{name: "c_client", rank: sender}},
	verbs: []verb{
		{by: "c_client", line: `\{"status":"ok","tuples":\[(?<t>.*)\]\}`,
			does: []act{gets}, key: "$t"},
	},
}

var sockets = pattern{
	folder: "go_basics/sockets",
	programs: []program{
		{name: "client", rank: sender, flags: map[string]string{
			"connect": "12350"}},
		{name: "server", rank: worker, flags: map[string]string{
			"bind": "12350"}},
	},
	verbs: []verb{
		{by: "client", line: `sent (?<n>\d+) bytes: "(?<text>.*)"`,
			does: []act{writes}, over: "to the server", at: "connect",
			bytes: "$n", label: "$text"},
		{by: "client", line: `received (?<n>\d+) bytes: "(?<text>.*)"`,
			does: []act{reads}, over: "to the client", at: "connect",
			bytes: "$n"},
		{by: "server", line: `received (?<n>\d+) bytes: "(?<text>.*)"`,
			does: []act{reads, echoes}, over: "to the server",
			back: "to the client", at: "bind", bytes: "$n", label: "$text!"},
	},
}

// The two ends of a pipe print by way of the one process that started them.
var ipc = pattern{
	folder: "go_basics/ipc",
	programs: []program{{name: "run", rank: sender, parts: true},
		{name: "run/client", rank: sender}, {name: "run/server", rank: worker}},
	verbs: []verb{
		{by: "run/client", line: `sent (?<what>a list .*)`, does: []act{sends},
			over: "pipe $number", label: "list"},
		{by: "run/server", line: `received .*, as .*`, does: []act{receives},
			over: "pipe $number", label: "list"},
	},
}

// So do goroutines. What one receives, the other has just sent.
var channels = pattern{
	folder: "go_basics",
	programs: []program{{name: "channels", rank: sender, parts: true},
		{name: "channels/client", rank: sender},
		{name: "channels/server", rank: worker}},
	verbs: []verb{
		{by: "channels/client", line: `received "(?<text>.*)"`,
			does: []act{hears}, who: "server", label: "$text"},
		{by: "channels/server", line: `received "(?<text>.*)"`,
			does: []act{hears}, who: "client", label: "$text"},
		{by: "channels/server", line: `received (?<v>.*), as .*`,
			does: []act{hears}, who: "client", label: "$v"},
	},
}
