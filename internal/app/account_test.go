package app

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/egress"
	"portico/internal/provider"
)

// A wrapping provider has a way out of its own over the one it is given.
type wrapping struct {
	provider.Provider
	next http.RoundTripper
}

func (*wrapping) Prepare(a *provider.Account) error {
	a.BaseURL = &url.URL{Scheme: "https", Host: "x.example"}
	return nil
}

func (w *wrapping) Wrap(a *provider.Account, next http.RoundTripper) http.RoundTripper {
	w.next = next
	return wrapped{a.Name}
}

type wrapped struct{ of string }

func (wrapped) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrNotSupported }

// TestWrapped: the way of an account is what its provider makes of the way out.
func TestWrapped(t *testing.T) {
	w := &wrapping{}
	a := &App{providers: map[string]provider.Provider{"w": w}, out: egress.New(time.Second, nil)}
	x, err := a.account(config.Account{Name: "one", Provider: "w", Proxy: config.Direct}, &config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := a.out.Transport("direct", false)
	if err != nil {
		t.Fatal(err)
	}
	if x.Way != (wrapped{"one"}) || w.next != plain {
		t.Errorf("the way is %v over %v", x.Way, w.next)
	}
	if _, err := a.account(config.Account{Name: "one", Provider: "w"}, &config.Config{Proxy: "ftp://x"}); err == nil {
		t.Error("a proxy that is none was taken")
	}
}
