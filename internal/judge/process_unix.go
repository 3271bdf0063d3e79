//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// group puts a process into a group of its own, so that it can be ended with
// all that it started.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// end ends a process that was not waited for, and all of its group. Until then
// the number of the group is nobody else's.
func end(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
