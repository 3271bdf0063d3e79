package budget

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestWindows(t *testing.T) {
	berlin, santiago := zone(t, "Europe/Berlin"), zone(t, "America/Santiago")
	tests := []struct {
		name           string
		at             string
		zone           *time.Location
		day, until     string
		month, through string
	}{
		{"UTC", "2026-03-10T12:00:00Z", nil, "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"before midnight of a zone", "2026-03-31T21:59:59Z", berlin, "2026-03-30T22:00:00Z", "2026-03-31T22:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"after it", "2026-03-31T22:00:00Z", berlin, "2026-03-31T22:00:00Z", "2026-04-01T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"},
		{"a day of 23 hours", "2026-03-29T10:00:00Z", berlin, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"a day of 25 hours", "2026-10-25T10:00:00Z", berlin, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
		{"the end of a year", "2026-12-31T23:30:00Z", nil, "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		// On 2026-09-06 clocks there go from 24:00 to 01:00.
		{"a day without midnight", "2026-09-06T12:00:00Z", santiago, "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z", "2026-09-01T04:00:00Z", "2026-10-01T03:00:00Z"},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		day, until := DayOf(at, tt.zone)
		month, through := MonthOf(at, tt.zone)
		got := [4]string{}
		for i, x := range []time.Time{day, until, month, through} {
			got[i] = x.UTC().Format(time.RFC3339)
		}
		if want := [4]string{tt.day, tt.until, tt.month, tt.through}; got != want {
			t.Errorf("%s: got %v, want %v", tt.name, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	midnight := 12 * time.Hour
	tests := []struct {
		name   string
		limits Limits
		before []Amount // calls that were settled
		under  []Amount // calls under way
		claim  Amount
		want   What // "": none
		wait   time.Duration
		alone  bool
	}{
		{"no limit", Limits{}, []Amount{{1 << 40, 1 << 40}}, nil, Amount{1 << 40, 1 << 40}, "", 0, false},
		{"to the limit", Limits{Day: Amount{Tokens: 100}}, []Amount{{60, 0}}, []Amount{{30, 0}}, Amount{10, 0}, "", 0, false},
		{"over it, for what is put aside", Limits{Day: Amount{Tokens: 100}}, []Amount{{60, 0}}, []Amount{{30, 0}}, Amount{11, 0}, DayTokens, time.Second, false},
		{"over it, for what is spent", Limits{Day: Amount{Tokens: 100}}, []Amount{{95, 0}}, nil, Amount{10, 0}, DayTokens, midnight, false},
		{"spent whole, a call that costs nothing", Limits{Day: Amount{Tokens: 100}}, []Amount{{100, 0}}, nil, Amount{}, DayTokens, midnight, false},
		{"overspent", Limits{Day: Amount{Tokens: 100}}, []Amount{{150, 0}}, nil, Amount{1, 0}, DayTokens, midnight, false},
		{"larger than the budget", Limits{Day: Amount{Tokens: 100}}, nil, nil, Amount{101, 0}, DayTokens, midnight, true},
		{"money", Limits{Day: Amount{Nanos: 100}}, []Amount{{1 << 40, 99}}, nil, Amount{1 << 40, 2}, DayMoney, midnight, false},
		{"tokens of a month", Limits{Month: Amount{Tokens: 100}}, []Amount{{99, 0}}, nil, Amount{2, 0}, MonthTokens, 21*24*time.Hour + midnight, false},
		{"money of a month, though the day has some", Limits{Day: Amount{Nanos: 1000}, Month: Amount{Nanos: 100}}, []Amount{{0, 99}}, nil, Amount{0, 2}, MonthMoney, 21*24*time.Hour + midnight, false},
		{"too many at one time", Limits{Concurrency: 2}, nil, []Amount{{}, {}}, Amount{}, Concurrency, time.Second, false},
		{"as many as may be", Limits{Concurrency: 2}, []Amount{{}, {}}, []Amount{{}}, Amount{}, "", 0, false},
		{"requests a minute", Limits{RPM: 2}, []Amount{{}, {}}, nil, Amount{}, RPM, 30 * time.Second, false},
		{"tokens a minute", Limits{TPM: 60}, []Amount{{60, 0}}, nil, Amount{}, TPM, time.Second, false},
		{"tokens a minute, overdrawn", Limits{TPM: 60}, []Amount{{119, 0}}, nil, Amount{}, TPM, time.Minute, false},
		{"tokens a minute, some left", Limits{TPM: 60}, []Amount{{59, 0}}, nil, Amount{1000, 0}, "", 0, false},
	}
	for _, tt := range tests {
		m := New(tt.limits)
		for _, used := range tt.before {
			h, r := m.Reserve(noon, Claim{})
			if r != nil {
				t.Fatalf("%s: before: %+v", tt.name, r)
			}
			h.Settle(noon, used)
		}
		for _, most := range tt.under {
			if _, r := m.Reserve(noon, Claim{Most: most}); r != nil {
				t.Fatalf("%s: under way: %+v", tt.name, r)
			}
		}
		was := m.Usage(noon)
		_, r := m.Reserve(noon, Claim{Most: tt.claim})
		switch {
		case r == nil && tt.want != "":
			t.Errorf("%s: it was not refused", tt.name)
		case r == nil:
		case r.What != tt.want || r.Wait != tt.wait || r.Alone != tt.alone:
			t.Errorf("%s: got %+v, want %s in %v, %v", tt.name, r, tt.want, tt.wait, tt.alone)
		case m.Usage(noon) != was:
			t.Errorf("%s: a refusal counts: %+v, was %+v", tt.name, m.Usage(noon), was)
		}
	}
}

// TestRefill: what is used of a minute comes back with time, and what a call
// did not use at once.
func TestRefill(t *testing.T) {
	m := New(Limits{RPM: 60, TPM: 600})
	now := noon
	for i := range 60 {
		h, r := m.Reserve(now, Claim{Input: 10})
		if r != nil {
			t.Fatalf("call %d: %+v", i, r)
		}
		h.Settle(now, Amount{Tokens: 5})
	}
	if _, r := m.Reserve(now, Claim{}); r == nil || r.What != RPM {
		t.Errorf("the 61st: %+v", r)
	}
	now = now.Add(time.Second)
	if _, r := m.Reserve(now, Claim{Input: 1 << 40}); r != nil {
		t.Errorf("a second later: %+v", r)
	}
	if _, r := m.Reserve(now.Add(time.Minute), Claim{}); r == nil || r.What != TPM || r.Wait > maxDebt {
		t.Errorf("after a call that took all: %+v", r)
	}
	if _, r := m.Reserve(now.Add(maxDebt+time.Second), Claim{}); r != nil {
		t.Errorf("a day later: %+v", r)
	}
}

// TestRoll: a new day has a new budget; a call is of the day in which it began.
func TestRoll(t *testing.T) {
	m := New(Limits{Day: Amount{Tokens: 100}, Month: Amount{Tokens: 1000}})
	night := time.Date(2026, 3, 10, 23, 59, 59, 0, time.UTC)
	h, _ := m.Reserve(night, Claim{Most: Amount{Tokens: 100}})
	morning := night.Add(2 * time.Second)
	if u := m.Usage(morning); u.Day.Tokens != 0 || u.Held.Tokens != 100 {
		t.Errorf("the next day: %+v", u)
	}
	if _, r := m.Reserve(morning, Claim{Most: Amount{Tokens: 100}}); r != nil {
		t.Errorf("the next day's budget: %+v", r)
	}
	h.Settle(morning, Amount{Tokens: 60})
	h.Settle(morning, Amount{Tokens: 60}) // nothing
	h.Settle(morning, Amount{Tokens: 70}) // ten more
	if u := m.Usage(morning); u.Day.Tokens != 0 || u.Month.Tokens != 70 || u.Held.Tokens != 100 || u.InFlight != 1 {
		t.Errorf("settled the next day: %+v", u)
	}
	if u := m.Usage(night); u.Month.Tokens != 70 || u.Held.Tokens != 100 {
		t.Errorf("the clock was put back: %+v", u)
	}
}

// TestZone: what was spent and put aside outlives a change of the zone.
func TestZone(t *testing.T) {
	m := New(Limits{Day: Amount{Tokens: 100}})
	h, _ := m.Reserve(noon, Claim{Most: Amount{Tokens: 60}})
	m.Set(noon, Limits{Day: Amount{Tokens: 100}, Zone: zone(t, "Asia/Tokyo")})
	if u := m.Usage(noon); u.Held.Tokens != 60 || !u.DayEnds.Equal(time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)) {
		t.Errorf("in Tokyo: %+v", u)
	}
	if _, r := m.Reserve(noon, Claim{Most: Amount{Tokens: 41}}); r == nil {
		t.Error("what is put aside was forgotten")
	}
	h.Settle(noon, Amount{Tokens: 50})
	if u := m.Usage(noon); u.Day.Tokens != 50 || u.Held.Tokens != 0 {
		t.Errorf("settled: %+v", u)
	}
}

// TestRestore: what is settled while the ledger is read counts.
func TestRestore(t *testing.T) {
	m := New(Limits{Day: Amount{Tokens: 100}})
	h, _ := m.Reserve(noon, Claim{Most: Amount{Tokens: 10}})
	since := m.Total()
	h.Settle(noon, Amount{Tokens: 7})
	m.Restore(noon, Amount{Tokens: 50}, Amount{Tokens: 80}, since)
	if u := m.Usage(noon); u.Day.Tokens != 57 || u.Month.Tokens != 87 {
		t.Errorf("got %+v, want 57 and 87", u)
	}
}

// TestTenThousandSpends: however many calls spend at one time, what is spent
// is never above the budget by more than calls cost beyond what was put aside
// for them, and nothing stays put aside.
func TestTenThousandSpends(t *testing.T) {
	for _, over := range []int64{0, 3} {
		const calls, budget = 10_000, 40_000
		m := New(Limits{Day: Amount{Tokens: budget, Nanos: 3 * budget}, Month: Amount{Tokens: 10 * budget}})
		var mu sync.Mutex
		var spent Amount
		var beyond int64 // what calls cost more than was put aside
		served := 0
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range calls {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 7))
				most := Amount{Tokens: 1 + r.Int64N(20)}
				most.Nanos = most.Tokens * 3
				<-start
				h, no := m.Reserve(noon, Claim{Most: most})
				if no != nil {
					return
				}
				used := Amount{Tokens: r.Int64N(most.Tokens + 1 + over)}
				used.Nanos = used.Tokens * 3
				mu.Lock()
				spent = spent.plus(used)
				beyond += max(0, used.Tokens-most.Tokens)
				served++
				mu.Unlock()
				h.Settle(noon, used)
			})
		}
		close(start)
		all.Wait()
		u := m.Usage(noon)
		if u.Held != (Amount{}) || u.InFlight != 0 {
			t.Errorf("%d over: a reservation leaked: %+v", over, u)
		}
		if u.Day != spent || u.Month != spent {
			t.Errorf("%d over: the meter says %+v, %+v were spent", over, u, spent)
		}
		if spent.Tokens > budget+beyond || spent.Nanos > 3*(budget+beyond) {
			t.Errorf("%d over: %+v were spent of %d, with %d beyond what was put aside", over, spent, budget, beyond)
		}
		// What others had put aside and did not use is there again.
		for {
			h, no := m.Reserve(noon, Claim{Most: Amount{1, 3}})
			if no != nil {
				break
			}
			h.Settle(noon, Amount{1, 3})
		}
		if got := m.Usage(noon).Day.Tokens; got != max(budget, spent.Tokens) {
			t.Errorf("%d over: one by one, %d of %d could be spent after %d calls", over, got, budget, served)
		}
	}
}

