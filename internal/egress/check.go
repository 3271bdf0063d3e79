package egress

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// maxChecks bounds the checks of proxies at one time.
	maxChecks = 8
	// lookEvery is how often dead proxies are looked at, whatever the setting
	// for the others.
	lookEvery = 30 * time.Second
)

// A Look is a proxy of the pool and how it does.
type Look struct {
	Proxy
	Condition
}

// Proxies lists the pool by name.
func (o *Out) Proxies() []Look {
	ms := o.pool.all()
	out := make([]Look, len(ms))
	for i, m := range ms {
		out[i] = Look{m.Proxy, *m.how.Load()}
	}
	return out
}

// ErrNoProxy: the pool has none of that name.
var ErrNoProxy = errors.New("there is no such proxy")

// Check connects through the proxy called name and says how it does then. It
// takes at most three times the limit for connections.
func (o *Out) Check(ctx context.Context, name string) (Look, error) {
	m := o.pool.find(name)
	if m == nil {
		return Look{}, ErrNoProxy
	}
	o.check(ctx, m)
	if now := o.pool.find(name); now != nil {
		m = now
	}
	return Look{m.Proxy, *m.how.Load()}, nil
}

func (o *Out) check(ctx context.Context, m *member) {
	ctx, cancel := context.WithTimeout(ctx, 3*o.connect)
	defer cancel()
	begun := time.Now()
	err := o.try(ctx, m.URL, m.Target)
	now := time.Now()
	c := Condition{State: Alive, Checked: now, Latency: now.Sub(begun)}
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return // it was not the proxy
		}
		c = Condition{State: Dead, Checked: now, Latency: m.how.Load().Latency, Why: err.Error()}
	}
	o.pool.note(m, c)
}

// Run checks the proxies of the pool until ctx ends, each after every, or only
// those that are dead if every is 0.
func (o *Out) Run(ctx context.Context, every func() time.Duration) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		o.round(ctx, every(), time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// round checks those whose turn it is, a few at one time, and waits for them.
func (o *Out) round(ctx context.Context, every time.Duration, now time.Time) {
	var all sync.WaitGroup
	seats := make(chan struct{}, maxChecks)
	for _, m := range o.pool.all() {
		if !due(m, every, now) {
			continue
		}
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			o.check(ctx, m)
		})
	}
	all.Wait()
}

// due reports whether it is time to check m. The dead are checked each time, so
// that they serve again soon.
func due(m *member, every time.Duration, now time.Time) bool {
	c := m.how.Load()
	switch {
	case m.Off:
		return false
	case c.State == Dead:
		return true
	}
	return every > 0 && now.Sub(c.Checked) >= every
}
