package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// TestPick is the specification of the strategies that look at a few
// candidates; all weights that are not given are 1.
func TestPick(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    Strategy
		q    Query
		cs   []Candidate
		want int
	}{
		{"balance: one", Balance{}, Query{}, []Candidate{{}}, 0},
		{"balance: fewest in flight", Balance{}, Query{}, []Candidate{{InFlight: 2}, {InFlight: 1}}, 1},
		{"balance: for its weight", Balance{}, Query{}, []Candidate{{Weight: 4, InFlight: 2}, {InFlight: 1}}, 0},
		{"balance: then the least load", Balance{}, Query{}, []Candidate{{Load: 5}, {Load: 4}}, 1},
		{"balance: load for its weight", Balance{}, Query{}, []Candidate{{Weight: 3, Load: 5}, {Load: 4}}, 0},
		{"balance: load for its rate", Balance{}, Query{}, []Candidate{{Load: 5, Rate: 10}, {Load: 4, Rate: 2}}, 0},

		{"performance_first: the faster of two", PerformanceFirst{}, Query{}, []Candidate{{First: 300 * ms}, {First: 200 * ms}}, 1},
		{"performance_first: who is unknown is tried", PerformanceFirst{}, Query{}, []Candidate{{First: 200 * ms}, {}}, 1},
		{"performance_first: requests in flight count", PerformanceFirst{}, Query{}, []Candidate{{First: 200 * ms, InFlight: 3}, {First: 300 * ms}}, 1},
		{"performance_first: failures count", PerformanceFirst{}, Query{}, []Candidate{{First: 200 * ms, Errors: 0.5}, {First: 300 * ms}}, 1},
		{"performance_first: two are drawn", PerformanceFirst{}, Query{Draw: 2*4 + 1}, []Candidate{{First: 1}, {First: 30 * ms}, {First: 20 * ms}, {First: 2}}, 2},

		{"priority: the first in order", Priority{}, Query{}, []Candidate{{InFlight: 9}, {}}, 0},

		{"weighted: the first of its share", Weighted{}, Query{Draw: 0}, []Candidate{{Weight: 2}, {Weight: 3}}, 0},
		{"weighted: the last of its share", Weighted{}, Query{Draw: 6}, []Candidate{{Weight: 2}, {Weight: 3}}, 0},
		{"weighted: the next", Weighted{}, Query{Draw: 2}, []Candidate{{Weight: 2}, {Weight: 3}}, 1},

		{"round_robin: longest ago", RoundRobin{}, Query{}, []Candidate{{Last: 5}, {Last: 3}, {Last: 4}}, 1},
		{"round_robin: never", RoundRobin{}, Query{}, []Candidate{{Last: 5}, {}}, 1},

		{"drain_expiring: what lapses soonest", DrainExpiring{}, Query{}, []Candidate{{Left: 0.9, Lapses: time.Hour}, {Left: 0.1, Lapses: time.Minute}}, 1},
		{"drain_expiring: not what is used up", DrainExpiring{}, Query{}, []Candidate{{Left: 0.9, Lapses: time.Hour}, {Lapses: time.Minute}}, 0},
		{"drain_expiring: what is known before what is not", DrainExpiring{}, Query{}, []Candidate{{}, {Left: 0.1, Lapses: time.Hour}}, 1},
		{"drain_expiring: what may have something and is not known is asked", DrainExpiring{}, Query{}, []Candidate{{Left: 0.9, Lapses: time.Minute}, {}, {Blank: true}}, 2},
		{"drain_expiring: else balanced", DrainExpiring{}, Query{}, []Candidate{{InFlight: 1}, {}}, 1},

		{"fixed: the one", Fixed{7}, Query{}, []Candidate{{ID: 1}, {ID: 7, InFlight: 9}}, 1},
		{"fixed: else balanced", Fixed{8}, Query{}, []Candidate{{ID: 1, InFlight: 1}, {ID: 7}}, 1},

		{"cache_first: without a conversation balanced", CacheFirst{}, Query{}, []Candidate{{InFlight: 2}, {InFlight: 1}}, 1},
	} {
		for i := range tt.cs {
			tt.cs[i].Weight = max(tt.cs[i].Weight, 1)
		}
		if got := tt.s.Pick(tt.q, tt.cs); got != tt.want {
			t.Errorf("%s: Pick = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestByName(t *testing.T) {
	for _, name := range Names() {
		s, ok := ByName(name, "a")
		if !ok || s.Pick(Query{Session: 3, Draw: 5}, accounts(3)) > 2 {
			t.Errorf("%s: %v", name, s)
		}
	}
	if s, _ := ByName("fixed", "account-2"); s.Pick(Query{}, accounts(4)) != 2 {
		t.Error("fixed does not take the account it is to take")
	}
	if _, ok := ByName("luck", ""); ok {
		t.Error("a strategy that is none")
	}
	if Names()[0] != "cache_first" {
		t.Error("the default is not the first")
	}
}

func accounts(n int) []Candidate {
	cs := make([]Candidate, n)
	for i := range cs {
		cs[i] = Candidate{ID: Hash(fmt.Sprint("account-", i)), Weight: 1}
	}
	return cs
}

// TestCacheFirstStays: an account that leaves moves the conversations that it
// would have been given, and no other's.
func TestCacheFirstStays(t *testing.T) {
	cs := accounts(8)
	for s := range uint64(2000) {
		q := Query{Session: Hash(fmt.Sprint("conversation ", s))}
		home := (CacheFirst{}).Pick(q, cs)
		without := slices.Delete(slices.Clone(cs), 3, 4)
		got := without[(CacheFirst{}).Pick(q, without)].ID
		if home != 3 && got != cs[home].ID {
			t.Fatalf("conversation %d moved although its account stayed", s)
		}
	}
}

func TestCacheFirstShares(t *testing.T) {
	cs := accounts(4)
	cs[0].Weight = 5 // of 8
	for i := range cs {
		cs[i].Load = 100 * float64(cs[i].Weight)
	}
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

// TestCacheFirstBounds: an account that is loaded beyond its share is given no
// new conversation, whatever its rank.
func TestCacheFirstBounds(t *testing.T) {
	cs := accounts(4)
	cs[2].Load = 50
	for s := range uint64(500) {
		if (CacheFirst{}).Pick(Query{Session: s + 1}, cs) == 2 {
			t.Fatal("it got one more")
		}
	}
}

// TestPrice: a move costs by the size of the prompt, and nothing once the
// vendor has forgotten it.
func TestPrice(t *testing.T) {
	for _, tt := range []struct {
		tokens int64
		idle   time.Duration
		want   time.Duration
	}{
		{0, 0, 700 * ms},
		{0, 5 * time.Minute, 700 * ms},
		{0, 5*time.Minute + 1, 0},
		{100_000, time.Second, 10*time.Second + 700*ms},
		{1 << 40, time.Second, 1<<20*100*time.Microsecond + 700*ms},
	} {
		if got := (CacheFirst{}).Price(Query{Tokens: tt.tokens}, tt.idle); got != tt.want {
			t.Errorf("%d tokens after %s: %s, want %s", tt.tokens, tt.idle, got, tt.want)
		}
	}
}

func BenchmarkPick1000(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			s, _ := ByName(name, "")
			cs := accounts(1000)
			b.ReportAllocs()
			for b.Loop() {
				s.Pick(Query{Session: 7, Draw: 9}, cs)
			}
		})
	}
}
