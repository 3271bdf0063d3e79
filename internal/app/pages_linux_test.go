package app

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestUnneeded(t *testing.T) {
	const maps = `00400000-01018000 r-xp 00001000 08:01 7 /opt/a program
Size:              12384 kB
Anonymous:             0 kB
01018000-01cbb000 r--p 00c19000 08:01 7 /opt/a program
Anonymous:             0 kB
01cbb000-01ccc000 r--p 018bc000 08:01 7 /opt/a program
Anonymous:             4 kB
01ccc000-01d6c000 rw-p 018cd000 08:01 7 /opt/a program
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 08:01 9 /opt/another
Anonymous:             0 kB
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]
Anonymous:             0 kB
nonsense r-xp 0 0 0 /opt/a program
Anonymous:             0 kB
`
	got := unneeded(bufio.NewScanner(strings.NewReader(maps)), "/opt/a program")
	if want := []span{{0x400000, 0x1018000}, {0x1018000, 0x1cbb000}}; !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// What the program used so far leaves its memory, and it goes on.
func TestForgetStart(t *testing.T) {
	before, ok := resident(t)
	if !ok || before == 0 {
		t.Skip("this system does not tell what lies where")
	}
	forgetStart()
	if after, _ := resident(t); after > before/2 {
		t.Errorf("%d kB of the program's file are in memory, of %d kB before", after, before)
	}
}

// resident is how much of the program's file is in memory, in kB.
func resident(t *testing.T) (sum int, ok bool) {
	t.Helper()
	path, err := os.Readlink("/proc/self/exe")
	maps, err2 := os.ReadFile("/proc/self/smaps")
	if err != nil || err2 != nil {
		return 0, false
	}
	ours := false
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) > 1 && fields[0] == "Rss:" && ours:
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		case !strings.HasSuffix(fields[0], ":"):
			ours = strings.HasSuffix(strings.TrimSpace(line), path) && (strings.Contains(line, " r-xp ") || strings.Contains(line, " r--p "))
		}
	}
	return sum, true
}
