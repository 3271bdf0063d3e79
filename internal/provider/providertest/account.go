package providertest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/internal/provider"
	"portico/internal/secret"
)

// Account returns an account as a configuration would hold it, not prepared.
// base and key may be "".
func Account(t *testing.T, base, key string) *provider.Account {
	t.Helper()
	a := &provider.Account{Name: "test", Key: secret.Of(key)}
	if base != "" {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		a.BaseURL = u
	}
	return a
}

// Addressed returns the request that p makes of to, from a client with header.
// It fails the test if p refuses.
func Addressed(t *testing.T, p provider.Provider, a *provider.Account, to provider.Target, header http.Header) *http.Request {
	t.Helper()
	out := &http.Request{Method: http.MethodPost, Header: header.Clone()}
	if out.Header == nil {
		out.Header = http.Header{}
	}
	if err := p.Address(out, a, to); err != nil {
		t.Fatalf("%s refuses %+v: %v", p.Name(), to, err)
	}
	return out
}

// A Case is an account as a configuration would hold it, and what preparing it
// comes to.
type Case struct {
	Name                        string
	Provider, Preset, Base, Key string
	Set                         func(*provider.Account) // more of the account, or nil
	// Want is the base URL, with the protocols behind it or not, or the
	// beginning of the error.
	Want string
}

// Prepare prepares the account of every case with the provider of its name.
func Prepare(t *testing.T, named func(string) provider.Provider, cases []Case) {
	t.Helper()
	for _, c := range cases {
		a := Account(t, c.Base, c.Key)
		a.Preset = c.Preset
		if c.Set != nil {
			c.Set(a)
		}
		err := named(c.Provider).Prepare(a)
		if err != nil {
			if !strings.HasPrefix(err.Error(), c.Want) || c.Want == "" {
				t.Errorf("%s: %v, want %s", c.Name, err, c.Want)
			}
			if c.Key != "" && strings.Contains(err.Error(), c.Key) {
				t.Errorf("%s: the error tells the key: %v", c.Name, err)
			}
			continue
		}
		base := a.BaseURL.String()
		if whole := base + " " + strings.Join(a.Protocols, " "); c.Want != base && c.Want != whole {
			t.Errorf("%s: %s, want %s", c.Name, whole, c.Want)
		}
	}
}

// Only names p whatever it is asked for.
func Only(p provider.Provider) func(string) provider.Provider {
	return func(string) provider.Provider { return p }
}
