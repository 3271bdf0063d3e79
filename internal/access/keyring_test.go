package access

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"portico/internal/budget"
	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/fault"
)

const clientKey = "sk-cl13ntk3y0000000000000000000000000000a"

func newKey(t testing.TB, id, text string, s clientkey.Settings) *clientkey.Key {
	t.Helper()
	k, err := clientkey.New(clientkey.Record{ID: id, Name: id, Digest: clientkey.DigestOf(text), Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A client key is held to what it may do in every mode and every carrier; it is
// no admin token.
func TestClientKeys(t *testing.T) {
	lan := netip.MustParseAddr("10.0.0.5")
	for _, mode := range []config.AuthMode{config.AuthOff, config.AuthStrict, config.AuthAllExceptHealth} {
		for name, tt := range map[string]struct {
			s    clientkey.Settings
			peer netip.Addr
			want string
		}{
			"good":     {clientkey.Settings{Addresses: []string{"10.0.0.0/8"}}, lan, ""},
			"expired":  {clientkey.Settings{Expires: start}, lan, "key_expired"},
			"disabled": {clientkey.Settings{Disabled: true}, lan, "key_disabled"},
			"afar":     {clientkey.Settings{Addresses: []string{"10.0.0.0/8"}}, home, "address_not_allowed"},
		} {
			var g Gate
			g.Keys.Set([]*clientkey.Key{newKey(t, "ci", clientKey, tt.s)}, start)
			c, f := g.Admit(policy(mode, false), &Visit{Plane: Data, Keys: Keys{Key: clientKey}, Peer: tt.peer, Loopback: true}, start)
			switch {
			case tt.want == "" && (f != nil || c.Name != "ci" || c.Grant == nil || !c.Grant.Used().Equal(start.UTC())):
				t.Errorf("%s, %s: %+v, %v", mode, name, c, f)
			case tt.want != "" && (f == nil || f.Code != tt.want || c.Grant != nil):
				t.Errorf("%s, %s: got %+v, %v, want %s", mode, name, c, f, tt.want)
			}
			if _, f := g.Admit(policy(mode, false), &Visit{Plane: Admin, Keys: Keys{Key: clientKey}, Peer: tt.peer}, start); f == nil {
				t.Errorf("%s, %s: it was taken for the admin token", mode, name)
			}
		}
	}
}

// A key that is revoked or renewed is refused by the next request, and one that
// expired is no guess.
func TestRevocation(t *testing.T) {
	var g Gate
	p := policy(config.AuthStrict, false)
	admit := func(key string) string {
		_, f := g.Admit(p, &Visit{Plane: Data, Keys: Keys{Key: key}, Peer: home}, start)
		if f == nil {
			return ""
		}
		return f.Code
	}
	g.Keys.Set([]*clientkey.Key{newKey(t, "ci", clientKey, clientkey.Settings{})}, start)
	if got := admit(clientKey); got != "" {
		t.Fatal(got)
	}
	g.Keys.Set([]*clientkey.Key{newKey(t, "ci", clientKey+"2", clientkey.Settings{Expires: start})}, start)
	if got := admit(clientKey); got != "invalid_key" {
		t.Errorf("the old text: %q", got)
	}
	for range 100 {
		if got := admit(clientKey + "2"); got != "key_expired" {
			t.Fatalf("an expired key: %q", got)
		}
	}
	if got := admit(dataKey); got != "" {
		t.Errorf("the api_key: %q", got)
	}
}

// What a key has counted outlives changes of its settings and its text.
func TestKeyringKeepsMeters(t *testing.T) {
	var r Keyring
	if begun := r.Set([]*clientkey.Key{newKey(t, "a", "1", clientkey.Settings{RPM: 5}), newKey(t, "b", "2", clientkey.Settings{})}, start); len(begun) != 0 {
		t.Errorf("%d keys have budgets", len(begun))
	}
	m := r.Grants()["a"].Meter()
	if m == nil || r.Grants()["b"].Meter() != nil {
		t.Error("only a has limits")
	}
	day := clientkey.Settings{Day: clientkey.Budget{Tokens: 100}}
	if begun := r.Set([]*clientkey.Key{newKey(t, "a", "3", day)}, start); len(begun) != 1 || begun[0].Meter() != m {
		t.Errorf("a has a budget now: %v", begun)
	}
	if begun := r.Set([]*clientkey.Key{newKey(t, "a", "3", clientkey.Settings{Day: clientkey.Budget{Tokens: 200}})}, start); len(begun) != 0 {
		t.Errorf("another amount begins nothing: %v", begun)
	}
	tokyo := day
	tokyo.Zone = "Asia/Tokyo"
	if begun := r.Set([]*clientkey.Key{newKey(t, "a", "3", tokyo)}, start); len(begun) != 1 {
		t.Errorf("another zone: %v", begun)
	}
	if r.Grants()["a"].Meter() != m || r.Grants()["b"] != nil {
		t.Error("the meter was lost, or b is still there")
	}
	sum := clientkey.DigestOf("1")
	if r.find(&sum) != nil {
		t.Error("the old text still fits")
	}
}

// TestAdmissionDoesNotAllocate: what every request costs is a hash, a look-up
// and some arithmetic, however many keys there are.
func TestAdmissionDoesNotAllocate(t *testing.T) {
	var g Gate
	keys := []*clientkey.Key{newKey(t, "ci", clientKey, clientkey.Settings{
		Addresses: []string{"10.0.0.0/8", "127.0.0.0/8"}, Hours: []string{"00:00-24:00"}, Zone: "Europe/Berlin",
		RPM: 1 << 29, Day: clientkey.Budget{Tokens: 1 << 40},
	})}
	for i := range 9999 {
		keys = append(keys, newKey(t, "k"+strconv.Itoa(i), strconv.Itoa(i), clientkey.Settings{}))
	}
	g.Keys.Set(keys, start)
	p := policy(config.AuthStrict, false)
	v := &Visit{Plane: Data, Keys: Keys{Key: clientKey}, Peer: home}
	if n := testing.AllocsPerRun(1000, func() {
		c, f := g.Admit(p, v, start)
		if f != nil {
			t.Fatal(f)
		}
		h, r := c.Grant.Meter().Reserve(start, budget.Claim{Most: budget.Amount{Tokens: 1}})
		if r != nil {
			t.Fatal(r)
		}
		h.Settle(start, budget.Amount{Tokens: 1})
	}); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkAdmitClientKey(b *testing.B) {
	var g Gate
	g.Keys.Set([]*clientkey.Key{newKey(b, "ci", clientKey, clientkey.Settings{RPM: 1 << 29})}, start)
	p := policy(config.AuthStrict, false)
	v := &Visit{Plane: Data, Keys: Keys{Key: clientKey}, Peer: home}
	b.ReportAllocs()
	for b.Loop() {
		if _, f := g.Admit(p, v, start); f != nil {
			b.Fatal(f)
		}
	}
}

// TestClientOf: X-Forwarded-For counts as far as proxies that are trusted wrote
// it (SEC-25).
func TestClientOf(t *testing.T) {
	trusted := []string{"10.0.0.0/8", "127.0.0.1", "2001:db8::/32"}
	tests := []struct {
		name    string
		proxies []string
		peer    string
		header  []string
		want    string
	}{
		{"no header", trusted, "10.0.0.1", nil, "10.0.0.1"},
		{"nobody is trusted", nil, "10.0.0.1", []string{"1.2.3.4"}, "10.0.0.1"},
		{"the peer is not", trusted, "203.0.113.1", []string{"127.0.0.1"}, "203.0.113.1"},
		{"one proxy", trusted, "10.0.0.1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"what the client wrote itself", trusted, "10.0.0.1", []string{"127.0.0.1, 1.2.3.4"}, "1.2.3.4"},
		{"in a header of its own", trusted, "10.0.0.1", []string{"127.0.0.1", "1.2.3.4"}, "1.2.3.4"},
		{"two proxies", trusted, "127.0.0.1", []string{"9.9.9.9, 1.2.3.4 , 10.9.9.9"}, "1.2.3.4"},
		{"all are proxies", trusted, "127.0.0.1", []string{"10.1.1.1,10.2.2.2"}, "10.1.1.1"},
		{"a port", trusted, "10.0.0.1", []string{"1.2.3.4:5678"}, "1.2.3.4"},
		{"IPv6", trusted, "2001:db8::1", []string{"2001:db9::5"}, "2001:db9::5"},
		{"IPv6 in brackets", trusted, "2001:db8::1", []string{"[2001:db9::5]:443"}, "2001:db9::5"},
		{"IPv4 in IPv6's spelling", trusted, "::ffff:10.0.0.1", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		{"no address", trusted, "10.0.0.1", []string{"unknown"}, "10.0.0.1"},
		{"no address behind one", trusted, "10.0.0.1", []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		{"empty", trusted, "10.0.0.1", []string{""}, "10.0.0.1"},
		{"a chain without an end", trusted, "10.0.0.1", []string{"1.2.3.4" + repeated(", 10.0.0.2", 100)}, "10.0.0.2"},
	}
	for _, tt := range tests {
		p := NewPolicy(&config.Config{TrustedProxies: tt.proxies})
		if got := p.ClientOf(netip.MustParseAddr(tt.peer), tt.header); got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func repeated(s string, n int) (out string) {
	for range n {
		out += s
	}
	return out
}

func FuzzClientOf(f *testing.F) {
	f.Add("1.2.3.4, 10.0.0.1")
	f.Add(",,unknown,[::1]:1")
	p := NewPolicy(&config.Config{TrustedProxies: []string{"10.0.0.0/8"}})
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, s string) {
		if a := p.ClientOf(peer, []string{s}); !a.IsValid() || a.Is4In6() {
			t.Errorf("%q gave %s", s, a)
		}
	})
}

// A refusal names the key, never its text.
func TestRefusalsHoldNoKey(t *testing.T) {
	var g Gate
	g.Keys.Set([]*clientkey.Key{newKey(t, "ci", clientKey, clientkey.Settings{Disabled: true})}, start)
	_, f := g.Admit(policy(config.AuthStrict, false), &Visit{Plane: Data, Keys: Keys{Key: clientKey}, Peer: home}, start.Add(time.Hour))
	if f == nil || f.Class != fault.Unauthorized || f.Msg != "the key ci is switched off" {
		t.Errorf("got %v", f)
	}
}
