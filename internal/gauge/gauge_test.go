package gauge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/pace"
	"portico/internal/pool"
	"portico/internal/provider"
	"portico/internal/provider/compat"
	"portico/internal/secret"
)

// presetGauge is how the vendor of a preset can be asked.
func presetGauge(t *testing.T, preset string) *provider.Gauge {
	t.Helper()
	p, a := account(t, preset, "")
	return p.Gauge(a)
}

type gauger interface {
	provider.Provider
	provider.Gauger
}

func account(t *testing.T, preset, base string) (gauger, *provider.Account) {
	t.Helper()
	for _, p := range compat.New() {
		if p.Name() != "openai-compatible" {
			continue
		}
		a := &provider.Account{Name: "a", Provider: p.Name(), Preset: preset, Key: secret.Of("sk-test-0123456789abcdef")}
		if base != "" {
			a.BaseURL, _ = url.Parse(base)
		}
		if err := p.Prepare(a); err != nil {
			t.Fatal(err)
		}
		return p.(gauger), a
	}
	panic("there is no openai-compatible")
}

// TestRead: what vendors are documented to answer.
func TestRead(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) // a Wednesday
	money := func(left, amount float64, currency string, resets time.Time) []pace.Allowance {
		return []pace.Allowance{{Window: "credit", Left: left, Amount: amount, Currency: currency, Told: now, Resets: resets}}
	}
	for _, tt := range []struct {
		name, preset, body string
		want               []pace.Allowance
		fails              bool
	}{
		{"a key with a limit", "openrouter", `{"data":{"label":"k","limit":20,"limit_remaining":5,"limit_reset":"monthly","usage":15}}`, money(0.25, 5, "USD", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)), false},
		{"one of a week", "openrouter", `{"data":{"limit":20,"limit_remaining":20,"limit_reset":"weekly"}}`, money(1, 20, "USD", time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)), false},
		{"one of a day", "openrouter", `{"data":{"limit":20,"limit_remaining":-1,"limit_reset":"daily"}}`, money(0, -1, "USD", time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)), false},
		{"one that never renews", "openrouter", `{"data":{"limit":20,"limit_remaining":10,"limit_reset":null}}`, money(0.5, 10, "USD", time.Time{}), false},
		{"a key without a limit", "openrouter", `{"data":{"limit":null,"limit_remaining":null,"usage":15}}`, nil, false},
		{"a balance", "deepseek", `{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"110.50","granted_balance":"10.00","topped_up_balance":"100.50"}]}`, money(pace.Unknown, 110.5, "CNY", time.Time{}), false},
		{"no balance", "deepseek", `{"is_available":false,"balance_infos":[]}`, nil, true},
		{"another balance", "moonshot", `{"code":0,"data":{"available_balance":49.58894,"voucher_balance":46.58893,"cash_balance":3.00001},"scode":"0x0","status":true}`, money(pace.Unknown, 49.58894, "USD", time.Time{}), false},
		{"in China", "moonshot-cn", `{"data":{"available_balance":1}}`, money(pace.Unknown, 1, "CNY", time.Time{}), false},
		{"a page", "moonshot", `<html>`, nil, true},
		{"no number", "moonshot", `{"data":{"available_balance":"NaN"}}`, nil, true},
		{"nothing", "moonshot", ``, nil, true},
	} {
		got, err := Read(presetGauge(t, tt.preset), []byte(tt.body), now)
		if (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// TestGaugeOrigin: only the vendor itself is asked.
func TestGaugeOrigin(t *testing.T) {
	p, a := account(t, "openrouter", "https://proxy.example/api/v1")
	if p.Gauge(a) != nil {
		t.Error("an address of the operator's own is asked")
	}
	p, a = account(t, "groq", "")
	if p.Gauge(a) != nil {
		t.Error("a vendor is asked that cannot be")
	}
}

// vendor answers what it is told to.
type vendor struct {
	mu    sync.Mutex
	asked []time.Time
	body  string
	code  int
	last  *http.Request
}

func (v *vendor) RoundTrip(out *http.Request) (*http.Response, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked, v.last = append(v.asked, time.Now()), out
	if v.code == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: v.code, Body: io.NopCloser(strings.NewReader(v.body)), Request: out}, nil
}

func (v *vendor) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

// running is a poller of one account at work.
func running(t *testing.T, v *vendor, every time.Duration) *pool.Pool {
	t.Helper()
	by, a := account(t, "openrouter", "")
	p := pool.New(time.Now)
	p.Set([]pool.Account{{Account: a, By: by, Way: v, Weight: 1}})
	poller := &Poller{Pool: p, Every: func() time.Duration { return every }, Agent: "Portico/test", Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := poller.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

func TestPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{code: 200, body: `{"data":{"limit":10,"limit_remaining":1,"limit_reset":"daily"}}`}
		p := running(t, v, 15*time.Minute)
		time.Sleep(5*time.Hour + time.Minute)
		synctest.Wait()
		if n := v.count(); n < 18 || n > 23 {
			t.Errorf("asked %d times in 5 hours, want about 20", n)
		}
		if left := p.Views()[0].Left; len(left) != 1 || left[0].Left != 0.1 {
			t.Errorf("the pool knows %+v", left)
		}
		out := v.last
		if out.Method != http.MethodGet || out.URL.String() != "https://openrouter.ai/api/v1/key" || out.Header.Get("Authorization") != "Bearer sk-test-0123456789abcdef" || out.Header.Get("User-Agent") != "Portico/test" {
			t.Errorf("it was asked %s %s with %v", out.Method, out.URL, out.Header)
		}
	})
}

