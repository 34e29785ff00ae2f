package arrows

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"distsys/internal/lab/record"
)

// What each pattern's lines mean.
var scripts = []struct{ name, script, want string }{{
	"request_reply: a request, work, a reply", `
	0 1 start request_reply/server -bind tcp://127.0.0.1:20000
	2 1 listening on tcp://127.0.0.1:20000
	10 2 start request_reply/client -connect tcp://127.0.0.1:20000 'say "hi"'
	15 1 received "say \"hi\""
	40 1 replied "say \"hi\"!"
	41 2 = say "hi"!
	42 2 end 0`, `
	wait 2 10..41: waits for a reply
	message 2 > 1 10..15: say hi
	bar 1 15..40: say hi
	message 1 > 2 40..41: say hi!`,
}, {
	"request_reply: a line that stands in the wrong order", `
	0 1 start request_reply/server
	10 2 start request_reply/client hello
	15 1 received "hello"
	16 2 = hello!
	17 2 end 0
	18 1 replied "hello!"`, `
	wait 2 10..16: waits for a reply
	message 2 > 1 10..15: hello
	bar 1 15..18: hello
	message 1 > 2 16: hello!`,
}, {
	"request_reply: a server that is not there gets the try of that time", `
	10 2 start request_reply/client -timeout 1s -tries 9 hello
	1010 2 ! client 102: no reply within 1s (try 1 of 9)
	2010 2 ! client 102: no reply within 1s (try 2 of 9)
	2500 1 start request_reply/server
	2510 1 received "hello"
	2511 1 replied "hello!"
	2512 2 = hello!
	2513 2 end 0`, `
	wait 2 10..2512: waits for a reply
	timeout 2 1010: no reply (try 1 of 9)
	timeout 2 2010: no reply (try 2 of 9)
	message 2 > 1 2010..2510: hello
	bar 1 2510..2511: hello
	message 1 > 2 2511..2512: hello!`,
}, {
	"request_reply: a slow server gets all tries, one after the other", `
	0 1 start request_reply/server -work 3s
	10 2 start request_reply/client -timeout 2s -tries 2 hello
	15 1 received "hello"
	2010 2 ! client 102: no reply within 2s (try 1 of 2)
	3015 1 replied "hello!"
	3016 1 received "hello"
	4010 2 ! client 102: no reply within 2s (try 2 of 2)
	4011 2 ! client: no server answered at tcp://127.0.0.1:12345
	4012 2 end 1
	6016 1 replied "hello!"`, `
	wait 2 10..4012: waits for a reply
	message 2 > 1 10..15: hello
	bar 1 15..3015: hello
	timeout 2 2010: no reply (try 1 of 2)
	message 2 > 1 2010..3016: hello
	bar 1 3016..6016: hello
	timeout 2 4010: no reply (try 2 of 2)
	lost 1 > 2 3015: hello!
	lost 1 > 2 6016: hello!`,
}, {
	"request_reply: who has given up does not ask again", `
	0 1 start request_reply/server -work 3s
	10 2 start request_reply/client -timeout 2s -tries 1 hello
	2010 2 ! client 102: no reply within 2s (try 1 of 1)
	2011 2 ! client: no server answered at tcp://127.0.0.1:12345
	2012 2 end 1
	2020 3 start request_reply/client hello
	2030 1 received "hello"
	2031 1 replied "hello!"
	2032 1 received "hello"
	2033 1 replied "hello!"
	2034 3 = hello!`, `
	wait 2 10..2012: waits for a reply
	timeout 2 2010: no reply (try 1 of 1)
	wait 3 2020..2034: waits for a reply
	message 2 > 1 10..2030: hello
	bar 1 2030..2031: hello
	message 3 > 1 2020..2032: hello
	bar 1 2032..2033: hello
	message 1 > 3 2033..2034: hello!
	lost 1 > 2 2031: hello!`,
}, {
	"request_reply: the reply to a try that was given up is not taken for another", `
	0 1 start request_reply/server -work 3s
	10 2 start request_reply/client -timeout 2s hello
	15 1 received "hello"
	2010 2 ! client 102: no reply within 2s (try 1 of 3)
	3015 1 replied "hello!"
	3016 1 received "hello"
	3999 2 = hello!
	4000 1 replied "hello!"`, `
	wait 2 10..3999: waits for a reply
	message 2 > 1 10..15: hello
	bar 1 15..3015: hello
	timeout 2 2010: no reply (try 1 of 3)
	message 2 > 1 2010..3016: hello
	bar 1 3016..4000: hello
	message 1 > 2 3999: hello!
	lost 1 > 2 3015: hello!`,
}, {
	"request_reply: a crash takes the request with it, unless it is asked again", `
	0 1 start request_reply/server
	5 2 start request_reply/client -timeout 0 plain
	6 3 start request_reply/client -timeout 1s again
	10 1 received "plain"
	11 1 replied "plain!"
	12 1 received "again"
	20 1 kill
	21 1 end -1
	30 4 start request_reply/server
	1006 3 ! client 103: no reply within 1s (try 1 of 3)
	1007 4 received "again"
	1008 4 replied "again!"
	1009 3 = again!
	1010 3 end 0
	1020 2 kill
	1021 2 end -1`, `
	wait 2 5..1020: waits for a reply (cut)
	wait 3 6..1009: waits for a reply
	message 2 > 1 5..10: plain
	bar 1 10..11: plain
	message 3 > 1 6..12: again
	bar 1 12..20: again (cut)
	timeout 3 1006: no reply (try 1 of 3)
	message 3 > 4 1006..1007: again
	bar 4 1007..1008: again
	message 4 > 3 1008..1009: again!
	lost 1 > 2 11: plain!`,
}, {
	"request_reply: what a server that crashed had received is lost", `
	0 1 start request_reply/server
	5 2 start request_reply/client -timeout 0 plain
	10 1 received "plain"
	20 1 kill
	21 1 end -1
	30 3 start request_reply/server
	31 4 start request_reply/client plain
	32 3 received "plain"
	33 3 replied "plain!"
	34 4 = plain!`, `
	wait 2 5..: waits for a reply
	message 2 > 1 5..10: plain
	bar 1 10..20: plain (cut)
	wait 4 31..34: waits for a reply
	message 4 > 3 31..32: plain
	bar 3 32..33: plain
	message 3 > 4 33..34: plain!
	lost 1 20: plain (held)`,
}, {
	"request_reply: what waited at a server that crashed is not asked again", `
	0 1 start request_reply/server
	5 2 start request_reply/client -timeout 0 hello
	20 1 kill
	21 1 end -1
	30 3 start request_reply/server
	31 4 start request_reply/client hello
	32 3 received "hello"
	33 3 replied "hello!"
	34 4 = hello!`, `
	wait 2 5..: waits for a reply
	wait 4 31..34: waits for a reply
	message 4 > 3 31..32: hello
	bar 3 32..33: hello
	message 3 > 4 33..34: hello!`,
}, {
	"request_reply: what was given up before the crash is not received after it", `
	0 1 start request_reply/server
	5 2 start request_reply/client -timeout 1s hello
	1005 2 ! client 102: no reply within 1s (try 1 of 3)
	1020 1 kill
	1021 1 end -1
	1030 3 start request_reply/server
	1032 3 received "hello"`, `
	wait 2 5..: waits for a reply
	timeout 2 1005: no reply (try 1 of 3)
	message 2 > 3 1005..1032: hello
	bar 3 1032..: hello`,
}, {
	"request_reply: two servers, told apart by their addresses", `
	0 1 start request_reply/server -bind tcp://127.0.0.1:1
	0 2 start request_reply/server -bind tcp://127.0.0.1:2
	5 3 start request_reply/client -connect tcp://127.0.0.1:2 hello
	6 4 start request_reply/client -connect tcp://127.0.0.1:1 hello
	7 1 received "hello"
	8 2 received "hello"`, `
	wait 3 5..: waits for a reply
	wait 4 6..: waits for a reply
	message 4 > 1 6..7: hello
	bar 1 7..: hello
	message 3 > 2 5..8: hello
	bar 2 8..: hello`,
}, {
	"event_notification: a copy for each; what one missed is lost in the end", `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	2 2 start event_notification/subscriber B
	3 2 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 3 start event_notification/publisher
	10 3 published event 0 of sensor123: 17 degrees
	11 1 received TEMP event 0 of sensor123: 17 degrees
	20 3 published event 1 of sensor123: 18 degrees
	21 1 received TEMP event 1 of sensor123: 18 degrees
	22 2 received TEMP event 1 of sensor123: 18 degrees`, `
	message 3 > 1 10..11: 0
	message 3 > 1 20..21: 1
	message 3 > 2 20..22: 1
	lost 3 > 2 10: 0`,
}, {
	"event_notification: received before it was printed that it was sent", `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 3 start event_notification/publisher
	9 1 received TEMP event 0 of sensor123: 17 degrees
	10 3 published event 0 of sensor123: 17 degrees`, `
	message 3 > 1 9: 0`,
}, {
	"event_notification: a publisher dies before it prints what it sent", `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 3 start event_notification/publisher
	9 1 received TEMP event 0 of sensor123: 17 degrees
	10 3 kill
	11 3 end -1`, `
	message 3 > 1 9: 0`,
}, {
	"event_notification: a publisher that is started again begins anew", `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 2 start event_notification/publisher
	10 2 published event 0 of sensor123: 17 degrees
	11 2 kill
	12 2 end -1
	20 3 start event_notification/publisher
	30 3 published event 0 of sensor123: 17 degrees
	31 1 received TEMP event 0 of sensor123: 17 degrees`, `
	message 3 > 1 30..31: 0
	lost 2 > 1 10: 0`,
}, {
	"event_notification: what comes while a subscriber is away, it misses", `
	0 1 start event_notification/publisher
	1 2 start event_notification/subscriber A
	2 2 subscribing to "TEMP" at tcp://127.0.0.1:12346
	10 1 published event 0 of sensor123: 17 degrees
	11 2 received TEMP event 0 of sensor123: 17 degrees
	12 2 end 0
	20 1 published event 1 of sensor123: 18 degrees
	30 3 start event_notification/subscriber A
	31 3 subscribing to "TEMP" at tcp://127.0.0.1:12346
	40 1 published event 2 of sensor123: 19 degrees
	41 3 received TEMP event 2 of sensor123: 19 degrees
	42 3 end 0
	50 1 published event 3 of sensor123: 19 degrees`, `
	message 1 > 2 10..11: 0
	message 1 > 3 40..41: 2
	lost 1 > 2 20: 1`,
}, {
	"event_notification: topics, and two publishers with equal events", `
	0 1 start event_notification/subscriber -connect tcp://*:1 -connect tcp://*:2 -topic TEMP 1
	1 1 subscribing to "TEMP" at tcp://*:1
	1 1 subscribing to "TEMP" at tcp://*:2
	0 2 start event_notification/subscriber -connect tcp://*:1 -topic 'TEMP ' 2
	2 2 subscribing to "TEMP " at tcp://*:1
	5 3 start event_notification/publisher -bind tcp://*:1
	6 4 start event_notification/publisher -bind tcp://*:2 -topic TEMPERATURE
	10 3 published event 0 of sensor123: 17 degrees
	11 4 published event 0 of sensor123: 17 degrees
	12 1 received TEMPERATURE event 0 of sensor123: 17 degrees
	13 1 received TEMP event 0 of sensor123: 17 degrees
	14 2 received TEMP event 0 of sensor123: 17 degrees
	15 4 published event 1 of sensor123: 3 degrees`, `
	message 4 > 1 11..12: 0
	message 3 > 1 10..13: 0
	message 3 > 2 10..14: 0
	lost 4 > 1 15: 1`,
}, {
	"pipeline: order, work, report", `
	0 1 start pipeline/sink -count 1
	1 2 start pipeline/worker fast
	2 3 start pipeline/pusher
	3 3 waiting for a worker that can take an order
	10 3 pushed order 0 of 12347 worth 9
	11 3 waiting until the workers have all orders
	12 2 received order 0 of 12347 worth 9
	13 3 end 0
	30 2 delivered order 0 of 12347 worth 9
	31 1 worker fast has delivered order 0 of 12347 worth 9`, `
	wait 3 3..10: waits for a worker
	wait 3 11..13: waits until the workers have all
	message 3 > 2 10..12: 0
	bar 2 12..30: 0
	message 2 > 1 30..31: 0`,
}, {
	"pipeline: quoted names; printed in the wrong order", `
	0 1 start pipeline/sink
	1 2 start pipeline/worker 'a b'
	2 3 start pipeline/pusher
	12 2 received order 0 of 12347 worth 9
	13 3 pushed order 0 of 12347 worth 9
	29 1 worker "a b" has delivered order 0 of 12347 worth 9
	30 2 delivered order 0 of 12347 worth 9`, `
	bar 2 12..30: 0
	message 3 > 2 12: 0
	message 2 > 1 29: 0`,
}, {
	"pipeline: lost with the worker that crashed: in its queue, and at work", `
	0 1 start pipeline/sink
	1 2 start pipeline/worker 1
	2 4 start pipeline/worker 2
	3 3 start pipeline/pusher
	10 3 pushed order 0 of 12347 worth 9
	11 3 pushed order 1 of 12347 worth 8
	12 2 received order 0 of 12347 worth 9
	20 2 kill
	21 2 end -1`, `
	message 3 > 2 10..12: 0
	bar 2 12..20: 0 (cut)
	lost 3 11: 1
	lost 2 20: 0 (held)`,
}, {
	"pipeline: a worker dies when it has reported, before it prints so", `
	0 1 start pipeline/sink
	1 2 start pipeline/worker 1
	2 4 start pipeline/worker 2
	3 3 start pipeline/pusher
	10 3 pushed order 0 of 12347 worth 9
	12 2 received order 0 of 12347 worth 9
	20 1 worker 1 has delivered order 0 of 12347 worth 9
	20 2 kill
	21 2 end -1`, `
	message 3 > 2 10..12: 0
	bar 2 12..20: 0 (cut)
	message 2 > 1 20: 0
	lost 2 20: 0 (held)`,
}, {
	"pipeline: reports to a sink that never was are not lost", `
	1 2 start pipeline/worker 1
	3 3 start pipeline/pusher
	10 3 pushed order 0 of 12347 worth 9
	12 2 received order 0 of 12347 worth 9
	20 2 delivered order 0 of 12347 worth 9`, `
	message 3 > 2 10..12: 0
	bar 2 12..20: 0`,
}, {
	"pipeline: two pushers, and a pusher that was restarted", `
	0 1 start pipeline/worker -connect tcp://127.0.0.1:1 -connect tcp://127.0.0.1:2 1
	1 2 start pipeline/pusher -bind tcp://127.0.0.1:1
	2 3 start pipeline/pusher -bind tcp://127.0.0.1:2
	10 2 pushed order 0 of 1 worth 9
	11 3 pushed order 0 of 2 worth 9
	12 1 received order 0 of 2 worth 9
	13 1 delivered order 0 of 2 worth 9
	14 1 received order 0 of 1 worth 9
	15 1 delivered order 0 of 1 worth 9
	16 2 end 0
	17 4 start pipeline/pusher -bind tcp://127.0.0.1:1
	20 4 pushed order 0 of 1 worth 9
	21 1 received order 0 of 1 worth 9`, `
	message 3 > 1 11..12: 0
	bar 1 12..13: 0
	message 2 > 1 10..14: 0
	bar 1 14..15: 0
	message 4 > 1 20..21: 0
	bar 1 21..: 0`,
}, {
	"message_queue: submitted, received, handled and acknowledged", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	10 1 submitted order 0 worth 9
	15 2 received order 0 worth 9
	30 2 handled order 0 worth 9`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 15 = 0
	message queue delivery-orders > 2 15: 0
	bar 2 15..30: 0
	ack 2 > queue delivery-orders 30`,
}, {
	"message_queue: received before the confirm has come", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	15 2 received order 0 worth 9
	30 2 handled order 0 worth 9
	60 1 submitted order 0 worth 9
	61 1 submitted order 1 worth 9`, `
	message queue delivery-orders > 2 15: 0
	bar 2 15..30: 0
	ack 2 > queue delivery-orders 30
	message 1 > queue delivery-orders 15: 0
	message 1 > queue delivery-orders 61: 1
	depth queue delivery-orders 61 = 1`,
}, {
	"message_queue: a crash; the order goes back, and comes again", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	2 3 start message_queue/consumer $B 2
	10 1 submitted order 0 worth 9
	15 2 received order 0 worth 9
	20 2 kill
	21 2 end -1
	25 3 received order 0 worth 9 (redelivered)
	30 3 handled order 0 worth 9`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 15 = 0
	message queue delivery-orders > 2 15: 0
	bar 2 15..20: 0 (cut)
	back 2 > queue delivery-orders 20: 0 goes back
	depth queue delivery-orders 20 = 1
	depth queue delivery-orders 25 = 0
	again queue delivery-orders > 3 25: 0 again
	bar 3 25..30: 0
	ack 3 > queue delivery-orders 30`,
}, {
	"message_queue: another has it before the end of the first is known", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	2 3 start message_queue/consumer $B 2
	10 1 submitted order 0 worth 9
	15 2 received order 0 worth 9
	20 2 kill
	21 3 received order 0 worth 9 (redelivered)
	22 2 end -1`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 15 = 0
	message queue delivery-orders > 2 15: 0
	bar 2 15..20: 0 (cut)
	again queue delivery-orders > 3 21: 0 again
	bar 3 21..: 0
	back 2 > queue delivery-orders 20: 0 goes back`,
}, {
	"message_queue: Ctrl-C gives it back", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	10 1 submitted order 0 worth 9
	15 2 received order 0 worth 9
	20 2 order 0 worth 9 goes back to the queue
	21 2 end 0`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 15 = 0
	message queue delivery-orders > 2 15: 0
	bar 2 15..20: 0 (cut)
	back 2 > queue delivery-orders 20: 0 goes back
	depth queue delivery-orders 20 = 1`,
}, {
	"message_queue: one producer dies, and another has sent it", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/producer $B
	2 3 start message_queue/consumer $B 1
	15 3 received order 0 worth 9
	16 1 kill
	17 1 end -1
	90 2 submitted order 0 worth 9`, `
	message queue delivery-orders > 3 15: 0
	bar 3 15..: 0
	message 2 > queue delivery-orders 15: 0`,
}, {
	"message_queue: a producer dies before it hears that its order is there", `
	0 1 start message_queue/producer
	0.5 1 connected to amqp://127.0.0.1:5000/lab
	1 2 start message_queue/producer $B
	2 3 start message_queue/consumer $B 1
	15 3 received order 0 worth 9
	16 1 kill
	17 1 end -1`, `
	message queue delivery-orders > 3 15: 0
	bar 3 15..: 0
	message 1 > queue delivery-orders 15: 0`,
}, {
	"message_queue: set aside after the fifth return", `
	0 1 start message_queue/producer $B
	10 1 submitted order 0 worth 9
	11 2 start message_queue/consumer $B 2
	12 2 received order 0 worth 9
	13 2 end -1
	14 3 start message_queue/consumer $B 3
	15 3 received order 0 worth 9 (redelivered)
	16 3 end -1
	17 4 start message_queue/consumer $B 4
	18 4 received order 0 worth 9 (redelivered)
	19 4 end -1
	20 5 start message_queue/consumer $B 5
	21 5 received order 0 worth 9 (redelivered)
	22 5 end -1
	23 6 start message_queue/consumer $B 6
	24 6 received order 0 worth 9 (redelivered)
	25 6 end -1
	26 7 start message_queue/consumer $B 7
	27 7 received order 0 worth 9 (redelivered)
	28 7 end -1`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 12 = 0
	message queue delivery-orders > 2 12: 0
	bar 2 12..13: 0 (cut)
	back 2 > queue delivery-orders 13: 0 goes back
	depth queue delivery-orders 13 = 1
	depth queue delivery-orders 15 = 0
	again queue delivery-orders > 3 15: 0 again
	bar 3 15..16: 0 (cut)
	back 3 > queue delivery-orders 16: 0 goes back
	depth queue delivery-orders 16 = 1
	depth queue delivery-orders 18 = 0
	again queue delivery-orders > 4 18: 0 again
	bar 4 18..19: 0 (cut)
	back 4 > queue delivery-orders 19: 0 goes back
	depth queue delivery-orders 19 = 1
	depth queue delivery-orders 21 = 0
	again queue delivery-orders > 5 21: 0 again
	bar 5 21..22: 0 (cut)
	back 5 > queue delivery-orders 22: 0 goes back
	depth queue delivery-orders 22 = 1
	depth queue delivery-orders 24 = 0
	again queue delivery-orders > 6 24: 0 again
	bar 6 24..25: 0 (cut)
	back 6 > queue delivery-orders 25: 0 goes back
	depth queue delivery-orders 25 = 1
	depth queue delivery-orders 27 = 0
	again queue delivery-orders > 7 27: 0 again
	bar 7 27..28: 0 (cut)
	back 7 > queue delivery-orders-dead 28: 0 is set aside
	depth queue delivery-orders-dead 28 = 1`,
}, {
	"message_queue: set aside, as it says itself", `
	0 1 start message_queue/consumer $B 1
	1 1 received order 0 worth 9 (redelivered)
	2 1 order 0 worth 9 came back too often: set aside, in delivery-orders-dead`, `
	again queue delivery-orders > 1 1: 0 again
	bar 1 1..2: 0 (cut)
	back 1 > queue delivery-orders-dead 2: 0 is set aside
	depth queue delivery-orders-dead 2 = 1`,
}, {
	"message_queue: the broker is lost, and comes again; one order is doubled", `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	2 1 connected to amqp://127.0.0.1:5000/lab
	10 2 received order 0 worth 9
	11 2 handled order 0 worth 9
	12 2 received order 1 worth 5
	20 1 lost the broker (EOF); connecting again
	21 2 lost the broker (EOF); connecting again
	3000 2 connected to amqp://127.0.0.1:5000/lab
	3001 1 connected to amqp://127.0.0.1:5000/lab
	3002 1 submitted order 0 worth 9
	3003 1 submitted order 1 worth 5
	3004 2 received order 1 worth 5 (redelivered)
	3005 2 handled order 1 worth 5
	3006 2 received order 0 worth 9`, `
	message queue delivery-orders > 2 10: 0
	bar 2 10..11: 0
	ack 2 > queue delivery-orders 11
	message queue delivery-orders > 2 12: 1
	bar 2 12..21: 1 (cut)
	down queue delivery-orders 20..3000
	depth queue delivery-orders 21 = 1
	message 1 > queue delivery-orders 10: 0
	message 1 > queue delivery-orders 12: 1
	depth queue delivery-orders 3004 = 0
	again queue delivery-orders > 2 3004: 1 again
	bar 2 3004..3005: 1
	ack 2 > queue delivery-orders 3005
	again queue delivery-orders > 2 3006: 0 again
	bar 2 3006..: 0`,
}, {
	"message_queue: sent, not confirmed", `
	0 1 start message_queue/producer $B -confirm=false
	10 1 sent order 0 worth 9
	11 1 sent order 1 worth 9`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1 (unsure)
	message 1 > queue delivery-orders 11: 1
	depth queue delivery-orders 11 = 2 (unsure)`,
}, {
	"message_queue: two brokers, told apart", `
	0 1 start message_queue/producer -broker amqp://127.0.0.1:5000/one
	1 2 start message_queue/consumer -broker amqp://127.0.0.1:5000/two 1
	2 3 start message_queue/producer -broker amqp://127.0.0.1:5000/two
	10 1 submitted order 0 worth 9
	11 3 submitted order 0 worth 9
	12 2 received order 0 worth 9`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	message 3 > queue delivery-orders of broker 2 11: 0
	depth queue delivery-orders of broker 2 11 = 1
	depth queue delivery-orders of broker 2 12 = 0
	message queue delivery-orders of broker 2 > 2 12: 0
	bar 2 12..: 0`,
}, {
	"message_queue: a cluster is one broker; so is one that was not named", `
	0 1 start message_queue/producer -broker amqp://a:b@127.0.0.1:1/,amqp://a:b@127.0.0.1:2/
	1 2 start message_queue/consumer 1
	2 2 connected to amqp://localhost:2/
	10 1 submitted order 0 worth 9
	12 2 received order 0 worth 9`, `
	message 1 > queue delivery-orders 10: 0
	depth queue delivery-orders 10 = 1
	depth queue delivery-orders 12 = 0
	message queue delivery-orders > 2 12: 0
	bar 2 12..: 0`,
}, {
	"publish_subscribe: a copy for each queue whose key fits", `
	0 1 start publish_subscribe/subscriber $B 1
	1 1 waiting for events temp.* in subscriber-1
	2 2 start publish_subscribe/subscriber $B -key humidity.* 2
	3 2 waiting for events humidity.* in subscriber-2
	4 3 start publish_subscribe/subscriber $B -key '#' 3
	5 3 waiting for events # in subscriber-3
	6 4 start publish_subscribe/publisher $B
	10 4 published event 0 of sensor123: 17 degrees
	11 1 received event 0 of sensor123: 17 degrees
	12 1 handled event 0 of sensor123: 17 degrees
	13 4 dropped event 1 of sensor123: 18 degrees: no queue is bound for temp.sensor123`, `
	message 4 > queue subscriber-1 10: 0
	depth queue subscriber-1 10 = 1
	message 4 > queue subscriber-3 10: 0
	depth queue subscriber-3 10 = 1
	depth queue subscriber-1 11 = 0
	message queue subscriber-1 > 1 11: 0
	bar 1 11..12: 0
	ack 1 > queue subscriber-1 12
	dropped 4 13: 1`,
}, {
	"publish_subscribe: bound and published before it is printed", `
	0 1 start publish_subscribe/subscriber $B 1
	1 4 start publish_subscribe/publisher $B
	10 4 published event 0 of sensor123: 17 degrees
	11 1 waiting for events temp.* in subscriber-1
	12 1 received event 0 of sensor123: 17 degrees
	13 1 received event 1 of sensor123: 18 degrees
	14 4 published event 1 of sensor123: 18 degrees`, `
	message 4 > queue subscriber-1 10: 0
	message queue subscriber-1 > 1 12: 0
	bar 1 12..: 0
	message queue subscriber-1 > 1 13: 1
	bar 1 13..: 1
	message 4 > queue subscriber-1 13: 1`,
}, {
	"publish_subscribe: a crash, and what comes while it is away", `
	0 1 start publish_subscribe/subscriber $B A
	1 1 waiting for events temp.* in subscriber-A
	2 4 start publish_subscribe/publisher $B
	10 4 published event 0 of sensor123: 17 degrees
	11 1 received event 0 of sensor123: 17 degrees
	12 1 kill
	13 1 end -1
	20 4 published event 1 of sensor123: 18 degrees
	30 5 start publish_subscribe/subscriber $B A
	31 5 waiting for events temp.* in subscriber-A
	32 5 received event 0 of sensor123: 17 degrees (redelivered)
	33 5 handled event 0 of sensor123: 17 degrees
	34 5 received event 1 of sensor123: 18 degrees
	35 5 event 1 of sensor123: 18 degrees goes back to the queue`, `
	message 4 > queue subscriber-A 10: 0
	depth queue subscriber-A 10 = 1
	depth queue subscriber-A 11 = 0
	message queue subscriber-A > 1 11: 0
	bar 1 11..12: 0 (cut)
	back 1 > queue subscriber-A 12: 0 goes back
	depth queue subscriber-A 12 = 1
	message 4 > queue subscriber-A 20: 1
	depth queue subscriber-A 20 = 2
	depth queue subscriber-A 32 = 1
	again queue subscriber-A > 5 32: 0 again
	bar 5 32..33: 0
	ack 5 > queue subscriber-A 33
	depth queue subscriber-A 34 = 0
	message queue subscriber-A > 5 34: 1
	bar 5 34..35: 1 (cut)
	back 5 > queue subscriber-A 35: 1 goes back
	depth queue subscriber-A 35 = 1`,
}, {
	"publish_subscribe: a publisher in place of one that was killed counts anew", `
	0 1 start publish_subscribe/subscriber $B A
	1 1 waiting for events temp.* in subscriber-A
	2 2 start publish_subscribe/publisher $B
	5 2 published event 0 of sensor123: 20 degrees
	6 1 received event 0 of sensor123: 20 degrees
	7 1 handled event 0 of sensor123: 20 degrees
	8 2 kill
	9 2 end -1
	10 1 lost the broker (no answer in time); connecting again
	9000 1 connected to amqp://127.0.0.1:5000/lab
	9001 1 waiting for events temp.* in subscriber-A
	9002 3 start publish_subscribe/publisher $B
	9005 1 received event 0 of sensor123: 20 degrees
	9006 3 published event 0 of sensor123: 20 degrees
	9007 1 handled event 0 of sensor123: 20 degrees`, `
	message 2 > queue subscriber-A 5: 0
	depth queue subscriber-A 5 = 1
	depth queue subscriber-A 6 = 0
	message queue subscriber-A > 1 6: 0
	bar 1 6..7: 0
	ack 1 > queue subscriber-A 7
	down queue subscriber-A 10..9000
	message queue subscriber-A > 1 9005: 0
	bar 1 9005..9007: 0
	message 3 > queue subscriber-A 9005: 0
	ack 1 > queue subscriber-A 9007`,
}, {
	"publish_subscribe: a temporary queue goes with its subscriber", `
	0 1 start publish_subscribe/subscriber $B
	1 1 waiting for events temp.* in amq.gen-x
	2 4 start publish_subscribe/publisher $B
	9 4 published event 0 of sensor123: 17 degrees
	9.5 1 received event 0 of sensor123: 17 degrees
	10 4 published event 1 of sensor123: 17 degrees
	20 1 kill
	21 1 end -1
	30 4 published event 2 of sensor123: 18 degrees`, `
	message 4 > queue amq.gen-x 9: 0
	depth queue amq.gen-x 9 = 1
	depth queue amq.gen-x 9.5 = 0
	message queue amq.gen-x > 1 9.5: 0
	bar 1 9.5..20: 0 (cut)
	message 4 > queue amq.gen-x 10: 1
	depth queue amq.gen-x 10 = 1
	lost queue amq.gen-x > 1 10: 1
	lost 1 20: 0 (held)`,
}, {
	"publish_subscribe: the name of a sensor that is no plain word", `
	0 1 start publish_subscribe/subscriber $B 1
	1 1 waiting for events temp.* in subscriber-1
	2 4 start publish_subscribe/publisher $B -sensor 'my "s"'
	9 4 published event 0 of "my \"s\"": 17 degrees
	10 1 received event 0 of "my \"s\"": 17 degrees
	11 1 handled event 0 of "my \"s\"": 17 degrees`, `
	message 4 > queue subscriber-1 9: 0
	depth queue subscriber-1 9 = 1
	depth queue subscriber-1 10 = 0
	message queue subscriber-1 > 1 10: 0
	bar 1 10..11: 0
	ack 1 > queue subscriber-1 11`,
}, {
	"event_notification: a topic that is quoted, and shortened", `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	2 2 start event_notification/publisher -topic 'TEMP "quotes", which goes on and on and on and on and on and on'
	9 2 published event 0 of sensor123: 17 degrees
	10 1 received "TEMP \"quotes\", which goes on and on and on and on and on" event 0 of sensor123: 17 degrees`, `
	message 2 > 1 9..10: 0`,
}, {
	"tuple_spaces: one waits to take, another writes", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/client take fac '?int'
	2 1 client 102: take ["fac",{"?":"int"}] waits
	10 3 start tuple_spaces/client write fac 5
	11 1 client 103: write ["fac",5]
	12 1 client 102: take gets ["fac",5]
	13 3 write ["fac",5]
	14 2 take ["fac",5]
	15 4 start tuple_spaces/client tryread fac '?int'
	16 1 client 104: read ["fac",{"?":"int"}] finds nothing
	17 4 ! client 104: tryread: no tuple matches`, `
	message 2 > 1 2: take fac ?int
	wait 2 2..14: take fac ?int
	message 3 > 1 11: fac 5
	message 1 > 2 12..14: fac 5
	message 4 > 1 16: read fac ?int`,
}, {
	"tuple_spaces: it has the reply before the server prints so", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/client take fac '?int'
	2 1 client 102: take ["fac",{"?":"int"}] waits
	11 2 take ["fac",5]
	12 2 end 0
	13 1 client 102: take gets ["fac",5]`, `
	message 2 > 1 2: take fac ?int
	wait 2 2..11: take fac ?int
	message 1 > 2 11: fac 5`,
}, {
	"tuple_spaces: all that matches, in one reply", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/client takeall a '?'
	2 1 client 102: take gets ["a",1],["a",2]
	3 2 takeall ["a",1]
	4 2 takeall ["a",2]`, `
	message 2 > 1 2
	message 1 > 2 2..3: a 1 a 2`,
}, {
	"tuple_spaces: a taker that was killed while it waited swallows nothing", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	2 1 worker 102: take ["fac",{"?":"int64"}] waits
	3 2 kill
	4 2 end -1
	5 1 worker 102: take ["fac",{"?":"int64"}]: its client is gone`, `
	message 2 > 1 2: take fac ?int64
	wait 2 2..3: take fac ?int64 (cut)`,
}, {
	"tuple_spaces: one that was frozen, and never woke, swallows it", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	2 1 worker 102: take ["fac",{"?":"int64"}] waits
	3 2 freeze
	5 1 worker 102: take gets ["fac",4]
	9 2 kill
	10 2 end -1`, `
	message 2 > 1 2: take fac ?int64
	wait 2 2..9: take fac ?int64 (cut)
	lost 1 > 2 5: fac 4`,
}, {
	"tuple_spaces: who is killed loses nothing that it read, or borrowed, or had", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/client read a '?'
	2 1 client 102: read gets ["a",1]
	3 3 start tuple_spaces/worker_example/worker fac
	4 1 worker 103: take gets ["fac",4], on loan ab12
	5 4 start tuple_spaces/event_example/publisher
	6 1 publisher 104: take gets ["temp",0,"sensor123",1]
	7 1 publisher 104: write ["temp",0,"sensor123",2]
	9 2 kill
	9 3 kill
	9 4 kill
	10 2 end -1
	10 3 end -1
	10 4 end -1`, `
	message 2 > 1 2
	message 3 > 1 4
	message 4 > 1 6
	message 4 > 1 7: temp 0 sensor123 2`,
}, {
	"tuple_spaces: Ctrl-C while a reply is on its way: nothing is lost", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	2 1 worker 102: take ["fac",{"?":"int64"}] waits
	3 1 worker 102: take gets ["fac",4]
	4 2 end 0`, `
	message 2 > 1 2: take fac ?int64
	wait 2 2..4: take fac ?int64`,
}, {
	"tuple_spaces: a task for good, lost with its worker", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	5 1 worker 102: take gets ["fac",4]
	6 2 took fac 4
	9 2 kill
	10 2 end -1`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..9: fac 4 (cut)
	lost 2 9: fac 4 (held)`,
}, {
	"tuple_spaces: its result had come already", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	5 1 worker 102: take gets ["fac",4]
	6 2 took fac 4
	8 1 worker 102: write ["fac_res",24]
	9 2 kill
	10 2 end -1`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..8: fac 4
	message 2 > 1 8: fac_res 24`,
}, {
	"tuple_spaces: on loan, it comes back, another does it; too late", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 1s fac
	2 3 start tuple_spaces/worker_example/worker fac
	5 1 worker 102: take gets ["fac",4], on loan ab12
	6 2 took fac 4
	7 1 worker 103: take ["fac",{"?":"int64"}] waits
	1005 1 worker 102: loan ab12 has run out: ["fac",4] comes back
	1006 1 worker 103: take gets ["fac",4], on loan cd34
	1007 3 took fac 4
	1008 1 worker 103: commit loan cd34, write ["fac_res",24]
	1009 3 wrote ["fac_res",24] for 4
	1020 1 worker 102: commit loan ab12 (too late): nothing is written
	1021 2 too late with fac 4: the loan has run out`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..1021: fac 4
	message 3 > 1 7: take fac ?int64
	wait 3 7..1007: take fac ?int64
	back 2 > 1 1005: fac 4 comes back
	message 1 > 3 1006..1007: fac 4
	bar 3 1007..1008: fac 4
	message 3 > 1 1008: fac_res 24
	message 2 > 1 1020: too late`,
}, {
	"tuple_spaces: on loan, and killed: nothing is lost", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 1s fac
	5 1 worker 102: take gets ["fac",4], on loan ab12
	6 2 took fac 4
	7 2 kill
	8 2 end -1
	1005 1 worker 102: loan ab12 has run out: ["fac",4] comes back`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..7: fac 4 (cut)
	back 2 > 1 1005: fac 4 comes back`,
}, {
	"tuple_spaces: Ctrl-C at work puts the task back, or ends its loan", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	5 1 worker 102: take gets ["fac",4]
	6 2 took fac 4
	7 1 worker 102: write ["fac",4]
	8 2 end 0
	11 3 start tuple_spaces/worker_example/worker fac
	15 1 worker 103: take gets ["fac",4], on loan ab12
	16 3 took fac 4
	17 1 worker 103: release loan ab12
	18 3 end 0`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..7: fac 4 (cut)
	back 2 > 1 7: fac 4 goes back
	message 3 > 1 15
	message 1 > 3 15..16: fac 4
	bar 3 16..17: fac 4 (cut)
	back 3 > 1 17: fac 4 goes back`,
}, {
	"tuple_spaces: the same task again, which the worker prints first", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker fac
	5 1 worker 102: take gets ["fac",5], on loan ab12
	6 2 took fac 5
	8 1 worker 102: commit loan ab12, write ["fac_res",120]
	9 2 wrote ["fac_res",120] for 5
	10 1 worker 102: take ["fac",{"?":"int64"}] waits
	2005 2 took fac 5
	2006 1 worker 102: take gets ["fac",5], on loan cd34
	2008 1 worker 102: commit loan cd34, write ["fac_res",120]
	2009 2 wrote ["fac_res",120] for 5
	2010 1 worker 102: take ["fac",{"?":"int64"}] waits
	4005 1 worker 102: take gets ["fac",5], on loan ef56
	4006 2 took fac 5`, `
	message 2 > 1 5
	message 1 > 2 5..6: fac 5
	bar 2 6..8: fac 5
	message 2 > 1 8: fac_res 120
	message 2 > 1 10: take fac ?int64
	wait 2 10..2005: take fac ?int64
	bar 2 2005..2008: fac 5
	message 1 > 2 2005: fac 5
	message 2 > 1 2008: fac_res 120
	message 2 > 1 2010: take fac ?int64
	wait 2 2010..4006: take fac ?int64
	message 1 > 2 4005..4006: fac 5
	bar 2 4006..: fac 5`,
}, {
	"tuple_spaces/event_example: what a program does not print is passed over", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/event_example/subscriber A
	2 1 subscriber A: read ["temp",7,"sensor123",{"?":"int64"}] waits
	1002 1 subscriber A: cancel the last request
	1003 1 subscriber A: read gets ["temp",6,"sensor123",20]
	1004 1 subscriber A: read gets ["temp",9,"sensor123",21]
	1005 2 missed events 7 to 8
	1006 2 received event 9 of sensor123: 21 degrees
	1007 2 end 0`, `
	message 2 > 1 2: read temp 7 sensor123 ?…
	wait 2 2..1002: read temp 7 sensor123 ?…
	message 2 > 1 1002: cancel
	message 2 > 1 1003
	message 2 > 1 1004
	message 1 > 2 1004..1006: temp 9 sensor123 21`,
}, {
	"tuple_spaces/event_example: a wait for what is not printed", `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/event_example/subscriber A
	2 1 subscriber A: read ["temp",7,"sensor123",{"?":"int"}] waits
	5 1 subscriber A: read gets ["temp",7,"sensor123",20]
	9 1 subscriber A: read ["temp",8,"sensor123",{"?":"int"}] waits`, `
	message 2 > 1 2: read temp 7 sensor123 ?…
	wait 2 2..5: read temp 7 sensor123 ?…
	message 2 > 1 9: read temp 8 sensor123 ?…
	wait 2 9..: read temp 8 sensor123 ?…`,
}, {
	"tuple_spaces: a client in C, whose name nobody knows", `
	0 1 start tuple_spaces/server
	5 c_client asks {"op":"take","pattern":["fac_res",{"?":"int"}]}
	6 1 take ["fac_res",{"?":"int"}] waits
	7 1 take gets ["fac_res",24]
	8 c_client {"status":"ok","tuples":[["fac_res",24]]}
	9 1 refused: a number does not belong here: pattern`, `
	message c_client > 1 6: take fac_res ?int
	wait c_client 6..8: take fac_res ?int
	message 1 > c_client 7..8: fac_res 24
	message c_client > 1 9: refused`,
}, {
	"go_basics/sockets: two messages arrive as one", `
	0 1 start go_basics/sockets/server -bind 127.0.0.1:7
	1 2 start go_basics/sockets/client -connect 127.0.0.1:7 one two
	2 2 sent 3 bytes: "one"
	3 2 sent 3 bytes: "two"
	9 1 received 6 bytes: "onetwo"
	10 2 received 7 bytes: "onetwo!"`, `
	message 2 > 1 2..9: one
	message 2 > 1 3..9: two
	message 1 > 2 9..10: onetwo!`,
}, {
	"go_basics/sockets: one arrives as several, printed in the wrong order", `
	0 1 start go_basics/sockets/server
	1 2 start go_basics/sockets/client -repeat 3000 x
	2 1 received 1024 bytes: "xxxx"
	3 1 received 1024 bytes: "xxxx"
	4 2 sent 3000 bytes: "xxxx"
	5 1 received 952 bytes: "xxxx"
	6 2 received 3003 bytes: "xxxx"`, `
	message 2 > 1 2: 1024 bytes
	message 2 > 1 3: 1024 bytes
	message 2 > 1 4..5: 952 bytes
	message 1 > 2 2..6: 1025 bytes
	message 1 > 2 3..6: 1025 bytes
	message 1 > 2 5..6: 953 bytes`,
}, {
	"go_basics/sockets: a part of a message; a server that is started again", `
	0 1 start go_basics/sockets/server
	1 2 start go_basics/sockets/client 0123456789
	2 2 sent 10 bytes: "0123456789"
	3 1 received 4 bytes: "0123"
	4 1 kill
	5 1 end -1
	6 2 end 1
	7 3 start go_basics/sockets/server
	8 3 listening on 127.0.0.1:12350
	9 4 start go_basics/sockets/client abc
	10 4 sent 3 bytes: "abc"
	11 3 received 3 bytes: "abc"
	12 4 received 4 bytes: "abc!"`, `
	message 2 > 1 2..3: 4 bytes
	message 4 > 3 10..11: abc
	message 3 > 4 11..12: abc!
	lost 2 > 1 2: 0123456789`,
}, {
	"go_basics/sockets: a server that is killed has not read all", `
	0 1 start go_basics/sockets/server
	1 2 start go_basics/sockets/client one two
	2 2 sent 3 bytes: "one"
	3 2 sent 3 bytes: "two"
	4 1 received 3 bytes: "one"
	5 1 kill
	6 1 end -1`, `
	message 2 > 1 2..4: one
	lost 2 > 1 3: two`,
}, {
	"go_basics/ipc: the ends of a pipe are parts of one process", `
	0 1 start go_basics/ipc/run
	1 1 = server 201: waiting for a list
	2 1 = client 202: sent a list of a number, a text and a map
	3 1 = server 201: received 42, as float64
	4 1 = server 201: received hello world, as string`, `
	message 1/client > 1/server 2..3: list`,
}, {
	"go_basics/channels: what one goroutine receives, the other has just sent", `
	0 1 start go_basics/channels
	1 1 server: received 42, as int
	2 1 server: received "Hello, world"
	3 1 client: received "Hello, world!"
	4 1 server: the client has closed`, `
	message 1/client > 1/server 1: 42
	message 1/client > 1/server 2: Hello, world
	message 1/server > 1/client 3: Hello, world!`,
}, {
	"a program, and lines, that stand in no table", `
	0 1 start pipeline/run worker-crash
	1 1 = verdict: 20 sent, 12 handled
	2 2 start pipeline/worker 1
	3 2 waiting for orders
	4 2 received order
	5 9 received order 0 of 12347 worth 9
	6 who says so`, ``,
}}

