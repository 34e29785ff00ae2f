package arrows

import (
	"fmt"
	"testing"
	"time"

	"distsys/internal/lab/record"
)

// Of muted processes there is one mark for a tenth of a second.
func TestMuted(t *testing.T) {
	script := `
	0 1 start message_queue/producer $B
	0 1 mute
	1 2 start message_queue/consumer $B 1
	1 2 mute`
	for i := range 300 {
		script += fmt.Sprintf("\n%d 1 submitted order %d worth 9", 10+i, i)
	}
	script += `
	400 2 received order 0 worth 9
	410 2 handled order 0 worth 9
	900 2 received order 1 worth 9
	901 2 handled order 1 worth 9`
	wantMarks(t, live(play(t, script)), `
	depth queue delivery-orders 100 = 91
	message 1 > queue delivery-orders 10 x100 109..109
	depth queue delivery-orders 200 = 191
	message 1 > queue delivery-orders 110 x100 209..209
	depth queue delivery-orders 300 = 291
	message 1 > queue delivery-orders 210 x100 309..309
	depth queue delivery-orders 400 = 299
	message queue delivery-orders > 2 400: 0
	ack 2 > queue delivery-orders 410
	depth queue delivery-orders 900 = 298
	message queue delivery-orders > 2 900: 1
	ack 2 > queue delivery-orders 901`)
}

// A server that is muted: what others send it is still there, with a label if
// it is the only one of its time.
func TestMutedInBetween(t *testing.T) {
	wantMarks(t, live(play(t, `
	0 1 start tuple_spaces/server
	0 1 mute
	1 2 start tuple_spaces/client write a 1
	2 1 client 102: write ["a",1]
	300 3 start tuple_spaces/client write a 2
	301 1 client 103: write ["a",2]`)), `
	message 2 > 1 2: a 1
	message 3 > 1 301: a 2`)
}

// What began before its process was muted has an end.
func TestMutedAtWork(t *testing.T) {
	wantMarks(t, live(play(t, `
	0 1 start message_queue/consumer $B 1
	5 1 received order 0 worth 9
	6 1 mute
	10 1 handled order 0 worth 9
	11 1 received order 1 worth 9
	12 1 handled order 1 worth 9`)), `
	message queue delivery-orders > 1 5: 0
	bar 1 5..10: 0
	ack 1 > queue delivery-orders 10 x2 12..12
	message queue delivery-orders > 1 11: 1`)
}

// Lost messages of muted processes come in bursts, too.
func TestMutedLost(t *testing.T) {
	script := `
	0 1 start event_notification/subscriber 1
	0 1 mute
	1 1 subscribing to "" at tcp://127.0.0.1:12346
	2 2 start event_notification/publisher
	2 2 mute`
	for i := range 250 {
		script += fmt.Sprintf(
			"\n%d 2 published event %d of sensor123: 1 degrees", 10+i, i)
	}
	wantMarks(t, live(play(t, script)), `
	lost 2 > 1 10 x100 109..0
	lost 2 > 1 110 x100 209..0
	lost 2 > 1 210 x50 259..0`)
}

// When nothing happens any more, Flush shows what Add has kept back.
func TestFlush(t *testing.T) {
	d := New()
	var marks []Mark
	for _, e := range play(t, `
	0 1 start message_queue/producer $B
	0 1 mute
	10 1 submitted order 0 worth 9
	11 1 submitted order 1 worth 9`) {
		marks = append(marks, d.Add(e)...)
	}
	if len(marks) != 0 {
		t.Errorf("%q", marks)
	}
	wantMarks(t, d.Flush(), `
	message 1 > queue delivery-orders 10 x2 11..11
	depth queue delivery-orders 11 = 2`)
	if marks := d.Flush(); len(marks) != 0 {
		t.Errorf("again: %q", marks)
	}
}

