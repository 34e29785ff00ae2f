package main

import (
	"strings"

	"distsys/internal/lab"
)

// byteStream sends the same messages by TCP and by ZeroMQ.
func byteStream(l *lab.Lab) {
	l.Step("a TCP server starts, and is frozen as by Ctrl-Z, before it accepts")
	first, address := serve(l)
	first.Freeze()

	l.Step("a client sends two messages, one after the other")
	pair := l.Start("go_basics/sockets/client", "-connect", address,
		"one", "two")
	pair.WaitFor("sent 3 bytes: \"one\"")
	pair.WaitFor("sent 3 bytes: \"two\"")

	l.Step("both wait at the server, which now goes on, and reads")
	first.Thaw()
	failures := pair.Wait() + first.Wait()

	l.Step("one message of 3000 bytes; the server reads 1024 at most")
	second, address := serve(l)
	single := l.Start("go_basics/sockets/client", "-connect", address,
		"-repeat", "3000", "x")
	failures += single.Wait() + second.Wait()

	l.Step("the same three messages as ZeroMQ requests")
	address = l.Address()
	third := l.Start("request_reply/server", "-bind", address)
	third.WaitFor("listening")
	ask := func(message string) *lab.Process {
		return l.Start("request_reply/client", "-connect", address,
			"-timeout", "0", message)
	}
	long := strings.Repeat("x", 3000)
	one, two, whole := ask("one"), ask("two"), ask(long).Mute()
	failures += one.Wait() + two.Wait() + whole.Wait()
	l.WaitForCount("received", 3, third) // a line may be read a little later
	l.Say("each came whole and by itself: each answer has one !, at its end")

	asOne := lab.Count("received", first)
	asSeveral := lab.Count("received", second)
	asThree := lab.Count("received", third)
	answers := lab.Count("\"onetwo!\"", pair) == 1 &&
		one.Text() == "one!" && two.Text() == "two!" && whole.Text() == long+"!"
	l.Verdict(failures == 0 && answers && asOne == 1 && asSeveral > 1 &&
		asThree == 3, "TCP: 2 messages arrived as %d, 1 long one as %d; "+
		"ZeroMQ: the same 3 arrived as %d", asOne, asSeveral, asThree)
}

var byteStreamWithout = []lab.Without{
	{Name: "chunk", Edit: lab.Edit{File: "go_basics/sockets/server/main.go",
		Line:   "make([]byte, 1024)",
		Become: "make([]byte, 4096)"},
		Watch: "A larger buffer hides that one message can arrive as several: " +
			"until a message is larger still."},
	{Name: "lines", Cure: true, Edit: lab.Edit{
		File: "go_basics/sockets/server/main.go",
		Line: "		n, err := conn.Read(chunk)\n",
		Become: "		chunk, err := lines.ReadBytes('\\n')\n" +
			"		n := max(0, len(chunk)-1)\n"},
		And: []lab.Edit{
			{File: "go_basics/sockets/server/main.go",
				Line:   "	chunk := make([]byte, 1024)\n",
				Become: "	lines := bufio.NewReader(conn)\n"},
			{File: "go_basics/sockets/server/main.go",
				Line:   "import (\n",
				Become: "import (\n	\"bufio\"\n"},
			{File: "go_basics/sockets/client/main.go",
				Line:   "conn.Write(text)",
				Become: "conn.Write(append(text, '\\n'))"}},
		Watch: "With a line feed at the end of each message, and a server that " +
			"reads up to there, two arrive as two, and one as one."},
}