// unknown are how many lines of a script are about what was received from
// somebody who is not known.
var unknown = map[string]int{
	"message_queue: set aside, as it says itself": 1,
}

func TestScripts(t *testing.T) {
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			events := play(t, c.script)
			d := New()
			wantMarks(t, d.derive(sorted(events)), c.want)
			if d.received-d.found != unknown[c.name] {
				t.Errorf("of %d lines about what was received %d found "+
					"their sender", d.received, d.found)
			}
		})
	}
}

// However the lines of two processes come to be read, the same messages are
// found: what one process prints stays in its order.
func TestLinesInAnyOrder(t *testing.T) {
	for _, c := range scripts {
		events := play(t, c.script)
		want := New()
		for _, e := range byTime(events) {
			want.Add(e)
		}
		want.Over()
		for seed := range 50 {
			d := New()
			for _, e := range mixed(events, seed) {
				d.Add(e)
			}
			d.Over()
			if d.received != want.received || d.found != want.found {
				t.Errorf("%s: of %d lines %d found their sender; mixed up "+
					"(%d), of %d %d", c.name, want.received, want.found, seed,
					d.received, d.found)
				break
			}
		}
	}
}

// mixed returns the events in another order: the lab reads a line up to 5 ms
// late, but those of one process in order, and a process starts in time.
func mixed(events []record.Event, seed int) []record.Event {
	type late struct {
		record.Event
		at time.Duration
	}
	var all []late
	last := map[int]time.Duration{}
	for i, e := range events {
		at := e.Time
		if e.Kind != record.Start {
			at += time.Duration((i*7919+seed*104729)%5) * time.Millisecond
		}
		at = max(at, last[e.Process])
		last[e.Process] = at
		all = append(all, late{e, at})
	}
	slices.SortStableFunc(all, func(a, b late) int { return int(a.at - b.at) })
	var mixed []record.Event
	for _, e := range all {
		mixed = append(mixed, e.Event)
	}
	return mixed
}

