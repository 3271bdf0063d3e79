package credential

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"portico/internal/secret"
)

const (
	// folder is where states lie within the data folder.
	folder = "tokens"
	// sweeps is for how long the state of a credential that no account has is
	// kept: a configuration may name it again.
	sweeps = 30 * 24 * time.Hour
	// looks is how often it is looked for tokens that end soon.
	looks = time.Second
	// parallel is how many tokens are fetched at one time without a request
	// that waits for them.
	parallel = 8
	// lands is how long Close waits for answers that are on their way: one that
	// is not kept may be lost for good.
	lands = 10 * time.Second
)

// A Vault has the sources of all accounts. It is safe for concurrent use.
type Vault struct {
	shelf shelf
	log   *slog.Logger
	now   func() time.Time

	life    context.Context // of the vault; flights end with it
	end     context.CancelFunc
	flights sync.WaitGroup

	mu      sync.Mutex
	sources map[string]*Source

	// answered is called with each answer of an issuer before it is kept, and
	// asked once the intent to ask is. Tests stop a process there.
	asked, answered func()
}

// Open returns the vault of the data folder dir, in which states are sealed by
// sealer. An empty dir keeps nothing.
func Open(dir string, sealer Sealer, log *slog.Logger) (*Vault, error) {
	v := &Vault{log: log, now: time.Now, sources: map[string]*Source{}, asked: func() {}, answered: func() {}}
	v.life, v.end = context.WithCancel(context.Background())
	if log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if dir == "" {
		return v, nil
	}
	v.shelf = shelf{filepath.Join(dir, folder), sealer}
	if err := os.MkdirAll(v.shelf.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of tokens: %w", err)
	}
	return v, nil
}

// Source returns the source of c, whose issuer is asked by way. There is one
// for all accounts with this credential; the way is the one given last.
func (v *Vault) Source(c *Credential, way http.RoundTripper) *Source {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := c.ID()
	s := v.sources[id]
	if s == nil {
		s = &Source{vault: v, c: c, id: id}
		s.load()
		v.sources[id] = s
	}
	s.client.Store(Client(way))
	return s
}

// Keep forgets the sources that are not in used, but not what lies on the disk
// of them. Those that are false there have their tokens fetched only if asked:
// their accounts are off.
func (v *Vault) Keep(used map[string]bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, s := range v.sources {
		on, ok := used[id]
		s.idle.Store(!on)
		if !ok {
			delete(v.sources, id)
		}
	}
}

// Sweep removes from the disk what no account has used for a month. The data
// folder must be this process's own.
func (v *Vault) Sweep() error {
	used := map[string]bool{}
	for _, s := range v.all() {
		used[s.id] = true
	}
	return v.shelf.sweep(used, v.now().Add(-sweeps))
}

// Forget removes the credential called id, from the disk too, unless an
// account still has it: its source is still there.
func (v *Vault) Forget(id string) error {
	v.mu.Lock()
	_, used := v.sources[id]
	v.mu.Unlock()
	if used {
		return nil
	}
	return v.shelf.forget(id)
}

// Latest is c with the refresh token that has taken the place of its own, if
// one has: for whoever wants to take the credential elsewhere.
func (v *Vault) Latest(c *Credential) (*Credential, error) {
	st, err := v.shelf.read(c.ID())
	if err != nil || st.Refresh == "" {
		return c, err
	}
	now := *c
	now.Refresh = secret.Of(st.Refresh)
	return &now, nil
}

// A Withdrawn is what was kept of a credential that was given up.
type Withdrawn struct {
	id   string
	kept *state // nil: nothing was, or it is still in use
}

// Withdraw is Forget, and returns what was kept for Return.
func (v *Vault) Withdraw(id string) (Withdrawn, error) {
	w := Withdrawn{id: id}
	v.mu.Lock()
	_, used := v.sources[id]
	v.mu.Unlock()
	if used || id == "" {
		return w, nil
	}
	if st, err := v.shelf.read(id); err == nil && st != (state{}) {
		w.kept = &st
	}
	return w, v.shelf.forget(id)
}

// Return keeps w again, unless something newer is there by now.
func (v *Vault) Return(ctx context.Context, w Withdrawn) error {
	if w.kept == nil {
		return nil
	}
	unlock, err := v.shelf.lock(ctx, w.id)
	if err != nil {
		return err
	}
	defer unlock()
	if st, err := v.shelf.read(w.id); err == nil && st.Issued.After(w.kept.Issued) {
		return nil
	}
	return v.shelf.write(w.id, w.kept)
}

// Seed keeps what the issuer gave together with the credential c, so that it
// need not be asked again at once.
func (v *Vault) Seed(ctx context.Context, c *Credential, g Grant) error {
	id := c.ID()
	unlock, err := v.shelf.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	now := v.now()
	st := state{Access: g.Access.Reveal(), Issued: now, Until: now.Add(g.Life), Email: c.Email, Subject: c.Subject}
	if g.Refresh != c.Refresh {
		st.Refresh = g.Refresh.Reveal()
	}
	if err := v.shelf.write(id, &st); err != nil {
		return err
	}
	v.mu.Lock()
	s := v.sources[id]
	v.mu.Unlock()
	if s != nil {
		s.Retry()
		s.adopt(&st)
	}
	return nil
}

// Close waits for what is being fetched, for a while. Nothing is fetched
// afterwards.
func (v *Vault) Close() error {
	late := time.AfterFunc(lands, v.end)
	defer late.Stop()
	v.flights.Wait()
	v.end()
	return nil
}

func (v *Vault) all() []*Source {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make([]*Source, 0, len(v.sources))
	for _, s := range v.sources {
		all = append(all, s)
	}
	return all
}

// Run fetches tokens before those in use end, until ctx does.
func (v *Vault) Run(ctx context.Context) error {
	tick := time.NewTicker(looks)
	defer tick.Stop()
	places := make(chan struct{}, parallel)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, s := range v.all() {
			if !s.due(v.now()) {
				continue
			}
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			all.Go(func() {
				defer func() { <-places }()
				_ = s.fetch(ctx, secret.Text{}) // the source remembers why not
			})
		}
	}
}
