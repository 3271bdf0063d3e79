package models

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/route"
	"portico/internal/secret"
)

// An upstream is scripted, and notes when it was asked.
type upstream struct {
	mu    sync.Mutex
	asked []time.Time
	reply func() (*http.Response, error)
}

func (u *upstream) RoundTrip(*http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.asked = append(u.asked, time.Now())
	reply := u.reply
	u.mu.Unlock()
	return reply()
}

func (u *upstream) says(status int, body string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reply = func() (*http.Response, error) { return answer(status, body), nil }
}

func (u *upstream) times() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.asked)
}

// running runs s until the returned function is called.
func running(t *testing.T, s *Shelf) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func set(t *testing.T, s *Shelf, accounts ...pool.Account) {
	t.Helper()
	if err := s.Set(Setup{Accounts: accounts}); err != nil {
		t.Fatal(err)
	}
}

func TestRunSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.says(200, list("a"))
		s := New(Options{Codecs: codecs})
		set(t, s, account(t, "one", "openai", "", u))
		defer running(t, s)()

		synctest.Wait()
		if u.times() != 1 || ids(s.List("")) != "a" {
			t.Fatalf("at the start: asked %d times, %q", u.times(), ids(s.List("")))
		}
		time.Sleep(every - every/10 - time.Second)
		synctest.Wait()
		if u.times() != 1 {
			t.Fatalf("asked %d times before an hour was over", u.times())
		}
		u.says(200, list("a", "b"))
		time.Sleep(every/5 + 2*time.Second)
		synctest.Wait()
		if u.times() != 2 || ids(s.List("")) != "a b" {
			t.Fatalf("after an hour: asked %d times, %q", u.times(), ids(s.List("")))
		}

		// A failure leaves the list as it is, and is tried again ever later.
		u.says(500, "")
		time.Sleep(every + every/10 + time.Second)
		synctest.Wait()
		if n := u.times(); n < 3 || ids(s.List("")) != "a b" {
			t.Fatalf("after a failure: asked %d times, %q", n, ids(s.List("")))
		}
		time.Sleep(6 * every)
		synctest.Wait()
		u.mu.Lock()
		gaps := []time.Duration{}
		for i := 3; i < len(u.asked); i++ {
			gaps = append(gaps, u.asked[i].Sub(u.asked[i-1]))
		}
		u.mu.Unlock()
		if len(gaps) < 8 {
			t.Fatalf("pauses %v", gaps)
		}
		for i, gap := range gaps {
			want := min(soon<<i, every)
			if gap < want-want/10 || gap > want+want/10 {
				t.Errorf("pause %d is %v, want about %v", i+1, gap, want)
			}
		}
	})
}

func TestRunOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &upstream{}, &upstream{}
		one.says(200, list("a"))
		two.says(200, list("b"))
		s := New(Options{Codecs: codecs})
		first := account(t, "one", "openai", "", one)
		set(t, s, first)
		defer running(t, s)()
		synctest.Wait()

		second := account(t, "two", "openai", "", two)
		set(t, s, first, second)
		synctest.Wait()
		if got := ids(s.List("")); got != "a b" || one.times() != 1 || two.times() != 1 {
			t.Errorf("after an addition: %q, asked %d and %d times", got, one.times(), two.times())
		}
		changed := account(t, "one", "openai", "", one)
		changed.Key = secret.Of("sk-another-0123456789")
		set(t, s, changed, second)
		if got := ids(s.List("")); got != "a b" {
			t.Errorf("a new key lost the list: %q", got)
		}
		synctest.Wait()
		if one.times() != 2 || two.times() != 1 {
			t.Errorf("after a new key: asked %d and %d times", one.times(), two.times())
		}
		off := second
		off.Disabled = true
		set(t, s, changed, off)
		if got := ids(s.List("")); got != "a" {
			t.Errorf("after one was switched off: %q", got)
		}
		elsewhere := account(t, "one", "openai", "https://elsewhere.example/v1", &upstream{reply: func() (*http.Response, error) { return answer(500, ""), nil }})
		set(t, s, elsewhere)
		if got := ids(s.List("")); got != "" {
			t.Errorf("the list of another address is kept: %q", got)
		}
		synctest.Wait()
	})
}

func TestRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		out := way(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return answer(200, list("m")), nil
		})
		var accounts []pool.Account
		for i := range 30 {
			accounts = append(accounts, account(t, "a"+strconv.Itoa(i), "openai", "", out))
		}
		s := New(Options{Codecs: codecs})
		set(t, s, accounts...)
		defer running(t, s)()
		start := time.Now()
		time.Sleep(8*time.Second + time.Millisecond) // 30 accounts, 4 at once
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, e := range s.entries {
			if !e.known || &e.models[0] != &s.entries[0].models[0] {
				t.Errorf("%s: known %v; equal lists are to be kept once", e.account.Name, e.known)
			}
		}
		if most != atOnce {
			t.Errorf("%d were asked at once in %v, want %d", most, time.Since(start), atOnce)
		}
	})
}

// TestRunNeverAsks: who has no list is not asked, and reading asks nobody.
func TestRunNeverAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.says(200, list("a"))
		unlisted := account(t, "p", "openai-compatible", "https://x.example/v1", u, "sonar")
		unlisted.Preset = "perplexity"
		off := account(t, "off", "openai", "", u)
		off.Disabled = true
		s := New(Options{Codecs: codecs})
		set(t, s, unlisted, off)
		defer running(t, s)()
		time.Sleep(3 * every)
		for range 100 {
			s.List("")
			s.Find("", "a")
		}
		synctest.Wait()
		if u.times() != 0 || ids(s.List("")) != "sonar" {
			t.Errorf("asked %d times, %q", u.times(), ids(s.List("")))
		}
	})
}

func TestPause(t *testing.T) {
	for _, tt := range []struct {
		failed int
		after  time.Duration
		want   time.Duration
	}{
		{1, 0, soon},
		{2, 0, 2 * soon},
		{7, 0, 64 * soon},
		{12, 0, every},
		{1000, 0, every},
		{1, 5 * time.Minute, 5 * time.Minute},
		{1, 24 * time.Hour, every},
		{12, time.Minute, every},
	} {
		if got := pause(tt.failed, &fault.Fault{After: tt.after}); got != tt.want {
			t.Errorf("pause(%d, %v) = %v, want %v", tt.failed, tt.after, got, tt.want)
		}
	}
}

func TestFind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{}
		u.says(200, list("b", "a"))
		s := New(Options{Codecs: codecs})
		set(t, s, account(t, "one", "openai", "", u))
		defer running(t, s)()
		synctest.Wait()
		for _, tt := range []struct {
			proto, id string
			want      bool
		}{
			{"", "a", true}, {"openai-chat", "b", true}, {"openai-responses", "b", true}, {"anthropic", "a", false}, {"", "c", false}, {"", "", false},
		} {
			if m, ok := s.Find(tt.proto, tt.id); ok != tt.want || ok && m.ID != tt.id {
				t.Errorf("Find(%q, %q) = %q, %v", tt.proto, tt.id, m.ID, ok)
			}
		}
	})
}

func TestShareBound(t *testing.T) {
	s := New(Options{Codecs: codecs})
	a, b := account(t, "a", "openai", "", nil), account(t, "b", "openai", "", nil)
	e := has(a)
	for i := range maxTotal {
		e.models = append(e.models, has(a, strconv.Itoa(i)).models...)
	}
	if got := s.share(&b, has(b, "new").models, []*entry{e}); got != nil {
		t.Errorf("a list beyond the bound is kept: %s", ids(got))
	}
	if got := s.share(&b, append(e.models[:0:0], e.models...), []*entry{e}); len(got) != maxTotal || &got[0] != &e.models[0] {
		t.Error("an equal list is not shared")
	}
}

func TestSetRefusesRoutes(t *testing.T) {
	s := New(Options{})
	bad := Setup{}
	bad.Routes = append(bad.Routes, route.Rule{Match: "/(/", To: []string{"x"}})
	if err := s.Set(bad); err == nil || !strings.Contains(err.Error(), "route 1") {
		t.Errorf("%v", err)
	}
}
