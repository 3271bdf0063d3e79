//go:build unix

package attack

import "syscall"

// group puts a command in a process group of its own, so that all that it
// starts ends with it.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
