package pool

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/schedule"
	"portico/internal/secret"
)

// reopened is what a restart makes of p, some time later or earlier by the
// clock.
func reopened(t *testing.T, p *Pool, c *clock, jump time.Duration, as ...Account) *Pool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pool.json")
	if err := p.save(file); err != nil {
		t.Fatal(err)
	}
	c.t = c.t.Add(jump)
	q := New(c.now)
	if err := q.Load(file); err != nil {
		t.Fatal(err)
	}
	q.Set(as)
	return q
}

// TestRestart: pauses, learned rates and homes outlive a restart, wherever the
// clock is put meanwhile, and nothing is stuck.
func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		jump time.Duration
		held bool // the account is still kept off
	}{
		{0, true}, {time.Minute, true}, {2 * time.Hour, false}, {48 * time.Hour, false}, {-time.Hour, true}, {-48 * time.Hour, true},
	} {
		as := []Account{account("a"), account("b")}
		p, c := pool(as...)
		w := chat
		w.Only = "a"
		take(p, w, &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Account, After: time.Hour, Msg: "used up", Link: "https://a.example"})
		take(p, chat, &fault.Fault{Class: fault.ModelDenied, Scope: fault.Model})
		q := reopened(t, p, c, tt.jump, as...)
		vs := q.Views()
		if h := vs[0].Health; h.Why != fault.QuotaSpent || h.Msg != "used up" || (h.State == Cooling) != tt.held {
			t.Errorf("%s later: %+v", tt.jump, h)
		}
		if h := vs[1].Models["m"]; h.Why != fault.ModelDenied {
			t.Errorf("%s later: the model is %+v", tt.jump, h)
		}
		c.t = c.t.Add(25 * time.Hour)
		if take(q, w, nil) == "" || take(q, chat, nil) == "" {
			t.Errorf("%s later: something is stuck for a day", tt.jump)
		}
	}
}

func TestRestartKeepsWhatIsLearned(t *testing.T) {
	as := []Account{account("a"), account("b"), account("c")}
	p, c := pool(as...)
	w := chat
	w.Only = "a"
	for range 40 {
		c.t = c.t.Add(100 * time.Millisecond)
		take(p, w, nil)
	}
	take(p, w, limitedFor(150*time.Millisecond))
	rate := p.entry("a").seats["m"].gate.rate()
	homes := map[uint64]string{}
	for s := range uint64(50) {
		c.t = c.t.Add(time.Second)
		l, _ := p.Lease(turn(s + 1))
		l.Done(nil, 0, 0)
		homes[s+1] = l.Account.Name
	}
	q := reopened(t, p, c, time.Second, as...)
	if got := q.entry("a").seats["m"].gate.rate(); got != rate || rate == 0 {
		t.Errorf("the rate is %v, it was %v", got, rate)
	}
	moved := 0
	for s, name := range homes {
		c.t = c.t.Add(time.Second)
		if l, _ := q.Lease(turn(s)); l.Account.Name != name {
			moved++
		}
	}
	if moved > 2 {
		t.Errorf("%d of %d conversations moved", moved, len(homes))
	}
	changed := account("a")
	changed.Key = secret.Of("another")
	q = reopened(t, p, c, 0, changed, as[1], as[2])
	if s := q.entry("a").seats["m"]; s != nil {
		t.Error("another key inherits what was learned of the first")
	}
}

// TestKeptIsBounded: neither many accounts nor many conversations make a file
// that is not read again.
func TestKeptIsBounded(t *testing.T) {
	var as []Account
	for i := range 3000 {
		as = append(as, account(fmt.Sprint("a", i)))
	}
	p, c := pool(as...)
	for i := range as {
		for _, m := range []string{"m", "n", "o", "p"} {
			w := chat
			w.Model, w.Only = m, as[i].Name
			take(p, w, &fault.Fault{Class: fault.QuotaSpent, Scope: fault.Model, After: time.Hour, Msg: strings.Repeat("x", 256), Link: strings.Repeat("y", 100)})
		}
	}
	for i := range uint64(3 * maxKept) {
		p.homes.set(schedule.Mix(i), home{account: 1, last: time.Duration(i)})
	}
	file := filepath.Join(t.TempDir(), "pool.json")
	if err := p.save(file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxFile || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %d bytes, mode %v", err, info.Size(), info.Mode())
	}
	q := New(c.now)
	if err := q.Load(file); err != nil {
		t.Error(err)
	}
	if len(q.kept) < 500 {
		t.Errorf("only %d accounts were kept", len(q.kept))
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), `"k"`) {
		t.Errorf("%v, or a key is in the file", err)
	}
}

// TestKeptIsDamaged: a file that is none is told, and nothing is taken of it.
func TestKeptIsDamaged(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"no JSON": "{", "too long": strings.Repeat(" ", maxFile+1), "nonsense": `{"accounts":3}`,
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := New(time.Now).Load(file); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := New(time.Now).Load(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a missing file: %v", err)
	}
}

// FuzzLoad: whatever the file holds, the pool serves afterwards.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"saved":"2026-01-02T03:04:05Z","accounts":[{"name":"a","home":"x","health":{"state":1,"until":"2027-01-02T03:04:05Z"},"models":[{"model":"m","limits":[{"unit":0,"rate":1e300,"burst":-1}]}]}],"homes":[[1,2,3]]}`))
	home := account("a")
	id := home.identity()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "pool.json")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), `"home":"x"`, `"home":"`+id+`"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		p, c := pool()
		_ = p.Load(file)
		p.Set([]Account{home})
		c.t = c.t.Add(25 * time.Hour)
		if got := take(p, chat, nil); got != "a" {
			t.Errorf("a day later nobody serves")
		}
	})
}

// TestRun: changes are written a while later and at the end, and nothing is
// written while nothing changes.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "pool.json")
		p := New(time.Now)
		p.Set([]Account{account("a")})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- p.Run(ctx, file, slog.New(slog.DiscardHandler)) }()
		there := func() bool { _, err := os.Stat(file); return err == nil }
		take(p, chat, nil)
		time.Sleep(time.Hour)
		if there() {
			t.Error("something was written though nothing is worth it")
		}
		take(p, chat, of(fault.QuotaSpent, time.Hour))
		time.Sleep(settles / 2)
		if there() {
			t.Error("it was written at once")
		}
		time.Sleep(settles)
		if !there() {
			t.Error("it was not written")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if there() {
			t.Error("it was written again for nothing")
		}
		p.Heal("a")
		synctest.Wait()
		cancel()
		if err := <-done; err != nil || !there() {
			t.Errorf("at the end: %v", err)
		}
	})
}