// Whatever comes, in whatever order, from whomever: it is drawn, or it is not.
func TestNonsense(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var events []record.Event
		for range 3 {
			c := scripts[random.IntN(len(scripts))]
			events = append(events, play(t, c.script)...)
		}
		random.Shuffle(len(events), func(i, j int) {
			events[i], events[j] = events[j], events[i]
		})
		d := New()
		for _, e := range events {
			if random.IntN(10) == 0 {
				e.Process = random.IntN(5)
			}
			for _, m := range append(d.Add(e), d.Flush()...) {
				if m.Kind == Depth && m.Count < 0 ||
					m.End != 0 && m.End < m.Begin || m.Lane == "" {
					t.Errorf("%+v", m)
				}
			}
			d.Lanes()
		}
		d.Over()
		if d.found > d.received {
			t.Errorf("of %d lines %d found their sender", d.received, d.found)
		}
	}
}

// Each mark that was replaced keeps its number, and Over adds none twice.
func TestMarksAreReplaced(t *testing.T) {
	events := play(t, `
	0 1 start message_queue/producer $B
	1 2 start message_queue/consumer $B 1
	10 1 submitted order 0 worth 9
	15 2 received order 0 worth 9
	30 2 handled order 0 worth 9`)
	d := New()
	var all []Mark
	for _, e := range events {
		all = append(all, d.Add(e)...)
	}
	all = append(all, d.Over()...)
	all = append(all, d.Over()...)
	var bars []string
	for _, m := range all {
		if m.Kind == Bar {
			bars = append(bars, fmt.Sprint(m.ID, " ", m))
		}
	}
	want := []string{"5 bar 2 15..: 0", "5 bar 2 15..30: 0"}
	if !slices.Equal(bars, want) || len(all) != 7 {
		t.Errorf("%q of %d, not %q of 7", bars, len(all), want)
	}
}

