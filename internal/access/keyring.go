package access

import (
	"sync/atomic"
	"time"

	"portico/internal/budget"
	"portico/internal/clientkey"
)

// A Grant is a client key as it is in force, and what it has used.
type Grant struct {
	Key   *clientkey.Key
	meter *budget.Meter // nil: the key never had a limit
	used  *atomic.Int64 // when it was last shown, in Unix seconds, 0: not since the start
}

// Meter counts what the key uses; nil if it has no limit.
func (g *Grant) Meter() *budget.Meter {
	if g == nil || !g.Key.Limits.Counts() {
		return nil
	}
	return g.meter
}

// Used is when the key was last shown, zero if it was not since the start.
func (g *Grant) Used() time.Time {
	if s := g.used.Load(); s != 0 {
		return time.Unix(s, 0).UTC()
	}
	return time.Time{}
}

// touch notes that the key was shown.
func (g *Grant) touch(now time.Time) {
	if s := now.Unix(); g.used.Load() != s {
		g.used.Store(s)
	}
}

// A Keyring is the client keys that are in force. Whoever looks a key up waits
// for nobody: the whole is swapped on a change. It is safe for concurrent use;
// the zero Keyring has no keys.
type Keyring struct {
	grants atomic.Pointer[map[clientkey.Digest]*Grant]
}

// find returns the grant of the key with that digest, or nil. The time of the
// look-up tells of digests only, by which nobody finds a key.
func (r *Keyring) find(sum *digest) *Grant {
	m := r.grants.Load()
	if m == nil {
		return nil
	}
	return (*m)[*sum]
}

// Grants are the grants in force, by the key's name.
func (r *Keyring) Grants() map[string]*Grant {
	out := map[string]*Grant{}
	if m := r.grants.Load(); m != nil {
		for _, g := range *m {
			out[g.Key.Name] = g
		}
	}
	return out
}

// Set puts keys in force from now on, in the place of those before. A key that
// was there keeps what it has counted; begun are the grants whose budgets are
// to be counted from the ledger, since they are new or in another time zone.
// One call is made at a time.
func (r *Keyring) Set(keys []*clientkey.Key, now time.Time) (begun []*Grant) {
	old := map[string]*Grant{}
	if m := r.grants.Load(); m != nil {
		for _, g := range *m {
			old[g.Key.ID] = g
		}
	}
	next := make(map[clientkey.Digest]*Grant, len(keys))
	for _, k := range keys {
		g := &Grant{Key: k, used: new(atomic.Int64)}
		was := old[k.ID]
		if was != nil {
			g.meter, g.used = was.meter, was.used
		}
		switch {
		case g.meter != nil:
			g.meter.Set(now, k.Limits)
		case k.Limits.Counts():
			g.meter = budget.New(k.Limits)
		}
		if k.Limits.Budgets() && (was == nil || !was.Key.Limits.Budgets() || was.Key.Limits.Zone.String() != k.Limits.Zone.String()) {
			begun = append(begun, g)
		}
		next[k.Digest] = g
	}
	r.grants.Store(&next)
	return begun
}
