package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A span is a part of the memory of this process.
type span struct{ from, to uintptr }

// unneeded finds in maps, which has the form of /proc/self/smaps (proc(5)), where
// the program's file at path lies in memory and was never written to: its code
// and its constants.
func unneeded(maps *bufio.Scanner, path string) (found []span) {
	var at span
	ours := false
	for maps.Scan() {
		fields := strings.Fields(maps.Text())
		switch {
		case len(fields) >= 2 && strings.HasSuffix(fields[0], ":"):
			if ours && fields[0] == "Anonymous:" && fields[1] == "0" {
				found = append(found, at)
			}
		case len(fields) >= 5:
			from, to, _ := strings.Cut(fields[0], "-")
			a, errA := strconv.ParseUint(from, 16, 64)
			b, errB := strconv.ParseUint(to, 16, 64)
			at = span{uintptr(a), uintptr(b)}
			ours = errA == nil && errB == nil && a < b && (fields[1] == "r-xp" || fields[1] == "r--p") &&
				strings.Join(fields[5:], " ") == path
		}
	}
	return found
}

// forgetStart takes the pages of the program's file out of this process. What
// is used comes back from the system's cache at once, in pieces of 64 KiB; what
// only the start needed, which is most, does not.
func forgetStart() {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, s := range unneeded(bufio.NewScanner(f), path) {
		// It cannot fail in a way that matters: the pages just stay.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, s.from, s.to-s.from, syscall.MADV_DONTNEED)
	}
}
