package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/store"
)

// Replace implements admin.Accounts.
func (a accounts) Replace(ctx context.Context, cs []config.Account, versions map[string]int64) error {
	ids := make([]string, len(cs))
	for i, c := range cs {
		if err := checking(a.providers)(c); err != nil {
			if len(cs) > 1 {
				err = fmt.Errorf("account %s: %w", c.Name, err)
			}
			return admin.Invalid{Err: err}
		}
		ids[i] = a.tokensOf(c.Name)
	}
	if err := a.store.ReplaceAccounts(ctx, cs, versions); err != nil {
		return told(err)
	}
	if err := a.refresh(); err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		if id != "" {
			errs = append(errs, a.vault.Forget(id))
		}
	}
	return errors.Join(errs...)
}

// Remove implements admin.Accounts.
func (a accounts) Remove(ctx context.Context, names []string, versions map[string]int64) error {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = a.tokensOf(name)
	}
	removed, err := a.store.RemoveAccounts(ctx, names, versions)
	if err != nil {
		return told(err)
	}
	if err := a.refresh(); err != nil {
		return err
	}
	all := make([]binned, len(removed))
	var errs []error
	for i := range removed {
		tokens, err := a.vault.Withdraw(ids[i])
		all[i], errs = binned{account: removed[i], tokens: tokens}, append(errs, err)
	}
	a.bin.put(all)
	return errors.Join(errs...)
}

// Restore implements admin.Accounts.
func (a accounts) Restore(ctx context.Context, names []string) error {
	all, ok := a.bin.take(names)
	if !ok {
		return admin.ErrGone
	}
	restored := make([]store.Account, len(all))
	for i := range all {
		restored[i] = all[i].account
	}
	if err := a.store.RestoreAccounts(ctx, restored); err != nil {
		a.bin.put(all)
		return told(err)
	}
	for i := range all {
		if err := a.vault.Return(ctx, all[i].tokens); err != nil {
			return err
		}
	}
	return a.refresh()
}

// Order implements admin.Accounts.
func (a accounts) Order(ctx context.Context, names []string) error {
	if err := a.store.OrderAccounts(ctx, names); err != nil {
		return told(err)
	}
	return a.refresh()
}

// undoTime is for how long a removal can be undone.
const undoTime = 10 * time.Second

// A bin has the accounts that were removed just now, in memory only: of what was
// removed nothing lies on the disk.
type bin struct {
	mu  sync.Mutex
	all map[string]binned
}

type binned struct {
	account store.Account
	tokens  credential.Withdrawn
	until   time.Time
}

// put keeps accounts for a while. It has room for as many as a store.
func (b *bin) put(all []binned) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil || len(b.all)+len(all) > store.MaxAccounts {
		b.all = map[string]binned{}
	}
	names := make([]string, len(all))
	until := time.Now().Add(undoTime)
	for i, x := range all {
		names[i], x.until = x.account.Name, until
		b.all[names[i]] = x
	}
	time.AfterFunc(undoTime, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, name := range names {
			if b.all[name].until.Equal(until) { // and was not removed anew since
				delete(b.all, name)
			}
		}
	})
}

// take takes the accounts called names out, if all of them are there.
func (b *bin) take(names []string) (all []binned, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		x, ok := b.all[name]
		if !ok {
			return nil, false
		}
		all = append(all, x)
	}
	for _, name := range names {
		delete(b.all, name)
	}
	return all, true
}
