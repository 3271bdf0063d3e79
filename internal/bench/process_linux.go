package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// on calls start, and what it starts is pinned to a core. The calling
// goroutine is locked to its thread.
func on(core int, start func() error) error {
	var old, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return err
	}
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return err
	}
	return errors.Join(start(), unix.SchedSetaffinity(0, &old))
}

// cores are the two cores to pin to: what is measured, and the rest. ok is
// false if there are no two.
func cores() (measured, rest int, ok bool) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return 0, 0, false
	}
	var found []int
	for i := 0; len(found) < 2 && i < 8*len(set)*8; i++ {
		if set.IsSet(i) {
			found = append(found, i)
		}
	}
	if len(found) < 2 {
		return 0, 0, false
	}
	return found[0], found[1], true
}

// dieWithMe makes a process end when the thread that started it does.
func dieWithMe() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// tick is the unit of time in /proc/PID/stat, in seconds; it is the same on
// every machine that Go runs on.
const tick = 0.01

// A measurement is the state of a process.
type measurement struct {
	cpu float64 // seconds so far, user and system
	rss float64 // MiB
}

// measure looks at a process. The kernel's sum of user and system time is
// exact to the tick.
func measure(pid int) (m measurement, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return m, err
	}
	// The second field is a name in parentheses, which may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 22 {
		return m, errors.New("/proc has another form than expected")
	}
	for _, f := range fields[11:13] { // utime and stime, the 14th and 15th of proc(5)
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return m, err
		}
		m.cpu += n * tick
	}
	pages, err := strconv.ParseFloat(fields[21], 64)
	m.rss = pages * float64(os.Getpagesize()) / (1 << 20)
	return m, err
}
