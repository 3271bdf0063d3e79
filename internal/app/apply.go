package app

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"portico/internal/access"
	"portico/internal/catalog"
	"portico/internal/config"
	"portico/internal/fetch"
	"portico/internal/glob"
	"portico/internal/ingress"
	"portico/internal/models"
	"portico/internal/pool"
	"portico/internal/relay"
	"portico/internal/route"
	"portico/internal/schedule"
)

// apply puts c in force: everything is built first, and nothing changes if
// something cannot be built.
func (a *App) apply(c *config.Config) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	strategy, ok := schedule.ByName(c.Scheduling.Mode, c.Scheduling.Account)
	if !ok {
		return fmt.Errorf("scheduling.mode: there is no %q", c.Scheduling.Mode)
	}
	rules, err := rulesOf(c)
	if err != nil {
		return err
	}
	routes, err := route.New(rules)
	if err != nil {
		return err
	}
	accounts, err := a.accounts(c)
	if err != nil {
		return err
	}
	guard, err := guardOf(&c.Quota.Protect)
	if err != nil {
		return err
	}
	proxies, err := a.proxies(c, accounts)
	if err != nil {
		return err
	}
	cat := catalog.New(c.Models)
	if err := a.shelf.Set(models.Setup{Accounts: accounts, Routes: rules, Catalog: cat}); err != nil {
		return err
	}
	if err := a.out.SetProxies(proxies); err != nil {
		return err
	}
	a.config.Store(c)
	a.catalog.Store(cat)
	policy := access.NewPolicy(c)
	a.policy.Store(policy)
	a.log.Set(c.Log)
	a.pool.Protect(guard)
	a.pool.Set(accounts)
	a.keepTokens(accounts)
	a.answers.SetLimits(answerLimits(c))
	path := &relay.Settings{Routes: routes, Strategy: strategy, Attempts: c.Limits.Attempts, Timeouts: c.Timeouts, Hedge: hedgeOf(&c.Scheduling.Hedge), MaxWait: c.Scheduling.MaxWait, Catalog: cat, Thinking: c.Thinking, Preamble: c.SystemPrompt, Fetch: fetched(c)}
	a.fetch.Resize(c.Fetch.Cache)
	a.path.Store(path)
	a.ingress.Set(&ingress.Settings{
		Policy: policy, Port: c.Port, LAN: c.AllowLAN, Hosts: c.AllowedHosts, Origins: c.AllowedOrigins,
		Body: c.Limits.Body, InFlight: c.Limits.InFlight,
		Relay: path,
	})
	return nil
}

// fetched is which files are fetched, or nil for none.
func fetched(c *config.Config) *fetch.Policy {
	if !c.Fetch.Enabled {
		return nil
	}
	p := &fetch.Policy{Bytes: c.Fetch.Bytes, Files: c.Fetch.Files, Time: c.Fetch.Timeout}
	for _, s := range c.Fetch.Networks {
		p.Networks = append(p.Networks, netip.MustParsePrefix(s)) // the configuration was checked
	}
	return p
}

// hedgeOf is h as the relay takes it.
func hedgeOf(h *config.Hedge) *relay.Hedge {
	if h.Mode == "off" {
		return nil
	}
	out := &relay.Hedge{After: h.Delay, Share: float64(h.Share) / 100, MaxInput: h.MaxInput}
	if h.Mode == "learned" {
		out.Quantile = float64(h.Percentile) / 100
	}
	return out
}

// guardOf is p as the pool takes it, nil if nothing is protected.
func guardOf(p *config.Protect) (*pool.Guard, error) {
	g := &pool.Guard{Money: p.Balance, LastResort: p.LastResort}
	if !p.Enabled {
		if len(p.Balance) == 0 {
			return nil, nil
		}
		return g, nil
	}
	g.Else = float64(p.Percent) / 100
	for name, percent := range p.Groups {
		models, err := glob.Compile(name)
		if err != nil {
			return nil, fmt.Errorf("quota.protect.groups: %w", err)
		}
		g.Floors = append(g.Floors, pool.Floor{Models: models, Share: float64(percent) / 100})
	}
	// Of two that are as specific the same one decides every time.
	slices.SortFunc(g.Floors, func(a, b pool.Floor) int { return cmp.Compare(b.Share, a.Share) })
	return g, nil
}

// accounts gathers the declared accounts, those of the store, and the
// simulator. A stored one that cannot be made is left out and told once, so
// that one bad account stops nobody.
func (a *App) accounts(c *config.Config) ([]pool.Account, error) {
	var out []pool.Account
	names := map[string]bool{}
	on := false
	for _, d := range c.Accounts {
		x, err := a.account(d, c)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", d.Name, err)
		}
		x.Declared = true
		names[x.Name] = true
		on = on || !x.Disabled
		out = append(out, x)
	}
	stored, err := a.store.Accounts(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	versions := make(map[string]int64, len(stored))
	for _, s := range stored {
		if !names[s.Name] {
			versions[s.Name] = s.Version
		}
		switch {
		case names[s.Name]:
			a.warnOnce("the configuration file declares an account of this name, so the added one is not used", s.Name, "")
			continue
		case s.Damage != "":
			a.warnOnce("an account cannot be read whole and is off", s.Name, s.Damage)
		}
		x, err := a.account(s.Account, c)
		if err != nil {
			a.warnOnce("an account cannot be used", s.Name, err.Error())
			continue
		}
		x.Disabled = x.Disabled || s.Damage != ""
		names[x.Name] = true
		on = on || !x.Disabled
		out = append(out, x)
	}
	a.versions.Store(&versions)
	if c.Simulator {
		x, err := a.simulated(!on)
		if err != nil {
			return nil, err
		}
		if !names[x.Name] {
			out = append(out, x)
		}
	}
	return out, nil
}

// maxWarned bounds what warnOnce remembers.
const maxWarned = 1000

func (a *App) warnOnce(what, account, why string) {
	key := what + "\x00" + account + "\x00" + why
	if a.warned[key] || len(a.warned) >= maxWarned {
		return
	}
	a.warned[key] = true
	a.log.Warn("account", "problem", what, "account", account, "why", why)
}
