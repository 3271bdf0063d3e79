// Package simulate plays a load on accounts that do not exist: the pool that
// serves, with its strategies, its pacing and its queue, on a clock that jumps
// from one event to the next. An hour of traffic takes a second, nobody is
// asked, and the same seed gives the same figures.
//
// What the simulated gateway does after a failure follows the relay: another
// account, a wait for the first that is able, no more tries than are allowed.
// Bodies, protocols and routes are not simulated, and all requests are for one
// model.
package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/schedule"
)

// A Request is one that comes to the gateway.
type Request struct {
	At      time.Duration // since the beginning
	Session uint64        // its conversation, 0: none
	Tokens  int64         // that it uses
	Key     string        // whose it is
}

// A Lab is accounts and a load on them.
type Lab struct {
	Accounts []Account
	Requests []Request // in the order in which they come
	MaxWait  time.Duration
	Attempts int // tries for one request that keep an account busy, at least 1
	Seed     uint64
}

// The bounds of a lab.
const (
	MaxAccounts = 1000
	MaxRequests = 200_000
)

// check says what is wrong with l.
func (l *Lab) check() error {
	switch {
	case len(l.Accounts) == 0:
		return errors.New("there is no account")
	case len(l.Accounts) > MaxAccounts:
		return fmt.Errorf("there are %d accounts; at most %d are taken", len(l.Accounts), MaxAccounts)
	case len(l.Requests) == 0:
		return errors.New("there is no request")
	case len(l.Requests) > MaxRequests:
		return fmt.Errorf("there are %d requests; at most %d are taken", len(l.Requests), MaxRequests)
	}
	names := map[string]bool{}
	for i := range l.Accounts {
		a := &l.Accounts[i]
		for _, n := range []float64{a.RPM, a.Burst, a.Window, a.TPM, a.LatencyMS, a.DownFromS, a.DownForS, a.Price, float64(a.Quota), a.QuotaEnds} {
			if !(n >= 0 && n <= 1e9) {
				return fmt.Errorf("account %s: %v is not between 0 and 1e9", a.Name, n)
			}
		}
		switch {
		case a.Name == "" || names[a.Name]:
			return fmt.Errorf("account %d: its name %q is empty or there twice", i+1, a.Name)
		case !(a.Busy >= 0 && a.Busy < 1):
			return fmt.Errorf("account %s: busy is a share from 0 to less than 1", a.Name)
		case a.Tells != "" && !slices.Contains(Manners(), a.Tells):
			return fmt.Errorf("account %s: tells is %q and not one of %s", a.Name, a.Tells, strings.Join(Manners(), ", "))
		case a.Sliding && a.Window == 0:
			return fmt.Errorf("account %s: what slides is a window, and window_s says how long it is", a.Name)
		case a.QuotaWindow != 0 && !(a.QuotaWindow >= 1 && a.QuotaWindow <= 1e9):
			return fmt.Errorf("account %s: quota_window_s is 0 or from 1 to 1e9", a.Name)
		case a.QuotaTold && (a.Quota == 0 || a.QuotaWindow == 0):
			return fmt.Errorf("account %s: what is told of a quota is how much is left of its window", a.Name)
		case a.Concurrency < 0 || a.Weight < 0:
			return fmt.Errorf("account %s: a limit is negative", a.Name)
		}
		names[a.Name] = true
	}
	if !slices.IsSortedFunc(l.Requests, func(a, b Request) int { return cmp.Compare(a.At, b.At) }) {
		return errors.New("the requests are not in the order in which they come")
	}
	return nil
}

// Run plays l with the strategy of that name. account is for a strategy that
// prefers one.
func (l *Lab) Run(strategy, account string) (*Result, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	s, ok := schedule.ByName(strategy, account)
	if !ok {
		return nil, fmt.Errorf("there is no strategy %q: %v", strategy, schedule.Names())
	}
	p := &play{
		lab: l, chance: rand.New(rand.NewPCG(l.Seed, 1)), vendors: map[string]*vendor{}, homes: map[uint64]string{},
		result: &Result{Strategy: strategy, Offered: len(l.Requests), Oracle: oracle(l)},
	}
	p.strategy = drawing(s, rand.New(rand.NewPCG(l.Seed, 2)))
	p.pool = pool.NewAt(p.clock.time, p.clock.after)
	accounts := make([]pool.Account, 0, len(l.Accounts))
	for i := range l.Accounts {
		a := &l.Accounts[i]
		p.vendors[a.Name] = newVendor(a)
		accounts = append(accounts, pool.Account{
			Account: &provider.Account{Name: a.Name, BaseURL: &url.URL{Scheme: "https", Host: a.Name + ".invalid"}},
			By:      mute{}, Priority: a.Priority, Weight: max(a.Weight, 1),
		})
	}
	p.pool.Set(accounts)
	for i := range l.Requests {
		r := &l.Requests[i]
		p.clock.at(r.At, func() { p.begin(r) })
	}
	p.clock.run()
	p.result.sum(l, p.vendors)
	return p.result, nil
}

// mute is a provider of accounts that are never addressed.
type mute struct{ provider.Provider }

