package app

import (
	"net/url"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/egress"
	"portico/internal/pool"
	"portico/internal/provider"
)

// TestProxyOf: the nearest setting decides, and accounts share their luck with
// those at the same proxy.
func TestProxyOf(t *testing.T) {
	w := &wrapping{}
	a := &App{providers: map[string]provider.Provider{"w": w}, out: egress.New(time.Second, nil)}
	all := &config.Config{Proxy: "http://all:1"}
	mine := &config.Config{Proxy: "http://all:1", ProviderProxies: map[string]string{"w": "pool:b", "v": config.Direct}}
	for _, tt := range []struct {
		own  string
		set  *config.Config
		want string
	}{
		{"", &config.Config{}, ""},
		{"", all, "http://all:1"},
		{"", mine, "pool:b"},
		{"direct", mine, "direct"},
		{"pool", mine, "pool one"},
	} {
		x, err := a.account(config.Account{Name: "one", Provider: "w", Proxy: tt.own}, tt.set)
		if err != nil || x.Proxy != tt.want {
			t.Errorf("%q of %+v: %q, %v", tt.own, tt.set.ProviderProxies, x.Proxy, err)
		}
	}
}

// TestCheckedAt: a proxy is checked by the way of an account that takes it.
func TestCheckedAt(t *testing.T) {
	at := func(name, proxy, base string, off bool) pool.Account {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		return pool.Account{Account: &provider.Account{Name: name, BaseURL: u}, Proxy: shared(proxy, name), Disabled: off}
	}
	accounts := []pool.Account{
		at("plain", "pool:a", "http://lan:1", false), at("off", "pool:a", "https://off", true), at("other", "http://pool", "https://other", false),
		at("a", "pool:a", "https://a.example/v1", false), at("any", "pool", "https://any.example:8443", false),
	}
	for name, want := range map[string]string{"a": "a.example:443", "b": "any.example:8443"} {
		if got := checkedAt(name, accounts); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := checkedAt("b", accounts[:4]); got != "" {
		t.Errorf("a proxy that nobody takes is checked at %q", got)
	}
}
