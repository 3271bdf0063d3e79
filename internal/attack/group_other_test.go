//go:build !unix

package attack

import (
	"os"
	"syscall"
)

func group() *syscall.SysProcAttr { return nil }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