func (mute) Name() string { return "simulated" }

func (mute) Speaks(*provider.Account, protocol.Op, string) []string {
	return []string{protocol.OpenAIChat}
}

var ways = []pool.Way{{Op: protocol.Chat, Protocol: protocol.OpenAIChat}}

// A play is a lab while its clock runs.
type play struct {
	lab      *Lab
	clock    clock
	pool     *pool.Pool
	strategy schedule.Strategy
	chance   *rand.Rand
	vendors  map[string]*vendor
	homes    map[uint64]string // where a conversation's last turn was served
	result   *Result
}

// A call is a request under way.
type call struct {
	*Request
	p      *play
	want   pool.Want
	left   int // tries that may still keep an account busy
	tries  int
	waited time.Duration
}

// maxTries bounds the tries for one request, as the relay does.
const maxTries = 64

// transit is how long a refusal takes.
const transit = 20 * time.Millisecond

func (p *play) begin(r *Request) {
	c := &call{Request: r, p: p, left: max(p.lab.Attempts, 1)}
	// The gateway does not know how long an answer will be: its estimate is
	// off by up to a fifth.
	guess := int64(float64(r.Tokens) * (0.8 + 0.4*p.chance.Float64()))
	c.want = pool.Want{
		Ways: ways, Model: "m", Strategy: p.strategy, Queue: true, Since: p.clock.time(), Key: r.Key,
		Query: schedule.Query{Session: r.Session, Tokens: guess}, Tokens: guess,
	}
	c.seek()
}

// seek looks for an account, or waits for one.
func (c *call) seek() {
	c.want.Max = max(c.p.lab.MaxWait-c.waited, 0)
	lease, none, cancel := c.p.pool.Ask(c.want, func(l pool.Lease, n *pool.None) {
		// The pool is not to be called from here.
		c.p.clock.at(c.p.clock.now, func() { c.got(l, n) })
	})
	if cancel == nil {
		c.got(lease, none)
	}
}

func (c *call) got(l pool.Lease, none *pool.None) {
	p := c.p
	if none != nil {
		if len(c.want.Not) > 0 { // rather one of those than nobody
			c.want.Not = nil
			c.seek()
			return
		}
		p.refuse(!none.Until.IsZero())
		return
	}
	c.waited += l.Waited
	v := p.vendors[l.Account.Name]
	c.tries++
	f := v.ask(p.clock.now, float64(c.Tokens), p.chance.Float64)
	heads := v.heads(p.clock.now)
	if f == nil {
		p.served(c, v, &l, heads)
		return
	}
	p.clock.at(p.clock.now+transit, func() {
		l.Heard(http.StatusTooManyRequests, heads)
		l.Done(f, 0, 0)
		if f.Class == fault.Overloaded || f.Class == fault.Broken {
			c.left--
			c.want.Not = append(c.want.Not, v.Name)
		}
		if c.left == 0 || c.tries == maxTries {
			p.refuse(false)
			return
		}
		c.seek()
	})
}

// served begins an answer, which ends by itself.
func (p *play) served(c *call, v *vendor, l *pool.Lease, heads http.Header) {
	r, at := p.result, *l
	tokens := float64(c.Tokens)
	home, again := p.homes[c.Session]
	if c.Session != 0 {
		if p.homes[c.Session] = v.Name; again {
			r.Turns++
		}
	}
	cost := tokens
	if again && home == v.Name {
		r.AtHome++
		cost = tokens / 10
	}
	r.Tokens += c.Tokens
	r.CostUSD += cost * v.Price / 1e6
	r.waits = append(r.waits, p.clock.now-c.At)
	p.clock.at(p.clock.now+v.latency(), func() {
		v.busy--
		at.Heard(http.StatusOK, heads)
		at.Done(nil, v.latency(), c.Tokens)
		r.Served++
		r.took = append(r.took, p.clock.now-c.At)
	})
}

// refuse is that the client was told to come back, or not when.
func (p *play) refuse(when bool) {
	p.result.Refused++
	if when {
		p.result.Told++
	}
}

// drawing is s with chance of a seed in place of the pool's.
func drawing(s schedule.Strategy, chance *rand.Rand) schedule.Strategy {
	d := drawn{s, chance}
	switch s := s.(type) {
	case schedule.Keeper:
		return drawnKeeper{d, s}
	case schedule.Preferrer:
		return drawnPreferrer{d, s}
	}
	return d
}

type drawn struct {
	s      schedule.Strategy
	chance *rand.Rand
}

// Pick picks by chance of a seed.
func (d drawn) Pick(q schedule.Query, cs []schedule.Candidate) int {
	q.Draw = d.chance.Uint64()
	return d.s.Pick(q, cs)
}

type drawnKeeper struct {
	drawn
	keeper schedule.Keeper
}

// Price is the strategy's own.
func (d drawnKeeper) Price(q schedule.Query, idle time.Duration) time.Duration {
	return d.keeper.Price(q, idle)
}

type drawnPreferrer struct {
	drawn
	preferrer schedule.Preferrer
}

// Prefers is the strategy's own.
func (d drawnPreferrer) Prefers() uint64 { return d.preferrer.Prefers() }
