package store

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const proxyAddress = "socks5://u:CANARY-pr0xy@proxy.example:1080"

// TestStoredProxies: proxies are kept whole over a restart, their addresses
// sealed, and changed by name.
func TestStoredProxies(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	b, err := s.AddProxy(ctx, Proxy{Name: "b", URL: proxyAddress})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.AddProxy(ctx, Proxy{Name: "a", URL: "http://a:1", Disabled: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddProxy(ctx, Proxy{Name: "b", URL: "http://c:1"}); !errors.Is(err, ErrProxyTaken) {
		t.Errorf("a name twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{accountsFile, accountsFile + ".copy"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil && bytes.Contains(raw, []byte("CANARY")) {
			t.Errorf("the password is in %s", name)
		}
	}
	s = open(t, dir)
	ps, err := s.Proxies(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Proxy{a, b}, ps); d != "" {
		t.Error(d)
	}
	if err := s.ChangeProxy(ctx, "b", func(p *Proxy) error { p.URL, p.Disabled = "https://b:2", true; return nil }); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	if err := s.ChangeProxy(ctx, "a", func(p *Proxy) error { p.URL = "http://z:1"; return no }); !errors.Is(err, no) {
		t.Errorf("a change that is refused: %v", err)
	}
	if err := s.ChangeProxy(ctx, "z", func(*Proxy) error { return nil }); !errors.Is(err, ErrNoProxy) {
		t.Errorf("a change of none: %v", err)
	}
	if ps, _ = s.Proxies(ctx); len(ps) != 2 || ps[0].URL != "http://a:1" || ps[1].URL != "https://b:2" || !ps[1].Disabled {
		t.Errorf("after the changes: %+v", ps)
	}
	if err := s.RemoveProxy(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveProxy(ctx, "a"); !errors.Is(err, ErrNoProxy) {
		t.Errorf("removed twice: %v", err)
	}
}

// TestUnreadableProxy: an address that was put elsewhere is none, the proxy is
// off, and comes back with a new address.
func TestUnreadableProxy(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		if _, err := s.AddProxy(ctx, Proxy{Name: name, URL: proxyAddress + name}); err != nil {
			t.Fatal(err)
		}
	}
	err := s.accounts.use(func(write, _ *sql.DB) error {
		_, err := write.ExecContext(ctx, "UPDATE proxies SET url = (SELECT url FROM proxies WHERE name = 'a') WHERE name = 'b'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if ps, err := s.Proxies(ctx); err != nil || ps[0].Damage != "" || ps[1].Damage == "" || !ps[1].Disabled || ps[1].URL != "" {
		t.Errorf("%+v, %v", ps, err)
	}
	if err := s.ChangeProxy(ctx, "b", func(p *Proxy) error { p.URL, p.Disabled = "http://b:1", false; return nil }); err != nil {
		t.Fatal(err)
	}
	if ps, err := s.Proxies(ctx); err != nil || ps[1].Damage != "" || ps[1].Disabled || ps[1].URL != "http://b:1" {
		t.Errorf("%+v, %v", ps, err)
	}
}

func TestProxiesAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	err := s.accounts.use(func(write, _ *sql.DB) error { // each on its own would take a while
		_, err := write.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO proxies (id, name, url, disabled, created, updated) SELECT i, i, x'00', 0, 0, 0 FROM n`, MaxProxies)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddProxy(t.Context(), Proxy{Name: "last", URL: "http://p:1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddProxy(t.Context(), Proxy{Name: "more", URL: "http://p:1"}); !errors.Is(err, ErrTooManyProxies) {
		t.Error(err)
	}
}
