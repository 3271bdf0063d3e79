package app

import (
	"context"
	"time"

	"portico/internal/access"
	"portico/internal/admin"
	"portico/internal/budget"
	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/store"
)

// clientKeys is what an operator does with client keys.
type clientKeys struct{ *App }

// Views implements admin.Keys.
func (a clientKeys) Views(ctx context.Context) ([]admin.KeyView, error) {
	all, err := a.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	now, grants := time.Now(), a.gate.Keys.Grants()
	out := make([]admin.KeyView, len(all))
	for i, r := range all {
		out[i].Record = r
		if g := grants[r.Name]; g != nil {
			out[i].Used = g.Used()
			if m := g.Meter(); m != nil {
				out[i].Usage = m.Usage(now)
			}
		}
	}
	return out, nil
}

// Add implements admin.Keys.
func (a clientKeys) Add(ctx context.Context, name string, s clientkey.Settings) (string, error) {
	r := clientkey.Record{Name: name, Settings: s}
	text := renew(&r)
	if _, err := clientkey.New(r); err != nil {
		return "", admin.Invalid{Err: err}
	}
	if _, err := a.store.AddKey(ctx, r); err != nil {
		return "", err
	}
	return text, a.setKeys(ctx)
}

// renew gives r a key and returns its text.
func renew(r *clientkey.Record) string {
	key := config.Generate("api_key")
	r.Digest, r.Hint = clientkey.DigestOf(key.Reveal()), key.Hint()
	return key.Reveal()
}

// Change implements admin.Keys.
func (a clientKeys) Change(ctx context.Context, name string, version int64, change func(*clientkey.Settings) error) error {
	_, err := a.store.ChangeKey(ctx, name, version, func(r *clientkey.Record) error {
		if err := change(&r.Settings); err != nil {
			return err
		}
		if _, err := clientkey.New(*r); err != nil {
			return admin.Invalid{Err: err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.setKeys(ctx)
}

// Rotate implements admin.Keys.
func (a clientKeys) Rotate(ctx context.Context, name string, version int64) (text string, err error) {
	_, err = a.store.ChangeKey(ctx, name, version, func(r *clientkey.Record) error {
		text = renew(r)
		return nil
	})
	if err != nil {
		return "", err
	}
	return text, a.setKeys(ctx)
}

// Remove implements admin.Keys.
func (a clientKeys) Remove(ctx context.Context, name string, version int64) error {
	if err := a.store.RemoveKey(ctx, name, version); err != nil {
		return err
	}
	return a.setKeys(ctx)
}

// setKeys puts the client keys of the store in force. What was changed is in
// the store already, so that it happens even if whoever asked for it leaves.
func (a *App) setKeys(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	a.keysMu.Lock()
	defer a.keysMu.Unlock()
	all, err := a.store.Keys(ctx)
	if err != nil {
		return err
	}
	ks := make([]*clientkey.Key, 0, len(all))
	for _, r := range all {
		k, err := clientkey.New(r)
		if err != nil {
			// It was taken by another version. Nobody is let in by what
			// this one does not understand.
			a.log.Error("a client key cannot be used", "key", r.Name, "error", err)
			continue
		}
		ks = append(ks, k)
	}
	if begun := a.gate.Keys.Set(ks, time.Now()); len(begun) > 0 {
		if err := a.recount(ctx, begun); err != nil {
			a.log.Error("what client keys have spent cannot be counted; their budgets begin anew", "error", err)
		}
	}
	return nil
}

// recount counts what keys have spent from the ledger, after all that the
// journal has of a process that was killed has come into it.
func (a *App) recount(ctx context.Context, grants []*access.Grant) error {
	since := make([]budget.Amount, len(grants))
	for i, g := range grants {
		since[i] = g.Meter().Total()
	}
	if err := a.journal.Flush(ctx); err != nil {
		return err
	}
	now := time.Now()
	sums := map[time.Time]map[string]store.Spent{} // by when a window began
	spent := func(begin time.Time, key string) (budget.Amount, error) {
		begin = begin.UTC()
		if sums[begin] == nil {
			byKey, err := a.store.Spent(ctx, begin)
			if err != nil {
				return budget.Amount{}, err
			}
			sums[begin] = byKey
		}
		return budget.Amount(sums[begin][key]), nil
	}
	for i, g := range grants {
		zone := g.Key.Limits.Zone
		begin, _ := budget.DayOf(now, zone)
		day, err := spent(begin, g.Key.Name)
		if err != nil {
			return err
		}
		begin, _ = budget.MonthOf(now, zone)
		month, err := spent(begin, g.Key.Name)
		if err != nil {
			return err
		}
		g.Meter().Restore(now, day, month, since[i])
	}
	return nil
}