// What a process sent and did not live to print is drawn when it is dead, and
// not only in the end.
func TestTheDeadLive(t *testing.T) {
	for name, script := range map[string]string{
		"before": `
		9 1 received TEMP event 0 of sensor123: 17 degrees
		10 2 kill
		11 2 end -1`,
		"after": `
		9.5 2 kill
		9.6 2 end -1
		9 1 received TEMP event 0 of sensor123: 17 degrees`} {
		d := New()
		var marks []Mark
		for _, e := range play(t, `
		0 1 start event_notification/subscriber A
		1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
		5 2 start event_notification/publisher`+script) {
			marks = append(marks, d.Add(e)...)
		}
		if t.Run(name, func(t *testing.T) {
			wantMarks(t, marks, "message 2 > 1 9: 0")
		}); d.found != 1 {
			t.Errorf("%s: %d found", name, d.found)
		}
	}
}

// A result comes, and only then is it known that who sent it has died; what
// that one had begun anew is lost all the same.
func TestResultOfTheDead(t *testing.T) {
	wantMarks(t, live(play(t, `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	5 1 worker 102: take gets ["fac",4]
	6 2 took fac 4
	9 2 kill
	10 2 end -1
	8 1 worker 102: write ["fac_res",24]`)), `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..9: fac 4 (cut)
	message 2 > 1 8: fac_res 24`)
	wantMarks(t, live(play(t, `
	0 1 start tuple_spaces/server
	1 2 start tuple_spaces/worker_example/worker -loan 0 fac
	5 1 worker 102: take gets ["fac",4]
	6 2 took fac 4
	8 2 wrote ["fac_res",24] for 4
	8.5 2 took fac 5
	9 2 kill
	10 2 end -1
	7 1 worker 102: write ["fac_res",24]
	8.4 1 worker 102: take gets ["fac",5]`)), `
	message 2 > 1 5
	message 1 > 2 5..6: fac 4
	bar 2 6..8: fac 4
	bar 2 8.5..9: fac 5 (cut)
	message 2 > 1 7: fac_res 24
	message 2 > 1 8.4
	message 1 > 2 8.4..8.5: fac 5
	lost 2 9: fac 5 (held)`)
}

