package app

import (
	"bufio"
	"os"
	"slices"
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

// The program goes on without the pages that it gave back.
func TestForgetStart(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps"); err != nil {
		t.Skip("this system does not tell what lies where")
	}
	for range 3 {
		forgetStart()
		if got := strings.Repeat("x", 3); got != "xxx" {
			t.Fatal(got)
		}
	}
}
