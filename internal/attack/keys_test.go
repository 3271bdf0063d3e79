package attack

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/rig"
)

// key makes a client key and returns its text.
func (x *target) key(name string, settings map[string]any) string {
	x.t.Helper()
	in := map[string]any{"name": name}
	maps.Copy(in, settings)
	var made struct {
		Key string `json:"key"`
	}
	if _, err := x.operator.Call(x.t.Context(), http.MethodPost, "/api/keys", in, &made); err != nil {
		x.t.Fatal(err)
	}
	return made.Key
}

// spent is what the API says a key has used, and put aside, of its day.
func (x *target) spent(name string) (spent, held, inFlight int64) {
	x.t.Helper()
	var k struct {
		InFlight int64 `json:"in_flight"`
		Day      struct {
			Spent int64 `json:"spent_tokens"`
			Held  int64 `json:"held_tokens"`
		} `json:"day"`
	}
	if _, err := x.operator.Call(x.t.Context(), http.MethodGet, "/api/keys/"+name, nil, &k); err != nil {
		x.t.Fatal(err)
	}
	return k.Day.Spent, k.Day.Held, k.InFlight
}

// SEC-22, policies: a key that is over, or in the wrong place, is refused alike
// in every carrier, and nothing reaches an upstream. SEC-27: a client key is
// nobody's at the operator's door, and knows no role.
func TestSEC22Policies(t *testing.T) {
	for _, mode := range []string{"strict", "off"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			x := begin(t, mode, "")
			for name, tt := range map[string]struct {
				settings map[string]any
				status   int
				code     string
			}{
				"expired":  {map[string]any{"expires": "2020-01-01T00:00:00Z"}, 401, "invalid_api_key"},
				"disabled": {map[string]any{"disabled": true}, 401, "invalid_api_key"},
				"afar":     {map[string]any{"addresses": []string{"10.0.0.0/8", "2001:db8::/32"}}, 403, "address_not_allowed"},
				"model":    {map[string]any{"models": []string{"g-*"}}, 403, "model_not_allowed"},
				"route":    {map[string]any{"routes": []string{"anthropic/*"}}, 403, "route_not_allowed"},
				"budget":   {map[string]any{"day": map[string]any{"tokens": 1}}, 429, "insufficient_quota"},
				"unpriced": {map[string]any{"month": map[string]any{"usd": 5}}, 403, "price_unknown"},
			} {
				key := x.key(name, tt.settings)
				for carrier, put := range carriers {
					r := request{method: "POST", path: "/v1/chat/completions", head: []string{"Content-Type: application/json", "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1"}, body: chatBody}
					put(&r, key)
					if got := x.send(r); got.status != tt.status || !strings.Contains(got.body, tt.code) {
						t.Errorf("%s, %s: %d %s", name, carrier, got.status, got.body)
					}
				}
			}
			x.quiet()
			good := x.key("good", nil)
			if got := x.send(request{method: "POST", path: "/v1/chat/completions", key: good, body: chatBody, head: []string{"Content-Type: application/json"}}); got.status != http.StatusOK {
				t.Errorf("a good key: %d %s", got.status, got.body)
			}
			for _, path := range []string{"/api/keys", "/api/keys/good", "/api/status"} {
				if got := x.send(request{path: path, key: good}); got.status != http.StatusUnauthorized && got.status != http.StatusTooManyRequests {
					t.Errorf("%s with a client key: %d", path, got.status)
				}
			}
			// Nobody can read it again, from the API or the disk.
			if got := x.send(request{path: "/api/keys", key: adminToken}); strings.Contains(got.body, good[:len(good)-4]) {
				t.Error("the API shows the key again")
			}
			for _, name := range []string{"accounts.db", "accounts.db-wal", "accounts.db.copy"} {
				b, _ := os.ReadFile(filepath.Join(x.Dir, name))
				if bytes.Contains(b, []byte(good[3:])) {
					t.Errorf("the key is in %s", name)
				}
			}
			if strings.Contains(x.log(), good[3:]) {
				t.Error("the key is in the log")
			}
		})
	}
}