// A record of two runs: each has its own time, and knows nothing of the other.
func TestTwoRuns(t *testing.T) {
	one := play(t, `
	0 1 start event_notification/subscriber A
	1 1 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 2 start event_notification/publisher
	20 2 published event 0 of sensor123: 17 degrees
	30 1 end 0
	30 2 end 0`)
	two := play(t, `
	0 3 start event_notification/subscriber A
	1 3 subscribing to "TEMP" at tcp://127.0.0.1:12346
	5 4 start event_notification/publisher
	10 4 published event 0 of sensor123: 17 degrees
	11 3 received TEMP event 0 of sensor123: 17 degrees`)
	begin := record.Event{Kind: record.Begin, Version: record.Version}
	var events []record.Event
	for _, run := range [][]record.Event{one, two} {
		events = append(append(events, begin), run...)
	}
	if runs := Runs(events); len(runs) != 2 || len(runs[0]) != 1+len(one) ||
		len(runs[1]) != 1+len(two) {
		t.Errorf("%v", runs)
	}
	wantMarks(t, Derive(events), `
	lost 2 > 1 20: 0
	message 4 > 3 10..11: 0`)
	wantLanes(t, Lanes(events), `
	publisher: 2
	subscriber A: 1
	publisher: 4
	subscriber A: 3`)
}

