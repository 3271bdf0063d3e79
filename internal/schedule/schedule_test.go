package schedule

import (
	"fmt"
	"testing"
	"time"
)

func TestBalance(t *testing.T) {
	for _, tt := range []struct {
		name string
		cs   []Candidate
		want int
	}{
		{"one", []Candidate{{Weight: 1}}, 0},
		{"fewest in flight", []Candidate{{Weight: 1, InFlight: 2}, {Weight: 1, InFlight: 1}}, 1},
		{"for its weight", []Candidate{{Weight: 4, InFlight: 2}, {Weight: 1, InFlight: 1}}, 0},
		{"then the least served", []Candidate{{Weight: 1, Served: 5}, {Weight: 1, Served: 4}}, 1},
		{"served for its weight", []Candidate{{Weight: 3, Served: 5}, {Weight: 1, Served: 4}}, 0},
	} {
		if got := (Balance{}).Pick(Query{}, tt.cs); got != tt.want {
			t.Errorf("%s: Pick = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func accounts(n int) []Candidate {
	cs := make([]Candidate, n)
	for i := range cs {
		cs[i] = Candidate{ID: Hash(fmt.Sprint("account-", i)), Weight: 1}
	}
	return cs
}

// TestCacheFirstStays is the law of the strategy: an account that leaves moves
// its own conversations and no other.
func TestCacheFirstStays(t *testing.T) {
	cs := accounts(8)
	for s := range uint64(2000) {
		q := Query{Session: Hash(fmt.Sprint("conversation ", s))}
		home := (CacheFirst{}).Pick(q, cs)
		without := append(append([]Candidate{}, cs[:3]...), cs[4:]...)
		got := without[(CacheFirst{}).Pick(q, without)].ID
		if home != 3 && got != cs[home].ID {
			t.Fatalf("conversation %d moved although its account stayed", s)
		}
	}
}

func TestCacheFirstShares(t *testing.T) {
	cs := accounts(4)
	cs[0].Weight = 5 // of 8
	const n = 8000
	var got [4]int
	for s := range n {
		got[(CacheFirst{}).Pick(Query{Session: Hash(fmt.Sprint("c", s))}, cs)]++
	}
	for i, w := range []float64{5, 1, 1, 1} {
		want := n * w / 8
		if f := float64(got[i]); f < want*0.85 || f > want*1.15 {
			t.Errorf("account %d has %d conversations, want about %.0f", i, got[i], want)
		}
	}
}

func TestPerformanceFirst(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name string
		cs   []Candidate
		want int
	}{
		{"fastest", []Candidate{{Weight: 1, First: 300 * ms}, {Weight: 1, First: 200 * ms}}, 1},
		{"unknown is tried", []Candidate{{Weight: 1, First: 200 * ms}, {Weight: 1}}, 1},
		{"load counts", []Candidate{{Weight: 1, First: 200 * ms, InFlight: 3}, {Weight: 1, First: 300 * ms}}, 1},
	} {
		if got := (PerformanceFirst{}).Pick(Query{}, tt.cs); got != tt.want {
			t.Errorf("%s: Pick = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func BenchmarkCacheFirst1000(b *testing.B) {
	cs := accounts(1000)
	b.ReportAllocs()
	for b.Loop() {
		(CacheFirst{}).Pick(Query{Session: 7}, cs)
	}
}
