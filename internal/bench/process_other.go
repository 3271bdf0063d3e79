//go:build !linux

package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// on calls start. There is no way to pin a process here.
func on(_ int, start func() error) error { return start() }

func cores() (measured, rest int, ok bool) { return 0, 0, false }

func dieWithMe() *syscall.SysProcAttr { return nil }

// A measurement is the state of a process.
type measurement struct {
	cpu float64 // seconds so far, user and system
	rss float64 // MiB
}

// measure asks ps, which tells the time as [[dd-]hh:]mm:ss.cc and the memory
// in KiB.
func measure(pid int) (m measurement, err error) {
	out, err := exec.Command("ps", "-o", "time=,rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return m, fmt.Errorf("ask ps for process %d: %w", pid, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return m, fmt.Errorf("ps says %q of process %d", out, pid)
	}
	for part := range strings.FieldsFuncSeq(fields[0], func(r rune) bool { return r == ':' || r == '-' }) {
		n, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return m, err
		}
		m.cpu = m.cpu*60 + n
	}
	kib, err := strconv.ParseFloat(fields[1], 64)
	m.rss = kib / 1024
	return m, err
}
