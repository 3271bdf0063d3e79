// Package models knows which models the accounts serve. It asks each account
// for its own list, in the background, and keeps one merged list at hand, with
// what the catalogue and the operator say of each model. Nothing is fetched
// while a client waits.
package models

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/catalog"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/route"
)

// Options say what a shelf works with.
type Options struct {
	// Codecs read the lists: those of them that are protocol.Listers.
	Codecs []protocol.Codec
	// File keeps the lists over a restart, so that the first client sees
	// them; "" keeps none. It holds names of models and of accounts, and no
	// credential.
	File string
	// Agent is the User-Agent of requests.
	Agent string
	// Log may be nil.
	Log *slog.Logger
}

// A Setup is what the shelf is about. It is replaced as a whole.
type Setup struct {
	Accounts []pool.Account // in the order in which they are preferred, if their priority is the same
	Routes   []route.Rule
	Catalog  *catalog.Catalog
}

// A Shelf holds the lists. It is safe for concurrent use; reading it takes no
// lock.
type Shelf struct {
	codecs map[string]protocol.Codec
	file   string
	agent  string
	log    *slog.Logger
	view   atomic.Pointer[view]
	wake   chan struct{} // has room for one

	// mu guards everything that follows.
	mu      sync.Mutex
	table   *route.Table
	setup   Setup
	entries []*entry // one for each account, in the setup's order
	kept    []saved  // lists of the file that no account has claimed yet
	built   time.Time
	stale   bool // a list changed since the view was built
	dirty   bool // a list changed since the file was written
}

// An entry is an account and its list.
type entry struct {
	account *pool.Account
	models  []protocol.Model // shared with others; nobody changes it
	known   bool             // the account gave a list, now or earlier
	due     time.Time        // when to ask; zero: never
	failed  int              // failures in a row
	busy    bool
}

// New returns a shelf with the lists of o.File, which show as soon as Set names
// their accounts. A file that cannot be read is told to the log and forgotten.
func New(o Options) *Shelf {
	s := &Shelf{codecs: map[string]protocol.Codec{}, file: o.File, agent: o.Agent, log: o.Log, wake: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, c := range o.Codecs {
		s.codecs[c.Name()] = c
	}
	s.view.Store(&view{})
	if s.file != "" {
		var err error
		if s.kept, err = load(s.file); err != nil {
			s.log.Warn("the saved lists of models cannot be read", "file", s.file, "error", err)
		}
	}
	return s
}

// Set replaces what the shelf is about. Accounts that stay (same name,
// provider, preset and base URL) keep their list; the others are asked soon, if
// Run is running. The error names a route.
func (s *Shelf) Set(u Setup) error {
	table, err := route.New(u.Routes)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	old := make(map[string]*entry, len(s.entries))
	for _, e := range s.entries {
		old[e.account.Name] = e
	}
	u.Accounts = slices.Clone(u.Accounts)
	next := make([]*entry, len(u.Accounts))
	for i := range u.Accounts {
		a := &u.Accounts[i]
		e := old[a.Name]
		if e == nil || !sameHome(e.account, a) {
			e = &entry{}
			s.claim(e, a, next[:i])
		}
		if e.account == nil || e.account.Key != a.Key || e.account.Disabled != a.Disabled {
			e.due, e.failed = now, 0
		}
		if a.Disabled || !s.listed(a) {
			e.due = time.Time{}
		}
		e.account = a
		next[i] = e
	}
	s.setup, s.table, s.entries = u, table, next
	s.build(now)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// sameHome reports whether a and b are one account that may have a new key.
func sameHome(a, b *pool.Account) bool { return a.Name == b.Name && home(a) == home(b) }

// home is where an account lives, as the file spells it.
func home(a *pool.Account) string {
	base := ""
	if a.BaseURL != nil {
		base = a.BaseURL.String()
	}
	return a.Provider + " " + a.Preset + " " + base
}

// claim gives e the list that the file has of a, if it has one; others are the
// entries that have theirs already.
func (s *Shelf) claim(e *entry, a *pool.Account, others []*entry) {
	i := slices.IndexFunc(s.kept, func(k saved) bool { return k.Name == a.Name && k.Home == home(a) })
	if i < 0 {
		return
	}
	e.models = s.share(a, s.kept[i].Models, others)
	e.known = e.models != nil
	s.kept = slices.Delete(s.kept, i, i+1)
}

// maxTotal bounds how many models all lists hold together; equal lists of one
// vendor are counted, and kept in memory, once.
const maxTotal = 100_000

// share returns a list that is equal to ms, which another account of a's
// vendor may have already, or nil if there is no room for it beside those of
// others.
func (s *Shelf) share(a *pool.Account, ms []protocol.Model, others []*entry) []protocol.Model {
	total := 0
	seen := map[*protocol.Model]bool{}
	for _, e := range others {
		if len(e.models) == 0 || seen[&e.models[0]] {
			continue
		}
		seen[&e.models[0]] = true
		total += len(e.models)
		if e.account.Provider == a.Provider && slices.EqualFunc(e.models, ms, sameModel) {
			return e.models
		}
	}
	if total+len(ms) > maxTotal {
		s.log.Warn("there are too many models; the list of an account is left out", "account", a.Name, "models", len(ms))
		return nil
	}
	return ms
}

func sameModel(a, b protocol.Model) bool {
	return a.ID == b.ID && a.DisplayName == b.DisplayName && a.OwnedBy == b.OwnedBy && a.Created.Equal(b.Created) &&
		a.Context == b.Context && a.MaxOutput == b.MaxOutput && slices.Equal(a.Methods, b.Methods)
}

// build makes the view anew. The lock is held.
func (s *Shelf) build(now time.Time) {
	s.view.Store(merge(s.entries, s.setup.Routes, s.table, s.setup.Catalog))
	s.built, s.stale = now, false
}

// List returns the models that can be asked for in a protocol, sorted by ID;
// all models if the protocol's name is "". The two protocols of OpenAI have one
// list. Nobody changes the slice.
func (s *Shelf) List(proto string) []protocol.Model {
	v := s.view.Load()
	if proto == "" {
		return v.all
	}
	return v.by[dialectOf(proto)]
}

// Find returns one of the models that List returns for the same protocol.
func (s *Shelf) Find(proto, id string) (protocol.Model, bool) {
	ms := s.List(proto)
	i, ok := slices.BinarySearchFunc(ms, id, func(m protocol.Model, id string) int { return cmp.Compare(m.ID, id) })
	if !ok {
		return protocol.Model{}, false
	}
	return ms[i], true
}