// TestPollerRests: who does not answer is asked ever more seldom, and says
// nothing about the account.
func TestPollerRests(t *testing.T) {
	for _, v := range []*vendor{{}, {code: 500}, {code: 302}, {code: 200, body: strings.Repeat(" ", maxBody+1)}, {code: 200, body: "no"}} {
		synctest.Test(t, func(t *testing.T) {
			p := running(t, v, 15*time.Minute)
			time.Sleep(48 * time.Hour)
			synctest.Wait()
			if n := v.count(); n < 10 || n > 14 {
				t.Errorf("status %d: asked %d times in two days", v.code, n)
			}
			if x := p.Views()[0]; x.Left != nil || x.Health.State != pool.Ready {
				t.Errorf("status %d: %+v", v.code, x.Health)
			}
		})
	}
}

func TestPollerOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{code: 200}
		running(t, v, 0)
		time.Sleep(24 * time.Hour)
		if v.count() > 0 {
			t.Error("it is off, and asks")
		}
	})
}

// TestAtOnce: not all accounts are asked at one time.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most, all := 0, 0, map[string]bool{}
		way := roundTrip(func(out *http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			all[out.Header.Get("Authorization")] = true
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil, errors.New("no")
		})
		var as []pool.Account
		for i := range 40 {
			by, a := account(t, "openrouter", "")
			a.Name, a.Key = fmt.Sprint("a", i), secret.Of(fmt.Sprint("sk-test-0123456789abcdef", i))
			as = append(as, pool.Account{Account: a, By: by, Way: way, Weight: 1})
		}
		as[39].Disabled = true
		p := pool.New(time.Now)
		p.Set(as)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		poller := &Poller{Pool: p, Every: func() time.Duration { return time.Hour }, Log: slog.New(slog.DiscardHandler)}
		if err := poller.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if most != atOnce || len(all) != 39 {
			t.Errorf("%d at one time, %d in all", most, len(all))
		}
		p.Set(nil)
		poller.round(t.Context(), time.Hour)
		if len(poller.asked) != 0 {
			t.Errorf("%d accounts are remembered that are no more", len(poller.asked))
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(out *http.Request) (*http.Response, error) { return f(out) }

// FuzzRead: whatever a vendor answers, nothing out of bounds comes of it.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"data":{"limit":20,"limit_remaining":5,"limit_reset":"monthly"}}`))
	f.Add([]byte(`{"data":{"limit":1e-300,"limit_remaining":1e300}}`))
	g := &provider.Gauge{Window: "credit", Left: "data.limit_remaining", Of: "data.limit", Renews: "data.limit_reset", Currency: "data.currency"}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		as, err := Read(g, body, now)
		if err != nil && as != nil || len(as) > 1 {
			t.Fatalf("%v, %v", as, err)
		}
		for _, a := range as {
			if !(a.Left >= 0 && a.Left <= 1 || a.Left == pace.Unknown) || len(a.Currency) > 8 {
				t.Errorf("%+v", a)
			}
		}
	})
}
