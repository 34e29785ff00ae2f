//go:build !linux

package local

import "syscall"

// OwnGroup keeps the terminal's Ctrl-C from a child, which is stopped
// in good order instead.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
