package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// A system is a way to install packages.
type system struct {
	manager  string // the command that tells that this system is here
	refresh  string // brings the list of packages up to date
	install  string
	packages map[string]string // from a check's need to package names
	note     string
}

var systems = []system{
	{"apt-get", "apt-get update",
		"apt-get install -y --no-install-recommends",
		map[string]string{
			"cc":         "gcc libc6-dev",
			"pkg-config": "pkg-config",
			"libzmq":     "libzmq3-dev",
			"rabbitmq":   "rabbitmq-server",
			"browser":    debianBrowser(),
		},
		"Debian's and Ubuntu's RabbitMQ starts a broker of its own " +
			"on port 5672."},
	{"dnf", "", "dnf install -y",
		map[string]string{
			"cc":         "gcc glibc-devel",
			"pkg-config": "pkgconf-pkg-config",
			"libzmq":     "zeromq-devel",
			"rabbitmq":   "rabbitmq-server",
			"browser":    "chromium-headless",
		}, ""},
	{"pacman", "", "pacman -S --needed --noconfirm",
		map[string]string{
			"cc":         "gcc",
			"pkg-config": "pkgconf",
			"libzmq":     "zeromq",
			"rabbitmq":   "rabbitmq",
			"browser":    "chromium",
		}, ""},
	{"brew", "", "brew install",
		map[string]string{
			"cc":         "gcc",
			"pkg-config": "pkgconf",
			"libzmq":     "zeromq",
			"rabbitmq":   "rabbitmq",
		}, ""},
}

// debianBrowser is the package with a browser. Debian has a small one for
// tests; its relatives have not.
func debianBrowser() string {
	text, err := os.ReadFile("/etc/os-release")
	if err == nil && strings.Contains(string(text), "\nID=debian") {
		return "chromium-headless-shell"
	}
	return "chromium"
}

// here returns the system of this machine, or nil.
func here() *system {
	for i, s := range systems {
		if _, err := exec.LookPath(s.manager); err == nil {
			return &systems[i]
		}
	}
	return nil
}

// commands returns what cures the missing, one command a line of a shell.
func (s *system) commands(missing []string, root bool) []string {
	sudo := "sudo "
	if root || s.manager == "brew" {
		sudo = ""
	}
	var commands, packages []string
	for _, need := range missing {
		if names := s.packages[need]; names != "" {
			packages = append(packages, names)
		}
	}
	if len(packages) > 0 {
		if s.refresh != "" {
			commands = append(commands, sudo+s.refresh)
		}
		commands = append(commands,
			sudo+s.install+" "+strings.Join(packages, " "))
	}
	return commands
}

// install says what it is about to run, and runs it.
func install(missing []string) error {
	s := here()
	if s == nil {
		return nil
	}
	fmt.Println("\nInstalling what is missing:")
	commands := s.commands(missing, os.Geteuid() == 0)
	for _, command := range commands {
		fmt.Println("  " + command)
	}
	if slices.Contains(missing, "rabbitmq") && s.note != "" {
		fmt.Println("  (" + s.note + ")")
	}
	fmt.Println()
	for _, command := range commands {
		words := strings.Fields(command)
		run := exec.Command(words[0], words[1:]...)
		run.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		run.Stdin, run.Stdout, run.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := run.Run(); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	return nil
}

// prescribe says how to cure what is missing.
func prescribe(missing []string) {
	if slices.Contains(missing, "") {
		fmt.Println("\nTo let Go use C libraries:\n" +
			"  unset CGO_ENABLED; go env -u CGO_ENABLED")
	}
	s := here()
	if s == nil {
		fmt.Printf("\nNo apt-get, dnf, pacman or brew here (%s). Install by "+
			"hand what is missing.\n", runtime.GOOS)
		return
	}
	commands := s.commands(missing, os.Geteuid() == 0)
	if slices.Contains(missing, "browser") && s.packages["browser"] == "" {
		fmt.Println("\nInstall Google Chrome or Chromium by hand, or leave " +
			"those tests out: SKIP_BROWSER=1 make test")
	}
	if len(commands) == 0 {
		return
	}
	fmt.Println("\nThe cure (make setup runs it for you):")
	for _, command := range commands {
		fmt.Println("  " + command)
	}
}