func TestReserveDoesNotAllocate(t *testing.T) {
	m := New(Limits{RPM: 1 << 30, TPM: 1 << 30, Concurrency: 10, Day: Amount{1 << 40, 1 << 40}, Zone: zone(t, "Europe/Berlin")})
	if n := testing.AllocsPerRun(1000, func() {
		h, r := m.Reserve(noon, Claim{Input: 1, Most: Amount{1, 1}})
		if r != nil {
			t.Fatal(r)
		}
		h.Settle(noon, Amount{1, 1})
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

// TestJumps: wherever the clock goes by an hour or a day while calls run, nothing
// is negative, what was spent stays spent until its window ends, and nobody waits
// for longer than that, or for a minute's allowance for longer than its debt.
func TestJumps(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := Limits{RPM: 20, TPM: 5000, Concurrency: 4, Day: Amount{Tokens: 40_000}, Month: Amount{Tokens: 200_000}}
		m, now := New(l), noon
		var open []Hold
		spent := int64(0)
		for range 300 {
			now = now.Add(time.Duration(rng.IntN(5000)) * time.Millisecond)
			if rng.IntN(20) == 0 {
				now = now.Add([]time.Duration{time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour}[rng.IntN(4)])
			}
			if len(open) > 0 && rng.IntN(2) == 0 {
				used := rng.Int64N(1000)
				spent += used
				open[0].Settle(now, Amount{Tokens: used})
				open = open[1:]
				continue
			}
			h, r := m.Reserve(now, Claim{Input: 100, Most: Amount{Tokens: 1000}})
			if r == nil {
				open = append(open, h)
			} else if most := 33 * 24 * time.Hour; r.Wait < 0 || r.Wait > most || !r.What.Budget() && r.Wait > maxDebt {
				t.Fatalf("seed %d: it waits %s for %s", seed, r.Wait, r.What)
			}
			u := m.Usage(now)
			for _, n := range []int64{u.InFlight, u.Day.Tokens, u.Month.Tokens, u.Held.Tokens, l.Day.Tokens - u.Day.Tokens - 1000*int64(len(open)) + 4000} {
				if n < 0 {
					t.Fatalf("seed %d: %+v", seed, u)
				}
			}
			if int(u.InFlight) != len(open) || m.Total().Tokens != spent {
				t.Fatalf("seed %d: %d are under way of %d, %d is spent of %d", seed, u.InFlight, len(open), m.Total().Tokens, spent)
			}
		}
		for i := range open {
			open[i].Drop(now)
		}
		now = now.Add(40 * 24 * time.Hour)
		if _, r := m.Reserve(now, Claim{Input: 100, Most: Amount{Tokens: 1000}}); r != nil || m.Usage(now).Held.Tokens != 1000 {
			t.Errorf("seed %d: stuck for a month: %+v, %+v", seed, r, m.Usage(now))
		}
	}
	// A minute's allowance that was used up before the clock was put back.
	m, late := New(Limits{RPM: 1}), noon.Add(24*time.Hour+time.Minute)
	m.Reserve(late, Claim{})
	if _, r := m.Reserve(noon.Add(-time.Hour), Claim{}); r != nil {
		t.Errorf("put back by a day: %+v", r)
	}
}
