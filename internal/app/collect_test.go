package app

import "testing"

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 800}, {1 << 20, 800}, {4 << 20, 400}, {8 << 20, 200}, {16 << 20, 100}, {32 << 20, 50}, {1 << 30, 50}} {
		if got := percent(c.live); got != c.want {
			t.Errorf("%d MiB alive: got %d, want %d", c.live>>20, got, c.want)
		}
	}
}
