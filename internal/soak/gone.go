package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"portico/internal/rig"
)

const (
	goneUsual = 50 * time.Millisecond  // p99
	goneWorst = 250 * time.Millisecond // of all
	goneCrowd = 500 * time.Millisecond // until the last of a crowd is cancelled
)

// A parting measures how long it takes until an upstream learns that a client
// left.
type parting struct {
	mu    sync.Mutex
	there map[int64]func() // what to do once the upstream has a request
	begun map[int64]time.Time
	took  times
	last  time.Time
}

func newParting() *parting {
	return &parting{there: map[int64]func(){}, begun: map[int64]time.Time{}}
}

func (p *parting) expect(n int64, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there[n] = then
}

// came is told by the upstream.
func (p *parting) came(n int64) {
	p.mu.Lock()
	then := p.there[n]
	delete(p.there, n)
	p.mu.Unlock()
	if then != nil {
		then()
	}
}

func (p *parting) leave(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun[n] = time.Now()
}

// left is told by the upstream.
func (p *parting) left(n int64, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	begun, ok := p.begun[n]
	if !ok {
		return
	}
	p.took = append(p.took, at.Sub(begun))
	if at.After(p.last) {
		p.last = at
	}
}

// gone lets clients leave at every point of an answer (REL-21, 22).
func (s *soak) gone() error {
	const name = "gone"
	g, u, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer end()
	c := rig.Client()
	o := rig.Operator{Base: g.Base, Token: adminToken, HTTP: c}
	began := time.Now()
	n := int64(0)
	for _, when := range []struct {
		what   string
		stream bool
		script rig.Script
		events int // that the client reads before it leaves
	}{
		{"before headers of a stream", true, rig.Script{Wait: time.Minute}, 0},
		{"in the middle of a stream", true, rig.Script{Chunks: 1000, Pause: 5 * time.Millisecond}, 3},
		{"in a silence of a stream", true, rig.Script{Chunks: 10, Fault: rig.Stall}, 4},
		{"before a whole answer", false, rig.Script{Wait: time.Minute}, 0},
	} {
		p := newParting()
		u.Tell(rig.Watch{Came: p.came, Left: p.left})
		var wg sync.WaitGroup
		gate := make(chan struct{}, 16)
		for range s.size.each {
			n++
			a := rig.Ask{Protocol: rig.Protocols[n%4], Stream: when.stream, Key: apiKey, Script: when.script}
			a.Script.N, a.Script.In, a.Script.Out = n, 100, 100
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				s.leave(c, g, a, when.events, p)
			})
		}
		wg.Wait()
		if err := u.Wait(s.ctx); err != nil {
			return err
		}
		s.report.add(name, fmt.Sprintf("upstreams cancelled, of %d clients who left %s", s.size.each, when.what), fmt.Sprint(s.size.each), len(p.took) == s.size.each, "%d", len(p.took))
		s.report.within(name, "p99 until the upstream is cancelled (REL-21)", p.took.at(.99), goneUsual)
		s.report.within(name, "the longest", p.took.at(1), goneWorst)
	}
	if err := s.crowd(g, u, &n); err != nil {
		return err
	}
	return s.partial(o, began)
}

// leave sends a and leaves once it has read so many events, or, for none, a
// moment after the upstream has the request.
func (s *soak) leave(c *http.Client, g *rig.Gateway, a rig.Ask, events int, p *parting) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	depart := func() {
		p.leave(a.Script.N)
		cancel()
	}
	if events == 0 {
		p.expect(a.Script.N, func() { time.AfterFunc(5*time.Millisecond, depart) })
	}
	read := 0
	a.Do(ctx, c, g.Base, func(*rig.Answer) {
		if read++; read == events {
			depart()
		}
	})
}

// crowd lets many clients leave at one moment.
func (s *soak) crowd(g *rig.Gateway, u *rig.Upstream, n *int64) error {
	const name = "gone"
	c := rig.Client()
	defer c.CloseIdleConnections()
	p := newParting()
	u.Tell(rig.Watch{Came: p.came, Left: p.left})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var ready, done sync.WaitGroup
	for range s.size.crowd {
		*n++
		a := rig.Ask{Protocol: rig.Protocols[*n%4], Stream: true, Key: apiKey, Script: rig.Script{N: *n, In: 1, Out: 1, Chunks: 10, Fault: rig.Stall}}
		ready.Add(1)
		done.Go(func() {
			var once sync.Once
			a.Do(ctx, c, g.Base, func(*rig.Answer) { once.Do(ready.Done) })
			once.Do(ready.Done)
		})
	}
	ready.Wait()
	at := time.Now()
	for i := range int64(s.size.crowd) {
		p.begun[*n-i] = at
	}
	cancel()
	done.Wait()
	if err := u.Wait(s.ctx); err != nil {
		return err
	}
	s.report.add(name, fmt.Sprintf("upstreams cancelled, of %d clients who left at once", s.size.crowd), fmt.Sprint(s.size.crowd), len(p.took) == s.size.crowd, "%d", len(p.took))
	s.report.within(name, "until the last is cancelled", p.last.Sub(at), goneCrowd)
	return nil
}

// partial looks at what the ledger says of those who left: the usage so far,
// marked as partial, and nobody blamed.
func (s *soak) partial(o rig.Operator, since time.Time) error {
	const name = "gone"
	want := 4*s.size.each + s.size.crowd
	rows, err := o.Ledger(s.ctx, since)
	if err != nil {
		return err
	}
	var unflagged, unused int
	detail := ""
	for _, r := range rows {
		if r.Fault != "canceled" || r.Status == http.StatusOK && !r.Partial {
			unflagged++
			detail = fmt.Sprintf("%+v", r)
		}
		// The upstream was cut before it told the usage; what is known is an
		// estimate of the request.
		if r.Status == http.StatusOK && r.Usage.Input == 0 {
			unused++
			detail = fmt.Sprintf("%+v", r)
		}
	}
	s.report.add(name, "rows of clients who left", fmt.Sprint(want), len(rows) == want, "%d", len(rows))
	s.report.none(name, "of them not marked as left, or as partial (REL-22)", unflagged, detail)
	s.report.none(name, "of them without the usage so far", unused, detail)
	var list struct {
		Items []struct {
			Name  string `json:"name"`
			State string `json:"state"`
		} `json:"items"`
	}
	if _, err := o.Call(s.ctx, http.MethodGet, "/api/accounts", nil, &list); err != nil {
		return err
	}
	blamed := 0
	for _, a := range list.Items {
		if a.State != "ready" {
			blamed++
		}
	}
	s.report.none(name, "accounts blamed for it (REL-41)", blamed, "")
	return nil
}
