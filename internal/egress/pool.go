package egress

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MaxProxies bounds how many proxies the pool has.
const MaxProxies = 300

// Pooled is the proxy of who takes one of the pool's, the same one as long as it
// lives; with a name behind it ("pool:berlin") it is that one and no other.
const (
	Pooled = "pool"
	named  = Pooled + ":"
)

// InPool reports whether proxy is one of the pool, and which: "" is any.
func InPool(proxy string) (name string, ok bool) {
	if proxy == Pooled {
		return "", true
	}
	return strings.CutPrefix(proxy, named)
}

// A Proxy is one of the pool's.
type Proxy struct {
	Name   string
	URL    *url.URL
	Off    bool
	Target string // host:port to which a check connects through it, "": to none
}

// A Condition is how a proxy of the pool does.
type Condition struct {
	State   State
	Since   time.Time     // when it came to be so
	Checked time.Time     // zero: never
	Latency time.Duration // of the last check that it passed
	Why     string        // of a dead one
}

// A State of a proxy.
type State uint8

// The states. One that was not checked yet is used.
const (
	Unchecked State = iota
	Alive
	Dead
)

// String is the state as the operator is told it.
func (s State) String() string { return [...]string{"unchecked", "alive", "dead"}[s] }

// A member is a proxy of the pool with its ways out. Proxy is not changed; a
// changed proxy is another member.
type member struct {
	Proxy
	ways [2]*http.Transport // for others, and for local accounts
	how  atomic.Pointer[Condition]
}

func (m *member) alive() bool { return m.how.Load().State != Dead }

// pool is the proxies that there are.
type pool struct {
	mu      sync.Mutex                // one change at a time
	members atomic.Pointer[[]*member] // by name; nil: none
	turn    atomic.Uint64             // counts changes, of conditions too
}

func (p *pool) all() []*member {
	if ms := p.members.Load(); ms != nil {
		return *ms
	}
	return nil
}

func (p *pool) find(name string) *member {
	ms := p.all()
	if i, ok := slices.BinarySearchFunc(ms, name, func(m *member, name string) int { return strings.Compare(m.Name, name) }); ok {
		return ms[i]
	}
	return nil
}

func (p *pool) closeIdle() {
	for _, m := range p.all() {
		for _, t := range m.ways {
			t.CloseIdleConnections()
		}
	}
}

// SetProxies puts proxies into the pool, in the place of those that are there.
// One whose URL is the same keeps its connections and its condition. More than
// MaxProxies, or two of one name, are an error, and nothing changes.
func (o *Out) SetProxies(proxies []Proxy) error {
	if len(proxies) > MaxProxies {
		return fmt.Errorf("there are %d proxies; the pool takes %d", len(proxies), MaxProxies)
	}
	p := &o.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make([]*member, 0, len(proxies))
	kept := map[*member]bool{}
	for _, x := range proxies {
		old := p.find(x.Name)
		m := &member{Proxy: x}
		if old != nil && old.URL.String() == x.URL.String() {
			m.ways, kept[old] = old.ways, true
			m.how.Store(old.how.Load())
		} else {
			for i := range m.ways {
				m.ways[i] = o.transport(i == 1)
				o.through(m.ways[i], x.URL, i == 1)
			}
			m.how.Store(&Condition{Since: time.Now()})
		}
		next = append(next, m)
	}
	slices.SortFunc(next, func(a, b *member) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(next); i++ {
		if next[i].Name == next[i-1].Name {
			return fmt.Errorf("two proxies are called %q", next[i].Name)
		}
	}
	for _, m := range p.all() {
		if !kept[m] {
			defer m.ways[0].CloseIdleConnections()
			defer m.ways[1].CloseIdleConnections()
		}
	}
	p.members.Store(&next)
	p.turn.Add(1)
	return nil
}

// Way is Transport for an account, whose proxy may be of the pool. Which one it
// is is decided for each request, and if none lives the request fails: an
// account with a proxy never goes out without.
func (o *Out) Way(proxy, account string, local bool) (http.RoundTripper, error) {
	name, ok := InPool(proxy)
	if !ok {
		return o.Transport(proxy, local)
	}
	return &bound{out: o, name: name, account: account, local: local}, nil
}

// bound is the way out of an account that is bound to the pool.
type bound struct {
	out     *Out
	name    string // of its proxy, "" for the one that its own name leads to
	account string
	local   bool
	last    atomic.Pointer[chosen]
}

// chosen is the proxy that was chosen when the pool had changed turn times.
type chosen struct {
	turn uint64
	m    *member
}

var errNoProxy = errors.New("no proxy of the pool is alive, and without one the account is not served")

// RoundTrip implements http.RoundTripper.
func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	m, err := b.choose()
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	way := m.ways[0]
	if b.local {
		way = m.ways[1]
	}
	resp, err := way.RoundTrip(r)
	if err != nil && r.Context().Err() == nil && unreachable(err) {
		b.out.pool.note(m, Condition{State: Dead, Why: err.Error()})
	}
	return resp, err
}

func (b *bound) choose() (*member, error) {
	turn := b.out.pool.turn.Load()
	if c := b.last.Load(); c != nil && c.turn == turn {
		return c.m, nil
	}
	m, err := b.out.pool.choose(b.name, b.account)
	if err == nil {
		b.last.Store(&chosen{turn, m})
	}
	return m, err
}

// choose returns the proxy called name, or if that is "" the one that is
// account's among those that live. When one dies only its own accounts move, and
// they come back to it.
func (p *pool) choose(name, account string) (*member, error) {
	if name != "" {
		switch m := p.find(name); {
		case m == nil:
			return nil, &ProxyError{name, errors.New("the pool has none of this name")}
		case m.Off:
			return nil, &ProxyError{name, errors.New("it is switched off")}
		default:
			return m, nil // it is tried even if it was found dead: there is no other
		}
	}
	var best *member
	var most uint64
	for _, m := range p.all() {
		if m.Off || !m.alive() {
			continue
		}
		if w := weight(m.Name, account); best == nil || w > most {
			best, most = m, w
		}
	}
	if best == nil {
		return nil, &ProxyError{Pooled, errNoProxy}
	}
	return best, nil
}

// weight is how much account is drawn to a proxy (rendezvous hashing).
func weight(proxy, account string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(proxy + "\x00" + account))
	x := h.Sum64() // of short texts that differ little its high bits do, too
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// unreachable reports whether err says that a proxy could not be connected to,
// and not that it would not connect to an upstream.
func unreachable(err error) bool {
	e, ok := errors.AsType[*ProxyError](err)
	if !ok {
		op, ok := errors.AsType[*net.OpError](err)
		return ok && op.Op == "proxyconnect"
	}
	op, ok := errors.AsType[*net.OpError](e.Err)
	return ok && op.Op == "dial"
}

// note takes down how m does.
func (p *pool) note(m *member, c Condition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m = p.same(m); m == nil {
		return
	}
	old := m.how.Load()
	c.Since = time.Now()
	if old.State == c.State {
		c.Since = old.Since
	}
	if c.Checked.IsZero() {
		c.Checked, c.Latency = old.Checked, old.Latency
	}
	m.how.Store(&c)
	if old.State != c.State {
		p.turn.Add(1)
	}
}

// same is the member that has taken m's place since, nil if there is none or it
// leads elsewhere.
func (p *pool) same(m *member) *member {
	if now := p.find(m.Name); now != nil && now.ways == m.ways {
		return now
	}
	return nil
}
