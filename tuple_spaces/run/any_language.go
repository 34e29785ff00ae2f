package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"distsys/internal/lab"
)

func anyLanguage(l *lab.Lab) {
	s := newSpace(l)
	l.Step("a client of some 30 lines of C is compiled, with libzmq")
	program := compileClient(l)
	ask := func(request string) (reply string) {
		l.Line("c_client", "c_client: asks "+request)
		text, err := exec.CommandContext(l.Context(), program, s.address,
			request).CombinedOutput()
		l.Check(err)
		reply = strings.TrimSpace(string(text))
		l.Line("c_client", "c_client: "+reply)
		return reply
	}

	l.Step("it writes a task, a worker in Go does it, and it takes the result")
	written := ask(`{"op":"write","tuples":[["fac",30]]}`) == `{"status":"ok"}`
	worker := s.start("worker_example/worker", "fac")
	if written {
		worker.WaitFor("wrote")
	}
	result := ask(`{"op":"take","pattern":["fac_res",{"?":"int"}],` +
		`"wait_ms":10000}`)
	exact := result == `{"status":"ok","tuples":[["fac_res",`+
		`265252859812191058636308480000000]]}`

	l.Step("it makes a mistake")
	refusal := ask(`{"op":"take","pattern":5}`)
	refused := strings.Contains(refusal, `"status":"error"`) &&
		strings.Contains(refusal, "pattern")
	l.Verdict(written && exact && refused,
		"3 requests in C: task written: %v, result of 33 digits taken "+
			"exactly: %v, mistake explained: %v", written, exact, refused)
}

// compileClient compiles the client in C, and returns where it is.
func compileClient(l *lab.Lab) (program string) {
	source := l.Source("tuple_spaces/c_client/client.c")
	libzmq, err := exec.Command("pkg-config", "--cflags", "--libs",
		"libzmq").Output()
	l.Check(err)
	program = filepath.Join(l.TempDir(), "client")
	args := append([]string{"-o", program, source},
		strings.Fields(string(libzmq))...)
	compile := exec.Command(cmp.Or(os.Getenv("CC"), "cc"), args...)
	if text, err := compile.CombinedOutput(); err != nil {
		l.Fail(fmt.Sprintf("compile client.c: %v: %s", err, text))
	}
	return program
}

var anyLanguageWithout = []lab.Without{
	{Name: "exact", Edit: lab.Edit{File: "tuple_spaces/task.go",
		Line: "	return new(big.Int).MulRange(1, int64(n))",
		Become: "	product := int64(1)\n	for i := range int64(n) {\n" +
			"		product *= i + 1\n	}\n	return big.NewInt(product)"},
		Watch: "Of 30! only the last 64 bits are left: its 33 digits do not " +
			"fit into them."},
	{Name: "req", Edit: lab.Edit{File: "tuple_spaces/c_client/client.c",
		Line:   "zmq_socket(context, ZMQ_REQ)",
		Become: "zmq_socket(context, ZMQ_DEALER)"},
		Watch: "A REQ socket puts an empty frame in front of its request. A " +
			"DEALER does not, and is refused."},
}
