package main

import "distsys/internal/lab"

// movedPusher has a pusher move to an address that the worker does not know.
func movedPusher(l *lab.Lab) {
	before := newLine(l)
	after := newLine(l)
	before.collector(0)
	worker := before.worker("1", quick)

	l.Step("a worker pulls %d orders from a pusher", orders)
	before.push(1).Wait()

	// While it works on them, worker 1 has time to find the new address.
	l.Step("the pusher moves to another address, which worker 1 does not know")
	after.push(0).WaitFor("waiting for a worker")
	l.WaitForCount("delivered order", orders, worker)

	l.Step("another pusher starts at the old address; worker 1 still goes there")
	before.push(1).Wait()
	l.WaitForCount("delivered order", 2*orders, worker)

	found := before.receivedBy(worker)
	missed := after.receivedBy(worker)
	l.Verdict(found == 2*orders && missed == 0,
		"%d orders at the old address, worker 1 got %d; %d at the new one, "+
			"it got %d", 2*orders, found, orders, missed)
}

// A name that is looked up takes the place of an address that is known: here
// it is a file, elsewhere a name service.
var movedPusherWithout = []lab.Without{
	{Name: "name", Cure: true, Edit: lab.Edit{
		File: "pipeline/pusher/main.go",
		Line: "	log.Printf(\"listening on %s\", ",
		Become: "	os.WriteFile(os.Getenv(\"DISTSYS_BIN\")+\"/name\", " +
			"[]byte(socket.Address()), 0o600)\n" +
			"	log.Printf(\"listening on %s\", "},
		And: []lab.Edit{
			{File: "pipeline/pusher/main.go", Line: "	\"log\"\n",
				Become: "	\"log\"\n	\"os\"\n"},
			{File: "pipeline/worker/main.go", Line: "	\"log\"\n",
				Become: "	\"log\"\n	\"os\"\n"},
			{File: "pipeline/worker/main.go",
				Line: "	log.Print(\"waiting for orders\")\n",
				Become: "	orders.SetRcvtimeo(50 * time.Millisecond)\n" +
					"	last := connect.String()\n" +
					"	log.Print(\"waiting for orders\")\n"},
			{File: "pipeline/worker/main.go",
				Line: "		frames, err := orders.RecvMessage(0)\n" +
					"		if err != nil {\n",
				Become: "		name, _ := os.ReadFile(os.Getenv(" +
					"\"DISTSYS_BIN\") + \"/name\")\n" +
					"		if len(name) > 0 && string(name) != last {\n" +
					"			last = string(name)\n" +
					"			orders.Connect(last)\n		}\n" +
					"		frames, err := orders.RecvMessage(0)\n" +
					"		if err != nil && ctx.Err() == nil {\n" +
					"			continue // nothing yet: look up the name again\n" +
					"		}\n		if err != nil {\n"}},
		Watch: "The pusher leaves its address in a file, and the worker looks " +
			"it up again and again: it gets the orders at the new one, too."},
}
