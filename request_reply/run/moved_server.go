package main

import (
	"distsys/internal/lab"
)

// movedServer has a client ask at the address that a server has left.
func movedServer(l *lab.Lab) {
	before, after := l.Address(), l.Address()
	ask := func(address string) *lab.Process {
		client := l.Start("request_reply/client", "-connect", address,
			"-timeout", "500ms", "-tries", "2", "hello")
		client.Wait()
		return client
	}

	l.Step("a server at one address; a client asks it")
	server := l.Start("request_reply/server", "-bind", before)
	server.WaitFor("listening")
	first := ask(before)

	l.Step("the server moves to another address; the client asks at the old " +
		"one, then at the new one")
	server.Stop()
	server = l.Start("request_reply/server", "-bind", after)
	server.WaitFor("listening")
	old := ask(before)
	moved := ask(after)

	replies := lab.Count("hello!", first)
	inVain := lab.Count("hello!", old)
	again := lab.Count("hello!", moved)
	l.Verdict(replies == 1 && inVain == 0 && again == 1,
		"%d reply before the server moved; then %d at the old address, %d at "+
			"the new one", replies, inVain, again)
}

// A name that is looked up takes the place of an address that is known: here
// it is a file, elsewhere a name service.
var movedServerWithout = []lab.Without{
	{Name: "name", Cure: true, Edit: lab.Edit{
		File: "request_reply/server/main.go",
		Line: "	log.Printf(\"listening on %s\", ",
		Become: "	os.WriteFile(os.Getenv(\"DISTSYS_BIN\")+\"/name\", " +
			"[]byte(*bind), 0o600)\n	log.Printf(\"listening on %s\", "},
		And: []lab.Edit{
			{File: "request_reply/server/main.go", Line: "	\"strings\"\n",
				Become: "	\"os\"\n	\"strings\"\n"},
			{File: "request_reply/client/main.go",
				Line: "	err = socket.Connect(*connect)\n",
				Become: "	name, err := os.ReadFile(os.Getenv(" +
					"\"DISTSYS_BIN\") + \"/name\")\n" +
					"	if err == nil {\n		*connect = string(name)\n	}\n" +
					"	err = socket.Connect(*connect)\n"}},
		Watch: "The server leaves its address in a file, and the client " +
			"looks it up: it asks at the old address no more."},
}
