package simulate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/fault"
	"portico/internal/pace"
	"portico/internal/schedule"
)

// lab is a load of conversations at a share of what accounts take.
func lab(accounts []Account, of float64, seed uint64) *Lab {
	return longLab(accounts, of, seed, 15*time.Second)
}

func longLab(accounts []Account, of float64, seed uint64, length time.Duration) *Lab {
	load := Load{Rate: Capacity(accounts, 400) * of, Length: length, Conversations: 60, Tokens: 400, Keys: 3}
	return &Lab{Accounts: accounts, Requests: load.Requests(seed), MaxWait: 8 * time.Second, Attempts: 4, Seed: seed}
}

func run(t *testing.T, l *Lab, strategy string) *Result {
	t.Helper()
	r, err := l.Run(strategy, "account-002")
	if err != nil {
		t.Fatal(err)
	}
	if r.Served+r.Refused != r.Offered {
		t.Errorf("%s: %d served and %d refused of %d", strategy, r.Served, r.Refused, r.Offered)
	}
	return r
}

// TestGoodput holds every strategy against the oracle, at limits by chance.
func TestGoodput(t *testing.T) {
	for _, tt := range []struct {
		name         string
		faults       bool
		load         float64
		good, wasted float64
	}{
		{"well", false, 0.85, 0.97, 0.15},
		{"in trouble", true, 0.6, 0.93, 0.2},
		{"too much", false, 1.5, 0.9, 0.35},
	} {
		for seed := range uint64(2) {
			l := lab(Some(8, 240, 15*time.Second, tt.faults, seed), tt.load, seed)
			for _, s := range []string{"cache_first", "balance", "performance_first", "round_robin"} {
				if r := run(t, l, s); r.Goodput < tt.good || r.Goodput > 1.1 || r.Wasted > tt.wasted {
					t.Errorf("%s, seed %d, %s: goodput %.3f, wasted %.3f of %d calls", tt.name, seed, s, r.Goodput, r.Wasted, r.Calls)
				}
			}
		}
	}
}

// TestSame: the same seed gives the same figures, whatever else there was.
func TestSame(t *testing.T) {
	l := lab(Some(9, 240, 15*time.Second, true, 5), 0.8, 5)
	for _, s := range schedule.Names() {
		if d := cmp.Diff(run(t, l, s), run(t, l, s), cmpopts.IgnoreUnexported(Result{})); d != "" {
			t.Errorf("%s (-first +second):\n%s", s, d)
		}
	}
	if a, b := lab(l.Accounts, 0.8, 5), lab(l.Accounts, 0.8, 6); cmp.Equal(a.Requests, b.Requests) {
		t.Error("another seed gives the same requests")
	}
}

// TestStrategiesDiffer: each does what it is for.
func TestStrategiesDiffer(t *testing.T) {
	// Long enough that the slow one is known to be slow most of the time.
	const length = 40 * time.Second
	as := Some(6, 600, length, false, 2)
	for i := range as {
		as[i].Weight, as[i].Priority = i+1, i
	}
	as[4].LatencyMS = 5000
	got := map[string]*Result{}
	for _, s := range schedule.Names() {
		of := 0.3
		if s == "priority" || s == "fixed" { // one account alone takes it
			of = 0.1
		}
		l := longLab(as, of, 2, length)
		if s != "priority" {
			l.Accounts = append([]Account(nil), as...)
			for i := range l.Accounts {
				l.Accounts[i].Priority = 0
			}
		}
		got[s] = run(t, l, s)
	}
	served := func(s string, i int) float64 { return share(got[s].Accounts[i].Served, got[s].Served) }
	if got["cache_first"].Locality < 0.8 || got["balance"].Locality > 0.5 || got["cache_first"].CostUSD > 0.5*got["balance"].CostUSD {
		t.Errorf("locality: cache_first %.2f, balance %.2f; cost %.4f and %.4f", got["cache_first"].Locality, got["balance"].Locality, got["cache_first"].CostUSD, got["balance"].CostUSD)
	}
	if served("fixed", 2) < 0.9 || served("priority", 0) < 0.9 {
		t.Errorf("fixed serves %.2f, priority %.2f at its first", served("fixed", 2), served("priority", 0))
	}
	if served("weighted", 5) < 2*served("weighted", 0) || served("performance_first", 4) > served("balance", 4) {
		t.Errorf("weighted %.2f and %.2f; the slow one has %.2f, %.2f by balance", served("weighted", 5), served("weighted", 0), served("performance_first", 4), served("balance", 4))
	}
}

