package app

import (
	"math"
	"testing"
)

func TestConnections(t *testing.T) {
	for files, want := range map[uint64]int{
		0: 16, 64: 16, 96: 16, 98: 17, 300: 118, 1024: 480, 4096: 2016, 1 << 20: 524_256, math.MaxUint64: 1 << 20,
	} {
		if got := connections(files); got != want {
			t.Errorf("connections(%d) = %d, want %d", files, got, want)
		}
		if want := uint64(2*connections(files) + keptBack); files > 96 && want > files {
			t.Errorf("of %d files %d may be in use", files, want)
		}
	}
	if n := openFiles(); n < 64 {
		t.Errorf("%d files", n)
	}
}
