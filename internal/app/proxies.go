package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/egress"
	"portico/internal/pool"
	"portico/internal/store"
)

// proxyOf is the proxy that c goes out by, by its own setting, its provider's or
// that of all.
func proxyOf(c *config.Account, set *config.Config) string {
	return cmp.Or(c.Proxy, set.ProviderProxies[c.Provider], set.Proxy)
}

// shared is what the luck of an account hangs on beside its upstream: its proxy.
// Whoever takes any of the pool has one of its own, so that when that dies the
// accounts at other proxies are not thought to have lost the upstream.
func shared(proxy, account string) string {
	if proxy == egress.Pooled {
		return proxy + " " + account
	}
	return proxy
}

// inPool reports which proxy of the pool an account of the pool names, as
// egress.InPool does.
func inPool(x *pool.Account) (name string, ok bool) {
	proxy, _, _ := strings.Cut(x.Proxy, " ")
	return egress.InPool(proxy)
}

// rooted is a way out that trusts the certificates of c's file beside the
// system's.
func rooted(c *config.Config) (*egress.Out, error) {
	if c.CAFile == "" {
		return egress.New(c.Timeouts.Connect, nil), nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	roots, err := egress.Roots(pem)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %s: %w", c.CAFile, err)
	}
	return egress.New(c.Timeouts.Connect, roots), nil
}

// proxies gathers the pool of outbound proxies: those that the file declares and
// those of the store. A check of one connects to where the first of accounts
// that may go through it goes.
func (a *App) proxies(c *config.Config, accounts []pool.Account) ([]egress.Proxy, error) {
	var out []egress.Proxy
	add := func(name, address string, off bool) error {
		u, err := egress.ParseProxy(address)
		if err == nil {
			out = append(out, egress.Proxy{Name: name, URL: u, Off: off, Target: checkedAt(name, accounts)})
		}
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Proxies)) {
		if err := add(name, c.Proxies[name], false); err != nil {
			return nil, fmt.Errorf("proxies.%s: %w", name, err)
		}
	}
	stored, err := a.store.Proxies(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read the proxies: %w", err)
	}
	for _, p := range stored {
		if _, declared := c.Proxies[p.Name]; declared {
			a.warnOnce("the configuration file declares a proxy of this name, so the added one is not used", p.Name, "")
			continue
		}
		if p.Damage != "" {
			a.warnOnce("a proxy cannot be read and is not used", p.Name, p.Damage)
			continue
		}
		if err := add(p.Name, p.URL, p.Disabled); err != nil {
			a.warnOnce("a proxy cannot be used", p.Name, err.Error())
		}
	}
	return out, nil
}

// checkedAt is where the first account goes that takes the proxy called name, as
// host:port, "" if none does. Without TLS there is no tunnel to be asked for.
func checkedAt(name string, accounts []pool.Account) string {
	for i := range accounts {
		x := &accounts[i]
		if by, pooled := inPool(x); pooled && (by == name || by == "") && !x.Disabled && x.BaseURL != nil && x.BaseURL.Scheme == "https" {
			return net.JoinHostPort(x.BaseURL.Hostname(), cmp.Or(x.BaseURL.Port(), "443"))
		}
	}
	return ""
}

// outbound is what an operator does with outbound proxies.
type outbound struct{ *App }

// Views implements admin.Proxies.
func (a outbound) Views(ctx context.Context) ([]admin.Proxy, error) {
	stored, err := a.store.Proxies(ctx)
	if err != nil {
		return nil, err
	}
	declared := a.config.Load().Proxies
	accounts := map[string]int{} // by the proxy that they name
	for _, v := range a.pool.Views() {
		if by, pooled := inPool(v.Account); pooled {
			accounts[by]++
		}
	}
	var out []admin.Proxy
	seen := map[string]bool{}
	for _, l := range a.out.Proxies() {
		p := looked(&l)
		if _, ok := declared[l.Name]; ok {
			p.Origin = "file"
		}
		p.Accounts = accounts[l.Name]
		seen[l.Name] = true
		out = append(out, p)
	}
	for _, p := range stored { // that cannot be read or are hidden by the file
		if !seen[p.Name] {
			out = append(out, admin.Proxy{Name: p.Name, Origin: "store", State: "off", Message: p.Damage})
		}
	}
	return out, nil
}

// looked is a proxy of the pool as the operator sees it.
func looked(l *egress.Look) admin.Proxy {
	p := admin.Proxy{
		Name: l.Name, Origin: "store", Address: egress.Shown(l.URL), Login: l.URL.User != nil, State: l.State.String(), Since: l.Since,
		Checked: l.Checked, LatencyMS: l.Latency.Milliseconds(), Message: l.Why,
	}
	if l.Off {
		p.State, p.Message = "off", ""
	}
	return p
}

// Add implements admin.Proxies.
func (a outbound) Add(ctx context.Context, name, address string, off bool) error {
	if err := config.CheckProxy(name, address); err != nil {
		return admin.Invalid{Err: err}
	}
	if _, declared := a.config.Load().Proxies[name]; declared {
		return store.ErrProxyTaken
	}
	if _, err := a.store.AddProxy(ctx, store.Proxy{Name: name, URL: address, Disabled: off}); err != nil {
		return err
	}
	return a.refresh()
}

// Change implements admin.Proxies.
func (a outbound) Change(ctx context.Context, name string, address *string, off *bool) error {
	if _, declared := a.config.Load().Proxies[name]; declared {
		return admin.ErrProxyDeclared
	}
	err := a.store.ChangeProxy(ctx, name, func(p *store.Proxy) error {
		if address != nil {
			if err := config.CheckProxy(name, *address); err != nil {
				return admin.Invalid{Err: err}
			}
			p.URL = *address
		}
		if off != nil {
			p.Disabled = *off
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.refresh()
}

// Remove implements admin.Proxies. One that accounts name stays: without it they
// would be served by nobody.
func (a outbound) Remove(ctx context.Context, name string) error {
	if _, declared := a.config.Load().Proxies[name]; declared {
		return admin.ErrProxyDeclared
	}
	if by := a.names(name); by != "" {
		return admin.InUse{By: by}
	}
	if err := a.store.RemoveProxy(ctx, name); err != nil {
		return err
	}
	return a.refresh()
}

// names says what names the proxy called name: an account, a provider's setting
// or that of all; "" if nothing does.
func (a *App) names(name string) string {
	is := func(proxy string) bool { by, _ := egress.InPool(proxy); return by == name }
	c := a.config.Load()
	if is(c.Proxy) {
		return "the setting proxy"
	}
	for _, provider := range slices.Sorted(maps.Keys(c.ProviderProxies)) {
		if is(c.ProviderProxies[provider]) {
			return "the setting provider_proxies." + provider
		}
	}
	for _, v := range a.pool.Views() {
		if by, _ := inPool(v.Account); by == name {
			return "the account " + v.Name
		}
	}
	return ""
}

// Test implements admin.Proxies.
func (a outbound) Test(ctx context.Context, name string) (admin.Proxy, error) {
	l, err := a.out.Check(ctx, name)
	if errors.Is(err, egress.ErrNoProxy) {
		return admin.Proxy{}, store.ErrNoProxy
	}
	p := looked(&l)
	if _, declared := a.config.Load().Proxies[name]; declared {
		p.Origin = "file"
	}
	return p, err
}
