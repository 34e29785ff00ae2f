package main

import (
	"fmt"
	"strings"

	"distsys/internal/lab"
)

// topicFilter has four subscriptions meet two topics.
func topicFilter(l *lab.Lab) {
	const count = 5
	short, long := l.Address(), l.Address()

	l.Step("two publishers, one with topic TEMP, one with TEMPERATURE; four " +
		"subscribers follow both")
	topics := []string{"TEMP", "TEMP ", "TEMPERATURE", "HUMIDITY"}
	var subscribers []*lab.Process
	for i, topic := range topics {
		subscribers = append(subscribers, subscriber(l, short,
			fmt.Sprint(i+1), "-connect", long, "-topic", topic))
	}
	// Neither begins before all four have subscribed.
	for address, topic := range map[string]string{
		short: "TEMP", long: "TEMPERATURE"} {
		p := publisher(l, address, "-topic", topic, "-wait", "4", "-count",
			fmt.Sprint(count), "-interval", "50ms")
		defer p.Wait()
	}
	subscribers[0].WaitFor("received TEMP event 4 ")
	subscribers[1].WaitFor("received TEMP event 4 ")
	subscribers[2].WaitFor("received TEMPERATURE event 4 ")
	l.WaitForCount("received", 2*count, subscribers[0])

	l.Step("the last event has come; who has received what?")
	holds, counted := true, []string{}
	for i, want := range [][2]int{{count, count}, {count, 0}, {0, count},
		{0, 0}} {
		got := [2]int{lab.Count("received TEMP event", subscribers[i]),
			lab.Count("received TEMPERATURE event", subscribers[i])}
		holds = holds && got == want
		counted = append(counted, fmt.Sprintf("%q got %d+%d", topics[i],
			got[0], got[1]))
	}
	l.Verdict(holds, "of %d TEMP and %d TEMPERATURE: %s", count, count,
		strings.Join(counted, ", "))
}

var topicFilterWithout = []lab.Without{
	{Name: "topic", Edit: lab.Edit{File: "event_notification/subscriber/main.go",
		Line:   "socket.SetSubscribe(*wanted)",
		Become: "socket.SetSubscribe(\"\")"},
		Watch: "An empty topic is how every topic begins: all get all."},
	{Name: "prefix", Cure: true, Edit: lab.Edit{
		File:   "event_notification/subscriber/main.go",
		Line:   "socket.SetSubscribe(*wanted)",
		Become: "socket.SetSubscribe(*wanted + \" \")"},
		Watch: "With the space that follows a topic, TEMP does not match " +
			"TEMPERATURE."},
}
