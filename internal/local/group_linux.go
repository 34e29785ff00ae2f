package local

import "syscall"

// OwnGroup keeps the terminal's Ctrl-C from a child, which is stopped
// in good order instead, and ends the child when its parent is killed.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
