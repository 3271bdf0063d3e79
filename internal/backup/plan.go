package backup

import (
	"bytes"
	"encoding/json/v2"

	"portico/internal/clientkey"
	"portico/internal/config"
)

// What becomes of a thing.
const (
	Add     = "add"
	Replace = "replace"
	Same    = "same" // it is there already, as the backup has it
	Keep    = "keep" // another one of its name is there and stays
)

// A Change is what a restore does, or would do, with one thing.
type Change struct {
	Kind string // account, key, rule, proxy or config
	Name string
	What string // Add, Replace, Same or Keep
}

// A Plan is what a restore does, and what it puts where.
type Plan struct {
	Changes  []Change
	Accounts []config.Account
	Keys     []clientkey.Record
	Rules    []Rule
	Proxies  []Proxy
	Config   []byte // nil: it stays
}

// Parts of a backup.
const (
	Accounts = "accounts"
	Keys     = "keys"
	Rules    = "rules"
	Proxies  = "proxies"
	Config   = "config"
	Ledger   = "ledger"
)

// NewPlan says how have becomes what the backup holds: what is missing is
// added, what has the same name is replaced unless keep, and what the backup
// does not have stays. parts says what is wanted. It is pure.
func NewPlan(have, backup *Contents, parts map[string]bool, keep bool) *Plan {
	p := &Plan{}
	if parts[Accounts] {
		p.Accounts = merge(p, "account", have.Accounts, backup.Accounts, keep, func(a *config.Account) string { return a.Name }, func(x, y *config.Account) bool { return same(x, y) })
	}
	if parts[Keys] {
		p.Keys = merge(p, "key", have.Keys, backup.Keys, keep, func(k *clientkey.Record) string { return k.Name }, func(x, y *clientkey.Record) bool {
			return x.Digest == y.Digest && same(&x.Settings, &y.Settings)
		})
	}
	if parts[Rules] {
		p.Rules = merge(p, "rule", have.Rules, backup.Rules, keep, func(r *Rule) string { return r.Range.String() }, func(x, y *Rule) bool { return same(x, y) })
	}
	if parts[Proxies] {
		p.Proxies = merge(p, "proxy", have.Proxies, backup.Proxies, keep, func(x *Proxy) string { return x.Name }, func(x, y *Proxy) bool { return *x == *y })
	}
	if parts[Config] && backup.Config != nil {
		what := Replace
		switch {
		case have.Config == nil:
			what = Add
		case bytes.Equal(have.Config, backup.Config):
			what = Same
		case keep:
			what = Keep
		}
		p.Changes = append(p.Changes, Change{"config", configPart, what})
		if what == Add || what == Replace {
			p.Config = backup.Config
		}
	}
	return p
}

func merge[T any](p *Plan, kind string, have, backup []T, keep bool, name func(*T) string, equal func(x, y *T) bool) (put []T) {
	there := make(map[string]*T, len(have))
	for i := range have {
		there[name(&have[i])] = &have[i]
	}
	for i := range backup {
		x, what := &backup[i], Add
		if old := there[name(x)]; old != nil {
			switch {
			case equal(old, x):
				what = Same
			case keep:
				what = Keep
			default:
				what = Replace
			}
		}
		p.Changes = append(p.Changes, Change{kind, name(x), what})
		if what == Add || what == Replace {
			put = append(put, *x)
		}
	}
	return put
}

// same compares what would be written down.
func same(x, y any) bool {
	a, errA := json.Marshal(x, revealed)
	b, errB := json.Marshal(y, revealed)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
