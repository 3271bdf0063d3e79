package telemetry

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// system writes what Linux knows of this process; spec: proc(5), getrusage(2).
func system(e *exposition) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err == nil {
		e.counter("process_cpu_seconds_total", "CPU that the process took, user and system.")
		e.sample(float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6)
	}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := bytes.Fields(b); len(f) > 1 {
			page := float64(os.Getpagesize())
			for i, m := range [...]struct{ name, help string }{
				{"process_virtual_memory_bytes", "Address space of the process."},
				{"process_resident_memory_bytes", "Memory of the process that is in RAM."},
			} {
				if n, err := strconv.ParseFloat(string(f[i]), 64); err == nil {
					e.gauge(m.name, m.help)
					e.sample(n * page)
				}
			}
		}
	}
	if d, err := os.Open("/proc/self/fd"); err == nil {
		defer d.Close()
		if names, err := d.Readdirnames(-1); err == nil {
			e.gauge("process_open_fds", "Open files and connections.")
			e.sample(float64(len(names) - 1)) // one is this very look
		}
	}
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err == nil {
		e.gauge("process_max_fds", "Files and connections that may be open.")
		e.sample(float64(l.Cur))
	}
}