// TestDrains: what lapses soonest is used first, also by accounts of which
// nothing is known at first; whoever spreads requests leaves more of it.
func TestDrains(t *testing.T) {
	as := []Account{
		{Name: "account-000", RPM: 1200, Quota: 150, QuotaWindow: 60, QuotaEnds: 30, QuotaTold: true},
		{Name: "account-001", RPM: 1200, Quota: 80, QuotaWindow: 30, QuotaEnds: 10, QuotaTold: true},
		{Name: "account-002", RPM: 1200},
	}
	load := Load{Rate: 10, Length: 41 * time.Second, Conversations: 60, Tokens: 400, Keys: 3}
	l := &Lab{Accounts: as, Requests: load.Requests(4), MaxWait: 8 * time.Second, Attempts: 4}
	drained, balanced := run(t, l, "drain_expiring"), run(t, l, "balance")
	if drained.Lapsing != 150+2*80 || drained.Lapsed > 0.1 || balanced.Lapsed < 2*drained.Lapsed {
		t.Errorf("of %d, %.3f lapsed; balanced %.3f", drained.Lapsing, drained.Lapsed, balanced.Lapsed)
	}
}

// TestVendor: a vendor keeps its limits, whoever asks, and a request that comes
// when it said is not refused.
func TestVendor(t *testing.T) {
	never := func() float64 { return 1 }
	for _, tt := range []struct {
		name   string
		a      Account
		tokens float64
		want   int // served in ten seconds, if it is asked every 10 ms
	}{
		{"drop by drop", Account{RPM: 60, Burst: 5}, 1, 14},
		{"windows", Account{RPM: 60, Window: 5}, 1, 10},
		{"windows that slide", Account{RPM: 60, Window: 4, Sliding: true}, 1, 12},
		{"tokens", Account{TPM: 6000}, 500, 3},
		{"tokens in windows", Account{TPM: 6000, Window: 5}, 200, 4},
		{"tokens in windows that slide", Account{TPM: 6000, Window: 4, Sliding: true}, 200, 6},
		{"requests and tokens", Account{RPM: 60, Burst: 5, TPM: 6000}, 100, 14},
		{"larger than its allowance", Account{TPM: 600}, 5000, 1},
		{"larger than its window", Account{TPM: 600, Window: 4, Sliding: true}, 5000, 3},
		{"quota", Account{Quota: 7}, 1, 7},
		{"quotas that lapse", Account{Quota: 7, QuotaWindow: 4, QuotaEnds: 1}, 1, 7 + 7 + 7 + 7},
		{"revoked", Account{Revoked: true}, 1, 0},
		{"out of order", Account{DownFromS: 1, DownForS: 8}, 1, 200},
	} {
		for _, manner := range Manners() {
			tt.a.Tells = manner
			v := newVendor(&tt.a)
			n := 0
			for at := time.Duration(0); at < 10*time.Second; at += 10 * time.Millisecond {
				f := v.ask(at, tt.tokens, never)
				if f == nil {
					n++
					v.busy--
					continue
				}
				if f.Class == fault.RateLimited && f.After == 0 && manner != "silent" && manner != "floor" {
					t.Errorf("%s, %s: it does not say when to come back", tt.name, manner)
				}
				if f.After == 0 || manner == "floor" {
					continue
				}
				probe := *v
				if f := probe.ask(at+f.After, tt.tokens, never); f != nil {
					t.Errorf("%s, %s: refused %s after it said to wait", tt.name, manner, f.Class)
				}
			}
			if n != tt.want {
				t.Errorf("%s, %s: served %d, want %d", tt.name, manner, n, tt.want)
			}
		}
	}
}

