// Doctor says what this machine lacks to run the examples, and the command
// that cures it. With -fix it runs that command.
//
//	make doctor
//	make setup
//
// It must itself build on a bare machine: no cgo, no library.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"distsys/internal/broker/installed"
	"distsys/internal/cli"
	"distsys/internal/local"
)

// A check looks for one thing that the examples need.
type check struct {
	name string
	need string                // how the package list names it
	look func() (string, bool) // what was found, and whether it will do
}

var checks = []check{
	{"C compiler", "cc", compiler},
	{"cgo", "", cgo},
	{"pkg-config", "pkg-config", pkgConfig},
	{"libzmq", "libzmq", libzmq},
	{"RabbitMQ", "rabbitmq", rabbitmq},
	{"browser", "browser", browser},
}

var (
	fix   = flag.Bool("fix", false, "install what is missing")
	tests = flag.Bool("tests", false,
		"what only the tests need must be there, too: a browser")
)

func main() {
	cli.Parse("internal/cmd/doctor",
		"Doctor says what this machine lacks to run the examples, and the cure.")
	cli.Main(func(context.Context) error { return diagnose() })
}

func diagnose() error {
	missing := examine(!*fix)
	if *fix && len(missing) > 0 {
		if err := install(missing); err != nil {
			return err
		}
		fmt.Println()
		missing = examine(true)
	}
	if len(missing) > 0 {
		prescribe(missing)
		return errors.New("something is missing, see above")
	}
	if !*fix {
		ports()
		fmt.Println("\nNothing is missing.")
	}
	return nil
}

// examine makes every check and returns what is missing. When it is not
// asked to say everything it prints only what is missing.
func examine(everything bool) (missing []string) {
	if everything {
		fmt.Printf("%-11s %s\n", "Go", output("go", "env", "GOVERSION"))
	}
	for _, c := range checks {
		found, ok := c.look()
		if !ok {
			missing = append(missing, c.need)
			found = "MISSING: " + found
		}
		if everything || !ok {
			fmt.Printf("%-11s %s\n", c.name, found)
		}
	}
	return missing
}

func compiler() (string, bool) {
	cc := strings.Fields(output("go", "env", "CC"))
	if len(cc) == 0 {
		return "go env CC names none", false
	}
	if _, err := exec.LookPath(cc[0]); err != nil {
		return cc[0] + " (ZeroMQ's Go binding is built with it)", false
	}
	version := output(cc[0], "-dumpfullversion", "-dumpversion")
	return version + " (" + cc[0] + ")", true
}

// cgo looks for a setting that no package cures: Go itself switches cgo off
// where it finds no C compiler, and then the compiler is what is missing.
func cgo() (string, bool) {
	set := os.Getenv("DISTSYS_CGO") // what it was before the Makefile's own
	if set == "" {
		set = strings.TrimSpace(goEnvFile("CGO_ENABLED"))
	}
	if set == "0" {
		return "CGO_ENABLED=0 is set, so that libzmq cannot be used", false
	}
	return "on", true
}

// goEnvFile returns a setting that `go env -w` wrote, if there is one.
func goEnvFile(name string) string {
	text, err := os.ReadFile(output("go", "env", "GOENV"))
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func pkgConfig() (string, bool) {
	name := os.Getenv("PKG_CONFIG")
	if name == "" {
		name = "pkg-config"
	}
	if _, err := exec.LookPath(name); err != nil {
		return name + " (it tells Go where libzmq is)", false
	}
	return output(name, "--version"), true
}

func libzmq() (string, bool) {
	version := output("pkg-config", "--modversion", "libzmq")
	if version == "" {
		return "ZeroMQ's library and its headers", false
	}
	return version, true
}

func rabbitmq() (string, bool) {
	if os.Getenv("SKIP_RABBITMQ") != "" {
		return "not looked for, since SKIP_RABBITMQ is set", true
	}
	dir, err := installed.Scripts()
	if err != nil {
		return "the message broker", false
	}
	return dir, true
}

func browser() (string, bool) {
	if os.Getenv("SKIP_BROWSER") != "" {
		return "not looked for, since SKIP_BROWSER is set", true
	}
	if path := local.Browser(); path != "" {
		return path, true
	}
	const none = "no Chromium, with which the tests open the stage's page"
	return none, !*tests
}

// ports says which of the examples' ports are busy. That is no fault: it may
// be an example that is running, or the broker.
func ports() {
	busy := ""
	for _, port := range []int{12345, 12346, 12347, 12348, 12349, 12350, 5678} {
		if taken(port) {
			busy += " " + strconv.Itoa(port)
		}
	}
	if busy == "" {
		fmt.Printf("%-11s all free\n", "ports")
	} else {
		fmt.Printf("%-11s busy:%s (who has one: ss -ltnp; macOS: lsof -i)\n",
			"ports", busy)
	}
	switch {
	case !taken(5672):
		fmt.Printf("%-11s %s\n", "broker",
			"none on port 5672; make broker starts one")
	case speaksAMQP("127.0.0.1:5672"):
		fmt.Printf("%-11s %s\n", "broker",
			"one answers on port 5672; the programs will use it")
	default:
		fmt.Printf("%-11s %s\n", "broker",
			"port 5672 is busy, but not with a RabbitMQ broker")
	}
}

func taken(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return true
	}
	listener.Close()
	return false
}

// speaksAMQP greets as AMQP 0-9-1 asks; a broker answers with a method frame.
func speaksAMQP(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(2*time.Second)) != nil {
		return false
	}
	if _, err := conn.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return false
	}
	answer := make([]byte, 1)
	n, err := conn.Read(answer)
	return err == nil && n == 1 && answer[0] == 1
}

// output runs a command and returns the first line that it prints, or
// nothing where it fails.
func output(name string, args ...string) string {
	text, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
