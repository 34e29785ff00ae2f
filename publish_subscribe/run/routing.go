package main

import (
	"fmt"
	"strings"

	"distsys/internal/lab"
	"distsys/internal/lab/brokerlab"
)

// routing compares what subscribers with four keys get.
func routing(l *lab.Lab) {
	const count = 5
	url := brokerlab.Vhost(l)
	sensors := []string{"sensor1", "sensor2", "roof.north"}
	keys := []string{"temp.*", "temp.sensor1", "#", "humidity.*"}
	want := []int{2 * count, count, 3 * count, 0}
	l.Step("subscribers with the keys %s", strings.Join(keys, ", "))
	var subscribers []*lab.Process
	for i, key := range keys {
		subscribers = append(subscribers, subscriber(l, url,
			fmt.Sprint(i+1), "-key", key))
	}
	l.Step("%d events of each of the sensors %s", count,
		strings.Join(sensors, ", "))
	for _, sensor := range sensors {
		publisher(l, url, "-sensor", sensor, "-count", fmt.Sprint(count),
			"-interval", "0").Wait()
	}
	for i, s := range subscribers {
		l.WaitForCount(handled, want[i], s)
	}
	l.Step("all have come; who has got how many?")
	holds, counted := true, []string{}
	for i, s := range subscribers {
		got := lab.Count(handled, s)
		holds = holds && got == want[i]
		counted = append(counted, fmt.Sprintf("%s got %d", keys[i], got))
	}
	l.Verdict(holds, "%d published; %s", 3*count, strings.Join(counted, ", "))
}

var routingWithout = []lab.Without{
	{Name: "topic", Edit: lab.Edit{File: exchangeFile, Line: `kind = "topic"`,
		Become: `kind = "fanout"`},
		Watch: "the exchange no longer looks at keys: everybody gets all"},
	{Name: "words", Edit: lab.Edit{File: exchangeFile, Line: `kind = "topic"`,
		Become: `kind = "direct"`},
		Watch: "the exchange compares whole keys: * and # are no wildcards"},
}