// SEC-25, addresses: what a client writes into X-Forwarded-For moves it nowhere,
// and behind a proxy that is trusted only what that has added counts.
func TestSEC25Addresses(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		want   map[string]int // by X-Forwarded-For
	}{
		"no proxy":             {"", map[string]int{"": 403, "10.0.0.1": 403, "10.0.0.1, 10.0.0.2": 403}},
		"another proxy":        {"trusted_proxies: 192.0.2.1\n", map[string]int{"": 403, "10.0.0.1": 403}},
		"a proxy on loopback":  {"trusted_proxies: [127.0.0.0/8]\n", map[string]int{"": 403, "10.0.0.1": 200, "203.0.113.5": 403, "10.0.0.1, 203.0.113.5": 403, "203.0.113.5, 10.0.0.1": 200, "unknown": 403}},
		"two proxies in a row": {"trusted_proxies: [127.0.0.0/8, 192.0.2.0/24]\n", map[string]int{"10.0.0.1, 192.0.2.7": 200, "10.0.0.1, 203.0.113.5, 192.0.2.7": 403}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := begin(t, "strict", tt.config)
			key := x.key("lan", map[string]any{"addresses": []string{"10.0.0.0/8"}})
			for forwarded, want := range tt.want {
				r := request{path: "/v1/models", key: key}
				if forwarded != "" {
					r.head = []string{"X-Forwarded-For: " + forwarded}
				}
				if got := x.send(r); got.status != want {
					t.Errorf("forwarded for %q: %d %s, want %d", forwarded, got.status, got.body, want)
				}
			}
		})
	}
}

// SEC-28, client keys: one that is revoked is refused by the next request; an
// answer that is under way goes on to its end.
func TestSEC28RevokeClientKey(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	key := x.key("ci", map[string]any{"concurrency": 5})
	long := ask(rig.Messages, true)
	long.Key, long.Script.Chunks, long.Script.Pause = key, 30, 40*time.Millisecond
	begun := make(chan struct{})
	result := make(chan *rig.Answer, 1)
	go func() {
		var once sync.Once
		result <- long.Do(t.Context(), rig.Client(), x.Base, func(*rig.Answer) { once.Do(func() { close(begun) }) })
	}()
	<-begun
	if _, _, inFlight := x.spent("ci"); inFlight != 1 {
		t.Errorf("%d requests are under way", inFlight)
	}
	if _, err := x.operator.Call(t.Context(), http.MethodDelete, "/api/keys/ci", nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := x.send(request{path: "/v1/models", key: key}); got.status != http.StatusUnauthorized {
		t.Errorf("the revoked key: %d", got.status)
	}
	if got := <-result; !got.Whole {
		t.Errorf("the answer under way: %+v", got)
	}
}

// TestBudgetOverKill: kill -9 in the middle of many calls on one budget loses
// nothing that a client has whole, leaves nothing put aside, and gives nobody
// more than the budget.
func TestBudgetOverKill(t *testing.T) {
	t.Parallel()
	x := begin(t, "strict", "")
	const budget = 400_000
	key := x.key("ci", map[string]any{"day": map[string]any{"tokens": budget}, "zone": "Pacific/Kiritimati"})
	one := ask(rig.Chat, true)
	one.Key, one.Script.In, one.Script.Out, one.Script.Chunks = key, 3000, 4000, 3
	var mu sync.Mutex
	var whole int64
	calls := func(ctx context.Context, base string, n int) (refused int) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				for range n {
					got := one.Do(ctx, rig.Client(), base, nil)
					mu.Lock()
					if got.Whole && got.Status == http.StatusOK {
						whole += 7000
					}
					if got.Status == http.StatusTooManyRequests {
						refused++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		return refused
	}
	done := make(chan struct{})
	go func() { defer close(done); calls(t.Context(), x.Base, 6) }()
	for deadline := time.Now().Add(20 * time.Second); ; {
		mu.Lock()
		enough := whole >= 70_000
		mu.Unlock()
		if enough || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	x.Kill()
	<-done
	mu.Lock()
	before := whole
	mu.Unlock()
	x.restart()
	spent, held, inFlight := x.spent("ci")
	if spent < before || held != 0 || inFlight != 0 || before < 70_000 {
		t.Errorf("after the kill %d tokens are spent, %d held by %d requests; clients have answers for %d", spent, held, inFlight, before)
	}
	if refused := calls(t.Context(), x.Base, 20); refused == 0 {
		t.Error("nobody was refused")
	}
	spent, held, _ = x.spent("ci")
	var usage struct {
		Items []struct {
			Total int64 `json:"total"`
		} `json:"items"`
	}
	if _, err := x.operator.Call(t.Context(), http.MethodGet, "/api/usage?key=ci", nil, &usage); err != nil {
		t.Fatal(err)
	}
	if spent > budget || held != 0 || len(usage.Items) != 1 || usage.Items[0].Total != spent {
		t.Errorf("of %d tokens %d are spent and %d held; the ledger has %s", budget, spent, held, fmt.Sprint(usage.Items))
	}
}
