//go:build linux || darwin

package app

import (
	"math"
	"syscall"
)

// openFiles is how many files the process may open. Go has raised it to the
// most that the system permits.
func openFiles() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxUint64
	}
	return l.Cur
}