// TestHeads: what a vendor's headers say is what the pool reads of them.
func TestHeads(t *testing.T) {
	now := 2500 * time.Millisecond
	for _, tt := range []struct {
		name string
		a    Account
		want []pace.Reading
	}{
		{"no limit", Account{Tells: "headers"}, nil},
		{"not told", Account{RPM: 60}, nil},
		{"drop by drop", Account{RPM: 60, Burst: 5, Tells: "headers"}, []pace.Reading{{Unit: pace.Requests, Limit: 5, Left: 4, Reset: 1001 * time.Millisecond}}},
		{"windows", Account{RPM: 60, Window: 5, Tells: "headers"}, []pace.Reading{{Unit: pace.Requests, Limit: 5, Left: 4, Reset: now, Whole: true}}},
		{"windows that slide", Account{RPM: 60, Window: 5, Sliding: true, Tells: "headers"}, []pace.Reading{{Unit: pace.Requests, Limit: 5, Left: 4, Reset: 5001 * time.Millisecond}}},
		{"tokens", Account{TPM: 6000, Tells: "headers"}, []pace.Reading{{Unit: pace.Tokens, Limit: 1000, Left: 800, Reset: 2001 * time.Millisecond}}},
	} {
		v := newVendor(&tt.a)
		v.ask(now, 200, func() float64 { return 1 })
		got := pace.Read(nil, v.heads(now), epoch.Add(now))
		for i := range got {
			got[i].Reset = got[i].Reset.Round(time.Millisecond)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
}

// TestTell: how each manner tells the same waits.
func TestTell(t *testing.T) {
	for _, tt := range []struct {
		manner string
		wait   time.Duration
		want   time.Duration
	}{
		{"", 1234567 * time.Microsecond, 1235 * time.Millisecond},
		{"exact", 1234567 * time.Microsecond, 1235 * time.Millisecond},
		{"headers", 1234567 * time.Microsecond, 1235 * time.Millisecond},
		{"seconds", 1234567 * time.Microsecond, 2 * time.Second},
		{"seconds", 2 * time.Second, 2 * time.Second},
		{"floor", 1234567 * time.Microsecond, time.Second},
		{"floor", 234567 * time.Microsecond, 0},
		{"silent", 1234567 * time.Microsecond, 0},
	} {
		if got := tell(tt.manner, tt.wait); got != tt.want {
			t.Errorf("%s: %s is told as %s, want %s", tt.manner, tt.wait, got, tt.want)
		}
	}
}

// TestOracle: it serves what the limits allow, and waits no longer than a
// client does.
func TestOracle(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    []Account
		n    int
		gap  time.Duration
		want int
	}{
		{"all", []Account{{Name: "a"}}, 50, time.Millisecond, 50},
		{"a burst and what comes within the wait", []Account{{Name: "a", RPM: 60, Burst: 5}}, 50, time.Nanosecond, 5 + 8},
		{"two of them", []Account{{Name: "a", RPM: 60, Burst: 5}, {Name: "b", RPM: 60, Burst: 5}}, 50, time.Nanosecond, 26},
		{"a revoked one does not count", []Account{{Name: "a", RPM: 60, Burst: 5}, {Name: "b", Revoked: true}}, 50, time.Nanosecond, 13},
		{"one at a time", []Account{{Name: "a", Concurrency: 1, LatencyMS: 1000}}, 50, time.Nanosecond, 9},
		{"a quota", []Account{{Name: "a", Quota: 3}}, 50, time.Second, 3},
		{"quotas that come back", []Account{{Name: "a", Quota: 3, QuotaWindow: 20}}, 50, time.Second, 9},
		{"windows", []Account{{Name: "a", RPM: 60, Window: 5}}, 50, time.Nanosecond, 10},
		{"windows that slide", []Account{{Name: "a", RPM: 60, Window: 5, Sliding: true}}, 50, 100 * time.Millisecond, 15},
	} {
		l := &Lab{Accounts: tt.a, MaxWait: 8 * time.Second}
		for i := range tt.n {
			l.Requests = append(l.Requests, Request{At: time.Duration(i) * tt.gap, Tokens: 1})
		}
		if got := oracle(l); got < tt.want-1 || got > tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	one := []Request{{Tokens: 1}}
	for _, tt := range []struct {
		lab  Lab
		says string
	}{
		{Lab{Requests: one}, "no account"},
		{Lab{Accounts: []Account{{Name: "a"}}}, "no request"},
		{Lab{Accounts: []Account{{Name: "a"}, {Name: "a"}}, Requests: one}, "there twice"},
		{Lab{Accounts: []Account{{Name: "a", Busy: 1}}, Requests: one}, "share"},
		{Lab{Accounts: []Account{{Name: "a", RPM: -1}}, Requests: one}, "between"},
		{Lab{Accounts: []Account{{Name: "a", Tells: "lies"}}, Requests: one}, "not one of exact"},
		{Lab{Accounts: []Account{{Name: "a", RPM: 60, Sliding: true}}, Requests: one}, "window_s"},
		{Lab{Accounts: []Account{{Name: "a", Quota: -1}}, Requests: one}, "between"},
		{Lab{Accounts: []Account{{Name: "a", Weight: -1}}, Requests: one}, "negative"},
		{Lab{Accounts: []Account{{Name: "a", Quota: 1, QuotaWindow: 0.1}}, Requests: one}, "quota_window_s"},
		{Lab{Accounts: []Account{{Name: "a", Quota: 1, QuotaTold: true}}, Requests: one}, "what is told"},
		{Lab{Accounts: []Account{{Name: "a"}}, Requests: []Request{{At: 1}, {}}}, "order"},
		{Lab{Accounts: make([]Account, MaxAccounts+1), Requests: one}, "at most"},
		{Lab{Accounts: []Account{{Name: "a"}}, Requests: make([]Request, MaxRequests+1)}, "at most"},
	} {
		if _, err := tt.lab.Run("balance", ""); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("got %v, want one that says %q", err, tt.says)
		}
	}
	l := Lab{Accounts: []Account{{Name: "a"}}, Requests: one}
	if _, err := l.Run("best", ""); err == nil {
		t.Error("a strategy that there is not was taken")
	}
}
