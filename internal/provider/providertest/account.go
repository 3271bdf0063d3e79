package providertest

import (
	"net/http"
	"net/url"
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
