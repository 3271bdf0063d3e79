package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"portico/internal/rig"
)

// A lab is an open-loop load of conversations on a gateway whose accounts have
// limits.
type lab struct {
	name      string
	customers []*customer
	load      float64 // of what the accounts take together
	talks     int
	named     bool // the conversations
	length    time.Duration
	rng       *rand.Rand
}

// An outcome is what came of a lab.
type outcome struct {
	offered, good, best int
	calls, wasted       int
	again, same         int
	early               int // calls while an account said to wait
	told, untold        int // 429 and 503 that say when to come back, and that do not
	errors              int // any other answer
	last                string
	took                times
}

func (o *outcome) goodput() float64 { return float64(o.good) / float64(max(o.best, 1)) }
func (o *outcome) waste() float64   { return float64(o.wasted) / float64(max(o.calls, 1)) }
func (o *outcome) home() float64    { return float64(o.same) / float64(max(o.again, 1)) }

func (o *outcome) String() string {
	return fmt.Sprintf("offered %d, oracle %d, served %d (%.3f), refused by upstreams %.3f of %d, at home %.3f, p50 %s p99 %s, refused %d, errors %d %s",
		o.offered, o.best, o.good, o.goodput(), o.waste(), o.calls, o.home(), o.took.at(.5).Round(time.Millisecond), o.took.at(.99).Round(time.Millisecond), o.told, o.untold+o.errors, o.last)
}

// meanTokens is how many a turn has on average; it has half of them to half
// as many again.
const meanTokens = 300

// newLab makes a lab by chance: healthy, troubled or overload, at a vendor who
// tells exactly when to come back, or does not.
func newLab(name string, exact bool, seed uint64, length time.Duration) *lab {
	rng := rand.New(rand.NewPCG(seed, 4))
	l := &lab{name: name, load: 0.85, talks: 30 + rng.IntN(90), named: rng.IntN(3) > 0, length: length, rng: rng}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	how := style(rng.IntN(int(inSeconds)))
	if !exact {
		how = inSeconds + style(rng.IntN(int(styles-inSeconds)))
	}
	add := func(c *customer) {
		c.key, c.style = fmt.Sprintf("sk-CANARY-lab-%02d-0123456789", len(l.customers)), how
		if c.burst > 0 && rng.IntN(2) == 0 {
			c.burst = float64(2 + rng.IntN(8))
		}
		l.customers = append(l.customers, c)
	}
	n := 8
	if name != "healthy" {
		n = 5 + rng.IntN(3)
	}
	mixed := rng.IntN(3) == 0
	for range n {
		c := &customer{rate: 3 + rng.Float64()*9, burst: 4, latency: ms(20 + rng.IntN(80))}
		if kind := rng.IntN(8); mixed {
			switch kind {
			case 0:
				c.perMinute, c.burst = c.rate*60*meanTokens, 0
			case 1:
				c.latency = ms(300)
				c.parallel, c.burst = 1+int(c.rate*0.3), 0
			case 2:
				c.window, c.burst = time.Second, 0
			}
		}
		if add(c); c.window > 0 {
			c.burst = math.Ceil(c.rate)
		}
	}
	if name != "healthy" {
		add(&customer{rate: 10, burst: 5, quota: 10 + rng.IntN(20), latency: ms(40)})
		add(&customer{rate: 10, burst: 5, quota: 10 + rng.IntN(20), latency: ms(40)})
		add(&customer{refused: http.StatusUnauthorized})
		add(&customer{refused: http.StatusForbidden})
		add(&customer{rate: 3 + rng.Float64()*4, burst: 4, fails: 0.5, latency: ms(40)})
		add(&customer{rate: 3 + rng.Float64()*4, burst: 4, latency: ms(400)})
	}
	if name == "overload" {
		l.load = 1.5
	}
	rng.Shuffle(len(l.customers), func(i, j int) { l.customers[i], l.customers[j] = l.customers[j], l.customers[i] })
	return l
}

// capacity is how many turns c takes within d.
func (c *customer) capacity(d time.Duration) float64 {
	if c.refused != 0 {
		return 0
	}
	n := math.Inf(1)
	switch {
	case c.window > 0:
		n = c.burst * math.Ceil(d.Seconds()/c.window.Seconds())
	case c.burst > 0:
		n = c.burst + c.rate*d.Seconds()
	}
	if c.perMinute > 0 {
		n = math.Min(n, c.perMinute*(1./6+d.Minutes())/meanTokens)
	}
	if c.parallel > 0 {
		n = math.Min(n, float64(c.parallel)*d.Seconds()/c.latency.Seconds())
	}
	if c.quota > 0 {
		n = math.Min(n, float64(c.quota))
	}
	return n
}

// run plays the lab with a gateway of its own.
func (l *lab) run(s *soak, folder string) (*outcome, error) {
	u, err := rig.NewUpstream()
	if err != nil {
		return nil, err
	}
	defer u.Close()
	v := &vendor{customers: map[string]*customer{}, home: map[string]string{}}
	var conf strings.Builder
	fmt.Fprintf(&conf, "auth_mode: strict\napi_key: %s\nadmin_token: %s\naccounts:\n", apiKey, adminToken)
	for i, c := range l.customers {
		v.customers[c.key] = c
		fmt.Fprintf(&conf, "  - {name: lab-%02d, provider: openai, protocols: [openai-chat], base_url: %q, api_key: %s, models: [\"*\"]}\n", i, u.Base(rig.Chat), c.key)
	}
	u.Answer(v.answer)
	g, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: filepath.Join(s.dir, folder), Config: conf.String()})
	if err != nil {
		return nil, err
	}
	defer g.Kill()
	if err := g.Healthy(s.ctx, 20*time.Second); err != nil {
		return nil, err
	}
	start := time.Now()
	capacity := 0.0
	for _, c := range l.customers {
		c.start(start)
		capacity += c.capacity(l.length)
	}
	o := l.offer(s.ctx, g, capacity/l.length.Seconds()*l.load)
	o.best = int(math.Min(float64(o.offered), capacity))
	o.calls, o.wasted, o.again, o.same = v.calls, v.wasted, v.again, v.same
	for _, c := range l.customers {
		o.early += c.early
	}
	return o, s.ctx.Err()
}

// offer makes turns at a rate, however many are answered, and waits for their
// answers.
func (l *lab) offer(ctx context.Context, g *rig.Gateway, rate float64) *outcome {
	o := &outcome{}
	client := rig.Client()
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	start := time.Now()
	for next := start; ctx.Err() == nil; {
		next = next.Add(time.Duration(l.rng.ExpFloat64() / rate * float64(time.Second)))
		if next.Sub(start) > l.length {
			break
		}
		time.Sleep(time.Until(next))
		o.offered++
		body := turn(l.rng.IntN(l.talks), o.offered, meanTokens*(0.5+l.rng.Float64()), l.named)
		all.Go(func() {
			began := time.Now()
			status, after, text := post(ctx, client, g, body)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case status == http.StatusOK && strings.Contains(text, "served"):
				o.good++
				o.took = append(o.took, time.Since(began))
			case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
				if after == "" {
					o.untold++
					o.last = text
				} else {
					o.told++
				}
			default:
				o.errors++
				o.last = fmt.Sprint(status, " ", text)
			}
		})
	}
	all.Wait()
	return o
}

// post makes one request, and returns the status (0: no answer), Retry-After
// and the body or the error.
func post(ctx context.Context, c *http.Client, g *rig.Gateway, body []byte) (status int, after, text string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.Base+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return 0, "", err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiKey)
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err.Error()
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), string(b)
}
