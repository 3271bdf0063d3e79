package relay

import (
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
)

func TestVerdict(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fail := func(account string, class fault.Class, status int, after time.Duration) failure {
		return failure{account, &fault.Fault{Class: class, Status: status, After: after, Msg: "because"}}
	}
	pass := func(account string, class fault.Class, in time.Duration) pool.Passed {
		return pool.Passed{Account: account, Why: "cooling", Class: class, Until: now.Add(in)}
	}
	for _, tt := range []struct {
		name   string
		failed []failure
		none   pool.None
		class  fault.Class
		after  time.Duration
		says   string
	}{
		{"no account at all", nil, pool.None{}, fault.NoAccount, 0, "portico account add"},
		{"none that takes this", nil, pool.None{Accounts: 2, Mute: 1}, fault.Unsupported, 0, `for the model "m"`},
		{"none with the model", nil, pool.None{Accounts: 2}, fault.NoAccount, 0, `no account serves the model "m"`},
		{
			"limited",
			[]failure{fail("a", fault.RateLimited, 429, 3*time.Second), fail("b", fault.Broken, 500, 0)},
			pool.None{Known: 2},
			fault.RateLimited, 3 * time.Second, `no account could serve the model "m" now. a: rate_limited (HTTP 429): because, may serve again in 3s; b: broken (HTTP 500): because`,
		},
		{"spent", []failure{fail("a", fault.QuotaSpent, 402, 0)}, pool.None{}, fault.RateLimited, 0, "quota_spent (HTTP 402)"},
		{"broken", []failure{fail("a", fault.Broken, 500, 0)}, pool.None{}, fault.Busy, 0, "broken (HTTP 500)"},
		{"a key that is rejected is not the client's", []failure{fail("a", fault.CredentialInvalid, 401, 0)}, pool.None{}, fault.Busy, 0, "credential_invalid"},
		{
			"the earliest moment counts",
			[]failure{fail("a", fault.Overloaded, 529, 9*time.Second)},
			pool.None{Known: 3, Passed: []pool.Passed{pass("b", fault.Overloaded, 4*time.Second), pass("c", fault.RateLimited, 50*time.Second)}},
			fault.RateLimited, 4 * time.Second, "b: cooling, may serve again in 4s",
		},
		{
			"who was tried is told once",
			[]failure{fail("a", fault.Overloaded, 529, 9*time.Second)},
			pool.None{Known: 1, Passed: []pool.Passed{pass("a", fault.Overloaded, 2*time.Second)}},
			fault.Busy, 9 * time.Second, "may serve again in 9s",
		},
		{"fractions are rounded up", []failure{fail("a", fault.Overloaded, 529, 1200*time.Millisecond)}, pool.None{}, fault.Busy, 1200 * time.Millisecond, "again in 2s"},
		{
			"nobody has it",
			[]failure{fail("a", fault.ModelDenied, 404, 0)},
			pool.None{Known: 2, Passed: []pool.Passed{pass("b", fault.ModelGone, time.Minute)}},
			fault.ModelDenied, 0, "model_denied (HTTP 404)",
		},
		{"not all deny it", []failure{fail("a", fault.ModelDenied, 404, 0), fail("b", fault.Overloaded, 529, 0)}, pool.None{}, fault.Busy, 0, "b: overloaded"},
	} {
		f := verdict("m", tt.failed, &tt.none, now)
		if f.Class != tt.class || f.After != tt.after || !strings.Contains(f.Msg, tt.says) {
			t.Errorf("%s: %s, after %s: %s", tt.name, f.Class, f.After, f.Msg)
		}
		if f.Class == fault.Unauthorized || f.Class == fault.Forbidden {
			t.Errorf("%s: it is about the client's key", tt.name)
		}
	}
}

// TestVerdictIsBounded: many accounts make no endless message.
func TestVerdictIsBounded(t *testing.T) {
	var failed []failure
	for range maxAttempts {
		failed = append(failed, failure{strings.Repeat("a", 100), &fault.Fault{Class: fault.Broken, Msg: strings.Repeat("x", 5000)}})
	}
	f := verdict(strings.Repeat("m", 5000), failed, &pool.None{}, time.Time{})
	if len(f.Msg) > 4096 {
		t.Errorf("%d bytes", len(f.Msg))
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{
		{"short", 5, "short"}, {"longer", 5, "lo…"}, {"ĀĀĀĀ", 6, "Ā…"}, {"", 0, ""},
	} {
		if got := clip(tt.s, tt.n); got != tt.want || len(got) > tt.n {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}
