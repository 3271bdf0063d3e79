//go:build !unix

package main

import (
	"os/exec"
	"syscall"
)

func group() *syscall.SysProcAttr { return nil }

func end(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
