package app

import (
	"context"
	"net/netip"
	"time"

	"portico/internal/access"
	"portico/internal/store"
)

// addresses is who may call from where, for the operator.
type addresses struct{ *App }

// Rules implements admin.Access.
func (a addresses) Rules(ctx context.Context) ([]store.Rule, map[string]store.Hits, error) {
	if err := a.keepNotes(ctx); err != nil {
		return nil, nil, err
	}
	rules, err := a.store.Rules(ctx)
	if err != nil {
		return nil, nil, err
	}
	hits, err := a.store.RuleHits(ctx)
	return rules, hits, err
}

// AddRule implements admin.Access.
func (a addresses) AddRule(ctx context.Context, r store.Rule) (store.Rule, error) {
	r, err := a.store.AddRule(ctx, r)
	if err != nil {
		return r, err
	}
	return r, a.setRules(ctx)
}

// RemoveRule implements admin.Access.
func (a addresses) RemoveRule(ctx context.Context, id string) error {
	if err := a.store.RemoveRule(ctx, id); err != nil {
		return err
	}
	if err := a.setRules(ctx); err != nil {
		return err
	}
	return a.store.ForgetHits(context.WithoutCancel(ctx), id)
}

// KeepsOut implements admin.Access.
func (a addresses) KeepsOut(addr netip.Addr, add *store.Rule, remove string) bool {
	var more *access.Rule
	if add != nil {
		r := access.Rule(*add)
		more = &r
	}
	_, refused := a.gate.Rules.With(more, remove).Refuses(addr, a.policy.Load().Listed(), time.Now())
	return refused
}

// Notes implements admin.Access.
func (a addresses) Notes(ctx context.Context, p store.Past) ([]store.Note, string, error) {
	if err := a.keepNotes(ctx); err != nil {
		return nil, "", err
	}
	return a.store.Notes(ctx, p)
}

// setRules puts the rules of the store in force.
func (a *App) setRules(ctx context.Context) error {
	a.keysMu.Lock()
	defer a.keysMu.Unlock()
	stored, err := a.store.Rules(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	rules := make([]access.Rule, len(stored))
	for i, r := range stored {
		rules[i] = access.Rule(r)
	}
	a.gate.Rules.Set(rules)
	return nil
}

// noteEvery is how long what happened at the gate waits in memory.
const noteEvery = 10 * time.Second

// noteDuty keeps what happens at the gate, until ctx ends.
func (a *App) noteDuty(ctx context.Context) error {
	t := time.NewTicker(noteEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return a.keepNotes(context.WithoutCancel(ctx))
		case <-t.C:
			if err := a.keepNotes(ctx); err != nil {
				a.log.Error("what happened at the gate could not be kept", "error", err)
			}
		}
	}
}

// keepNotes brings what happened at the gate into the store. What the store
// does not take is lost: a disk that is full must not fill the memory, too.
func (a *App) keepNotes(ctx context.Context) error {
	notes, dropped := a.gate.Log.Take()
	hits := a.gate.Rules.Hits()
	if dropped > 0 {
		a.log.Warn("more was refused at the gate than is noted", "dropped", dropped)
	}
	if len(notes) == 0 && len(hits) == 0 {
		return nil
	}
	out := make([]store.Note, len(notes))
	for i, n := range notes {
		out[i] = store.Note(n)
	}
	return a.store.KeepNotes(ctx, out, hits, time.Now())
}