// Whatever nobody receives, whatever nobody has sent, however long it goes
// on: what is kept is bounded.
func TestBounded(t *testing.T) {
	const n = 50_000
	d := New()
	for _, e := range play(t, `
	0 1 start event_notification/publisher
	0 2 start event_notification/subscriber 1
	0 2 subscribing to "TEMP" at tcp://127.0.0.1:12346
	0 3 start message_queue/producer $B
	0 4 start message_queue/consumer $B 1
	0 5 start pipeline/pusher
	0 6 start pipeline/worker 1
	0 7 start pipeline/sink
	0 8 start tuple_spaces/server
	0 9 start tuple_spaces/client read a 1
	0 10 start event_notification/subscriber 2
	0 10 subscribing to "TEMP" at tcp://127.0.0.1:12346
	0 10 end 0
	0 1 mute
	0 5 mute`) {
		d.Add(e)
	}
	labels := map[int]string{1: "publisher 101", 3: "producer 103",
		4: "consumer 1", 5: "pusher 105", 7: "sink 107", 8: "server 108",
		9: "client 109"}
	var lost []Mark
	for i := range n {
		at := time.Duration(i) * time.Millisecond
		say := func(p int, format string, args ...any) {
			lost = append(lost[:0], d.Add(record.Event{Time: at, Process: p,
				Kind: record.Print, Label: labels[p],
				Text: labels[p] + ": " + fmt.Sprintf(format, args...)})...)
		}
		say(1, "published event %d of sensor123: 1 degrees", i)
		say(3, "submitted order %d worth 9", i)
		say(4, "received order %d worth 8", i) // another one
		say(4, "handled order %d worth 8", i)
		say(5, "pushed order %d of 12347 worth 9", i)
		say(7, "worker 9 has delivered order %d of 12347 worth 9", i)
		say(8, "client 109: read gets [\"a\",%d]", i)
		say(9, "take [\"b\",%d]", i)
	}
	if n := d.kept(); n > 10*maxWaiting {
		t.Errorf("%d things are kept", n)
	}
	count := 0
	for _, m := range d.Over() {
		if m.Kind == Lost && m.Lane == "1" {
			count += max(1, m.Count)
		}
	}
	if count < maxWaiting {
		t.Errorf("of %d events that nobody received %d are lost", n, count)
	}
}

// kept counts all that the deriver remembers of messages.
func (d *Deriver) kept() (n int) {
	for _, k := range d.links {
		n += len(k.recent.all) + len(k.senders)
	}
	for _, b := range d.boxes {
		n += len(b.waiting.all) + len(b.early.all) + len(b.settled.all) +
			len(b.away) + len(b.missed) + len(b.fallen) + len(b.readers)
	}
	for _, p := range d.processes {
		n += len(p.bars) + len(p.replies) + len(p.got)
	}
	return n + len(d.inVain) + len(d.vanished) + len(d.unfinished) +
		len(d.loans) + len(d.bursts) + len(d.inOrder) + len(d.dirty)
}

// What comes, comes fast: 7 MB of lines in a second.
func BenchmarkAdd(b *testing.B) {
	for _, muted := range []bool{false, true} {
		b.Run(fmt.Sprintf("muted=%v", muted), func(b *testing.B) {
			d := New()
			start := func(n int, text string) {
				d.Add(record.Event{Kind: record.Start, Process: n,
					Program: "message_queue/" + text, Role: text,
					Label: text + " 1", Text: "go run ./message_queue/" +
						text + " -broker amqp://127.0.0.1:1/"})
				if muted {
					d.Add(record.Event{Kind: record.Mute, Process: n})
				}
			}
			start(1, "producer")
			start(2, "consumer")
			bytes, marks, at := 0, 0, time.Duration(0)
			say := func(n int, label, text string) {
				at += 20 * time.Microsecond
				text = label + ": " + text
				bytes += len(text) + 1
				marks += len(d.Add(record.Event{Kind: record.Print, Time: at,
					Process: n, Label: label, Text: text}))
			}
			b.ResetTimer()
			for i := range b.N {
				order := fmt.Sprintf("order %d worth 17", i)
				say(1, "producer 1", "submitted "+order)
				say(2, "consumer 1", "received "+order)
				say(2, "consumer 1", "handled "+order)
			}
			b.SetBytes(int64(bytes / b.N))
			b.ReportMetric(float64(3*b.N)/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(marks)/b.Elapsed().Seconds(), "marks/s")
		})
	}
}