// Without a line of its program, a process may do something else than its
// command says. In such a run, what was received is looked for elsewhere, too.
func TestChangedPrograms(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{{
		"a request goes to another address", `
		0 1 start request_reply/server -bind tcp://127.0.0.1:2
		5 2 start request_reply/client -connect tcp://127.0.0.1:1 hello
		10 1 received "hello"
		11 1 replied "hello!"
		12 2 = hello!`, `
		wait 2 5..12: waits for a reply
		message 2 > 1 5..10: hello
		bar 1 10..11: hello
		message 1 > 2 11..12: hello!`,
	}, {
		"a subscriber asks for another topic, at another address, and late", `
		0 1 start event_notification/publisher -bind tcp://127.0.0.1:2
		1 2 start event_notification/subscriber -connect tcp://127.0.0.1:1 A
		2 2 subscribing to "HUMIDITY" at tcp://127.0.0.1:1
		10 1 published event 0 of sensor123: 17 degrees
		2011 2 received TEMP event 0 of sensor123: 17 degrees`, `
		message 1 > 2 10..2011: 0`,
	}, {
		"a subscriber prints what it has not asked for before the publisher", `
		0 1 start event_notification/publisher
		1 2 start event_notification/subscriber A
		2 2 subscribing to "HUMIDITY" at tcp://127.0.0.1:12346
		10 2 received TEMP event 0 of sensor123: 17 degrees
		11 1 published event 0 of sensor123: 17 degrees`, `
		message 1 > 2 10: 0`,
	}, {
		"a worker is elsewhere, and prints first", `
		0 1 start pipeline/pusher -bind tcp://127.0.0.1:1
		1 2 start pipeline/worker -connect tcp://127.0.0.1:2 1
		10 2 received order 0 of 1 worth 3
		11 1 pushed order 0 of 1 worth 3`, `
		bar 2 10..: 0
		message 1 > 2 10: 0`,
	}} {
		events := append([]record.Event{{Kind: record.Begin, Without: "name"}},
			play(t, c.script)...)
		t.Run(c.name, func(t *testing.T) {
			wantMarks(t, Derive(events), c.want)
			events[0].Without = ""
			for _, m := range Derive(events) {
				if m.Kind == Message {
					t.Errorf("as it is: %v", m)
				}
			}
		})
	}
}

