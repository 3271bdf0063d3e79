// Package gauge asks vendors how much is left of accounts, where they can be
// asked: with the account's own key, by its own way out, beside the path. What
// they say goes to the pool, which shows it and may protect what is left.
package gauge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/pace"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
)

const (
	// askTime is how long asking one account may take in all.
	askTime = 15 * time.Second
	// maxBody bounds an answer, in bytes.
	maxBody = 64 << 10
	// atOnce is how many accounts are asked at one time.
	atOnce = 4
	// rest is the longest pause after failures, if accounts are asked more
	// often than that.
	rest = 6 * time.Hour
	// look is how often it is looked for accounts that are due.
	look = 30 * time.Second
)

// A Poller asks again and again.
type Poller struct {
	Pool  *pool.Pool
	Every func() time.Duration // how often an account is asked, 0: never
	Agent string               // the User-Agent that vendors see
	Log   *slog.Logger

	asked map[string]*asked // by account
}

// asked is how far it is with an account.
type asked struct {
	account *pool.Account
	due     time.Time
	failed  int // in a row
}

// Run asks until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	p.asked = map[string]*asked{}
	timer := time.NewTicker(look)
	defer timer.Stop()
	for {
		if every := p.Every(); every > 0 {
			p.round(ctx, every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

// round asks those that are due.
func (p *Poller) round(ctx context.Context, every time.Duration) {
	now := time.Now()
	places := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	next := map[string]*asked{}
	for _, v := range p.Pool.Views() {
		g := gaugeOf(v.Account)
		if g == nil || v.Disabled {
			continue
		}
		x := p.asked[v.Name]
		if x == nil || x.account.Key != v.Key {
			x = &asked{due: now.Add(rand.N(look))} // not all of them at the start
		}
		x.account = v.Account
		next[v.Name] = x
		if now.Before(x.due) {
			continue
		}
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			p.ask(ctx, x, g, every)
		})
	}
	wait.Wait()
	p.asked = next
}

func gaugeOf(a *pool.Account) *provider.Gauge {
	if g, ok := a.By.(provider.Gauger); ok {
		return g.Gauge(a.Account)
	}
	return nil
}

// ask asks about one account and notes when it is asked again.
func (p *Poller) ask(ctx context.Context, x *asked, g *provider.Gauge, every time.Duration) {
	as, err := read(ctx, x.account, g, p.Agent)
	now := time.Now()
	if err != nil {
		x.failed++
		x.due = now.Add(jitter(pause(x.failed, every)))
		p.Log.Debug("a vendor did not say how much is left", "account", x.account.Name, "error", err, "again", x.due)
		return
	}
	x.failed, x.due = 0, now.Add(jitter(every))
	p.Pool.Told(x.account.Name, as)
}

// pause is how long it is waited after so many failures in a row.
func pause(failed int, every time.Duration) time.Duration {
	d := every
	for range failed {
		if d *= 2; d >= rest {
			return max(rest, every)
		}
	}
	return d
}

// jitter is d, give or take a tenth.
func jitter(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

// Ask asks about a once, as agent; nothing if its vendor cannot be asked or sets
// no limit.
func Ask(ctx context.Context, a *pool.Account, agent string) ([]pace.Allowance, error) {
	g := gaugeOf(a)
	if g == nil {
		return nil, nil
	}
	return read(ctx, a, g, agent)
}

func read(ctx context.Context, a *pool.Account, g *provider.Gauge, agent string) ([]pace.Allowance, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out := (&http.Request{Method: http.MethodGet, Header: http.Header{"Accept": {"application/json"}, "User-Agent": {agent}}}).WithContext(ctx)
	// Where the account's key goes, and how it is shown, its provider knows.
	if err := a.By.Address(out, a.Account, provider.Target{Protocol: a.Protocols[0], Op: protocol.Other, Path: "/models"}); err != nil {
		return nil, err
	}
	out.URL.Path, out.URL.RawPath, out.URL.RawQuery = g.Path, "", ""
	resp, err := a.Way.RoundTrip(out) // which follows no redirect with the key
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("its answer has more than %d bytes", maxBody)
	}
	return Read(g, body, time.Now())
}

// Read is what body, an answer to g that came now, says is left; nothing if it
// sets no limit. The error says what cannot be read.
func Read(g *provider.Gauge, body []byte, now time.Time) ([]pace.Allowance, error) {
	at := find(body, g.Left)
	if string(at) == "null" {
		return nil, nil
	}
	left, ok := amount(at)
	if !ok {
		return nil, errors.New("its answer does not say what is left")
	}
	a := pace.Allowance{Window: g.Window, Left: pace.Unknown, Told: now, Amount: left, Currency: currency(g.Currency, body)}
	if of, ok := amount(find(body, g.Of)); ok && of > 0 {
		a.Left = min(max(left/of, 0), 1)
	}
	if word, ok := jsonedit.Unquote(find(body, g.Renews)); ok {
		a.Resets = renewal(word, now)
	}
	return []pace.Allowance{a}, nil
}

func currency(place string, body []byte) string {
	if s, ok := jsonedit.Unquote([]byte(place)); ok {
		return s
	}
	s, _ := jsonedit.Unquote(find(body, place))
	if len(s) > 8 {
		return ""
	}
	return s
}

// amount reads a number, which may stand in quotation marks.
func amount(v []byte) (float64, bool) {
	s := string(v)
	if t, ok := jsonedit.Unquote(v); ok {
		s = t
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsNaN(n) && math.Abs(n) < 1e15
}

// find is the value at a place of doc, nil if there is none.
func find(doc []byte, place string) []byte {
	if place == "" {
		return nil
	}
	for name := range strings.SplitSeq(place, ".") {
		if n, err := strconv.Atoi(name); err == nil {
			doc = element(doc, n)
		} else {
			doc = jsonedit.Get(doc, name)
		}
		if doc == nil {
			return nil
		}
	}
	return doc
}

// renewal is when all is there again that is every day, week or month: at
// midnight UTC, a week begins on Monday. Zero: the word is not known.
func renewal(word string, now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	switch word {
	case "daily":
		return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
	case "weekly":
		days := (8 - int(now.UTC().Weekday())) % 7
		if days == 0 {
			days = 7
		}
		return time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC)
	case "monthly":
		return time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
}

// element is element n of an array, nil if there is none.
func element(doc []byte, n int) []byte {
	i := 0
	for v, err := range jsonedit.Elements(doc) {
		if err != nil {
			return nil
		}
		if i == n {
			return v
		}
		i++
	}
	return nil
}
