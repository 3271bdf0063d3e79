//go:build !linux

package rig

import (
	"errors"
	"syscall"
	"time"
)

func dieWithMe() *syscall.SysProcAttr { return nil }

// A Usage is what a process takes of the machine.
type Usage struct {
	RSS  int64
	Peak int64
	FDs  int
	CPU  time.Duration
}

// UsageOf is known on Linux only.
func UsageOf(int) (Usage, error) { return Usage{}, errors.ErrUnsupported }

// ResetPeak is known on Linux only.
func ResetPeak(int) error { return errors.ErrUnsupported }