// A record whose lab came to know of it in another order than it happened is
// sorted: but a process starts before all else, and ends after it.
func TestByTime(t *testing.T) {
	events := play(t, `
	5 1 start request_reply/server
	4 1 listening on tcp://127.0.0.1:1
	9 1 end 0
	9.5 1 stopped
	3 2 start request_reply/client
	8 2 = a
	8 2 = b
	7 1 received "x"`)
	var got []string
	for _, e := range byTime(events) {
		got = append(got, fmt.Sprint(e.Process, " ", e.Kind, " ", e.Text))
	}
	want := []string{
		"2 start go run ./request_reply/client",
		"1 start go run ./request_reply/server",
		"1 print server 101: listening on tcp://127.0.0.1:1",
		`1 print server 101: received "x"`,
		"2 print a", "2 print b",
		"1 print server 101: stopped", "1 end "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// What marks look like to the page.
func TestJSON(t *testing.T) {
	m := Mark{ID: 7, Kind: Message, Lane: "3", To: "queue a",
		Begin: 1500 * time.Microsecond, End: 2 * time.Millisecond, Label: "11",
		Count: 2, LastBegin: 3 * time.Millisecond, LastEnd: time.Second}
	text, err := json.Marshal(m)
	want := `{"id":7,"kind":"message","lane":"3","to":"queue a","t":1500,` +
		`"end":2000,"label":"11","count":2,"t2":3000,"end2":1000000}`
	if err != nil || string(text) != want {
		t.Errorf("%s (%v), not %s", text, err, want)
	}
	var again Mark
	if err := json.Unmarshal(text, &again); err != nil || again != m {
		t.Errorf("%v (%v), not %v", again, err, m)
	}
	text, err = json.Marshal(Mark{ID: 1, Kind: Depth, Lane: "queue a"})
	if want := `{"id":1,"kind":"depth","lane":"queue a","t":0}`; err != nil ||
		string(text) != want {
		t.Errorf("%s (%v), not %s", text, err, want)
	}
}
