package main

import (
	"cmp"
	"encoding/json/v2"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"portico/internal/rig"
)

// The accounts of the check limited, and the load on them.
const (
	limitedAccounts = 20
	limitedPause    = 5 * time.Second
	limitedLoad     = 500 // requests a second
)

// Refusers are accounts of which all but one are at their limits, and say for how
// long.
type refusers struct {
	free *customer

	mu      sync.Mutex
	until   map[string]time.Time // by key
	pauses  int
	crossed int // calls that were under way when the first of a pause was refused
	early   int // calls after that, before the pause was over
}

// answer is a rig.Reply.
func (x *refusers) answer(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		return false
	}
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, tokens := readTurn(body)
	refused := &refusal{http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached for requests.", limitedPause}
	if key == x.free.key {
		refused = x.free.take(time.Now(), tokens)
	}
	if key != x.free.key {
		x.mu.Lock()
		switch now := time.Now(); {
		case !now.Before(x.until[key]):
			x.pauses++
			x.until[key] = now.Add(limitedPause)
		case x.until[key].Sub(now) > limitedPause-underWay:
			x.crossed++
		default:
			x.early++
		}
		x.mu.Unlock()
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if refused != nil {
		x.free.tell(h, refused)
		w.WriteHeader(refused.status)
		_ = json.MarshalWrite(w, map[string]any{"error": map[string]any{"message": refused.msg, "type": refused.kind, "code": refused.code, "param": nil}})
		return true
	}
	defer x.free.done()
	time.Sleep(x.free.latency)
	fmt.Fprintf(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"lab","choices":[{"index":0,"message":{"role":"assistant","content":"served"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":5,"total_tokens":%[2]d}}`, int(tokens)-5, int(tokens))
	return true
}

// limited puts a load of 500 requests a second on 20 accounts of which 19 are at
// their limits. The free one serves all of them, and nobody else is asked more
// than once for each time that it told to wait.
func (s *soak) limited() error {
	const name = "limited"
	u, err := rig.NewUpstream()
	if err != nil {
		return err
	}
	defer u.Close()
	x := &refusers{until: map[string]time.Time{}}
	var conf strings.Builder
	fmt.Fprintf(&conf, "auth_mode: strict\napi_key: %s\nadmin_token: %s\naccounts:\n", apiKey, adminToken)
	for i := range limitedAccounts {
		key := fmt.Sprintf("sk-CANARY-limited-%02d-0123456789", i)
		if i == 7 {
			x.free = &customer{key: key, latency: 20 * time.Millisecond, style: inMillis}
		}
		fmt.Fprintf(&conf, "  - {name: limited-%02d, provider: openai, protocols: [openai-chat], base_url: %q, api_key: %s, models: [\"*\"]}\n", i, u.Base(rig.Chat), key)
	}
	u.Answer(x.answer)
	g, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: filepath.Join(s.dir, name), Config: conf.String()})
	if err != nil {
		return err
	}
	defer g.Kill()
	if err := g.Healthy(s.ctx, 20*time.Second); err != nil {
		return err
	}
	// Each request is a conversation of its own: none stays at the free account.
	l := &lab{talks: 1 << 30, named: true, length: s.size.limited, rng: rand.New(rand.NewPCG(cmp.Or(s.size.seed, rand.Uint64()), 6))}
	x.free.start(time.Now())
	o := l.offer(s.ctx, g, limitedLoad)
	served := float64(o.good) / float64(o.offered)
	// Beside other tests nothing here is a measurement.
	loose := s.size.slack > 1
	s.report.add(name, fmt.Sprintf("of %d requests, %d a second, served by the one account that is free", o.offered, limitedLoad), "≥ 0.99", served >= .99 || loose && served >= .5, "%.4f", served)
	s.report.none(name, fmt.Sprintf("calls of the %d others before the time that they told, beside %d for %d pauses", limitedAccounts-1, x.pauses+x.crossed, x.pauses), x.early, "")
	s.report.none(name, "errors to clients", o.untold+o.errors, o.last)
	return nil
}
