package access

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"portico/internal/config"
	"portico/internal/fault"
	"portico/internal/secret"
)

const (
	dataKey  = "sk-pq7Zt0aM3xYvK9bR2cWn5dLe8fHg1jUs"
	adminKey = "ad-Xo4iTq6yBw1zNm8vCk3pJr5hGf7dSa9l"
)

func policy(mode config.AuthMode, lan bool) *Policy {
	return NewPolicy(&config.Config{AuthMode: mode, AllowLAN: lan, APIKey: secret.Of(dataKey), AdminToken: secret.Of(adminKey)})
}

var (
	home  = netip.MustParseAddr("127.0.0.1")
	start = time.Unix(1_700_000_000, 0)
)

func TestAdmit(t *testing.T) {
	const none, wrong = "", "sk-wrong"
	const ok = fault.Unknown // stands for: admitted
	tests := []struct {
		mode     config.AuthMode
		plane    Plane
		loopback bool
		key      string
		want     fault.Class
		caller   Caller
	}{
		{config.AuthOff, Data, true, none, ok, Caller{}},
		{config.AuthOff, Data, true, wrong, ok, Caller{}},
		{config.AuthOff, Data, true, dataKey, ok, Caller{Name: DefaultKey}},
		{config.AuthOff, Data, true, adminKey, ok, Caller{}},
		{config.AuthOff, Data, false, none, fault.Unauthorized, Caller{}},
		{config.AuthOff, Data, false, wrong, fault.Unauthorized, Caller{}},
		{config.AuthOff, Data, false, dataKey, ok, Caller{Name: DefaultKey}},
		{config.AuthOff, Health, true, none, ok, Caller{}},
		{config.AuthOff, Admin, true, wrong, fault.Unauthorized, Caller{}},
		{config.AuthOff, Admin, true, dataKey, fault.Unauthorized, Caller{}},
		{config.AuthOff, Admin, true, none, ok, Caller{}},
		{config.AuthOff, Admin, true, adminKey, ok, Caller{Admin: true}},
		{config.AuthStrict, Data, true, none, fault.Unauthorized, Caller{}},
		{config.AuthStrict, Data, true, wrong, fault.Unauthorized, Caller{}},
		{config.AuthStrict, Data, true, adminKey, fault.Unauthorized, Caller{}},
		{config.AuthStrict, Data, true, dataKey, ok, Caller{Name: DefaultKey}},
		{config.AuthStrict, Health, true, none, fault.Unauthorized, Caller{}},
		{config.AuthStrict, Health, true, dataKey, ok, Caller{Name: DefaultKey}},
		{config.AuthStrict, Open, true, none, ok, Caller{}},
		{config.AuthAllExceptHealth, Data, true, none, fault.Unauthorized, Caller{}},
		{config.AuthAllExceptHealth, Health, false, none, ok, Caller{}},
		{config.AuthAllExceptHealth, Health, false, wrong, ok, Caller{}},
		{config.AuthAuto, Data, true, none, ok, Caller{}},
		{config.AuthAuto, Health, true, none, ok, Caller{}},
	}
	for _, tt := range tests {
		var g Gate
		caller, f := g.Admit(policy(tt.mode, false), &Visit{Plane: tt.plane, Keys: Keys{Key: tt.key}, Peer: home, Loopback: tt.loopback}, start)
		got := ok
		if f != nil {
			got = f.Class
		}
		if got != tt.want || caller != tt.caller {
			t.Errorf("%s plane %d loopback %t key %q: got %v %+v, want %v %+v", tt.mode, tt.plane, tt.loopback, tt.key, got, caller, tt.want, tt.caller)
		}
	}
}

func TestAutoNeedsAKeyOnTheLAN(t *testing.T) {
	p := policy(config.AuthAuto, true)
	if !p.Requires(Data, true) || p.Requires(Health, false) {
		t.Error("auto with LAN access is not all_except_health")
	}
}

// An empty key in the configuration must not be fitted by anything.
func TestNoKeyConfigured(t *testing.T) {
	p := NewPolicy(&config.Config{AuthMode: config.AuthStrict})
	var g Gate
	for _, k := range []string{"", "x"} {
		if _, f := g.Admit(p, &Visit{Plane: Data, Keys: Keys{Key: k}, Peer: home, Loopback: true}, start); f == nil {
			t.Errorf("key %q was admitted where none is configured", k)
		}
	}
	if c, _ := g.Admit(p, &Visit{Plane: Admin, Keys: Keys{Key: "x"}, Peer: home, Loopback: true}, start); c.Admin {
		t.Error("a token was taken for the admin's where none is configured")
	}
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestExtract(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		query  string
		want   Keys
	}{
		{"nothing", header(), "", Keys{}},
		{"bearer", header("Authorization", "Bearer K"), "", Keys{"K", true, false}},
		{"bearer in capitals", header("Authorization", "BEARER   K "), "", Keys{"K", true, false}},
		{"raw", header("Authorization", "K"), "", Keys{"K", true, false}},
		{"raw that begins like a scheme", header("Authorization", "bearerK"), "", Keys{"bearerK", true, false}},
		{"scheme alone", header("Authorization", "Bearer"), "", Keys{}},
		{"scheme and space", header("Authorization", "Bearer "), "", Keys{}},
		{"empty", header("Authorization", "", "X-Api-Key", " "), "key=", Keys{}},
		{"x-api-key", header("x-api-key", "K"), "", Keys{"K", true, false}},
		{"x-goog-api-key", header("x-goog-api-key", "K"), "", Keys{"K", true, false}},
		{"query", header(), "alt=sse&key=K", Keys{"K", false, false}},
		{"escaped query", header(), "k%65y=a%2Bb", Keys{"a+b", false, false}},
		{"other members", header(), "apikey=K&keys=K&xkey=K", Keys{}},
		{"subprotocol", header("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.K"), "", Keys{"K", false, false}},
		{"the same everywhere", header("Authorization", "Bearer K", "x-api-key", "K", "x-goog-api-key", "K"), "key=K", Keys{"K", true, false}},
		{"the same in query and header", header("x-api-key", "K", "Sec-WebSocket-Protocol", "openai-insecure-api-key.K"), "key=K", Keys{"K", true, false}},
		{"two headers", header("Authorization", "Bearer K", "x-api-key", "L"), "", Keys{"K", true, true}},
		{"header and query", header("x-goog-api-key", "K"), "key=L", Keys{"K", true, true}},
		{"twice one header", header("Authorization", "Bearer K", "Authorization", "Bearer L"), "", Keys{"K", true, true}},
		{"twice in the query", header(), "key=K&key=L", Keys{"K", false, true}},
	}
	for _, tt := range tests {
		if got := Extract(tt.header, tt.query); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// The same key gets the same answer in every carrier (SEC-22).
func TestCarriersAreEqual(t *testing.T) {
	carriers := map[string]func(string) Keys{
		"bearer":      func(k string) Keys { return Extract(header("Authorization", "Bearer "+k), "") },
		"raw":         func(k string) Keys { return Extract(header("Authorization", k), "") },
		"x-api-key":   func(k string) Keys { return Extract(header("x-api-key", k), "") },
		"x-goog":      func(k string) Keys { return Extract(header("x-goog-api-key", k), "") },
		"query":       func(k string) Keys { return Extract(header(), "key="+k) },
		"subprotocol": func(k string) Keys { return Extract(header("Sec-WebSocket-Protocol", protocolPrefix+k), "") },
	}
	for name, carry := range carriers {
		for key, want := range map[string]bool{dataKey: true, adminKey: false, "sk-no": false} {
			var g Gate
			_, f := g.Admit(policy(config.AuthStrict, false), &Visit{Plane: Data, Keys: carry(key), Peer: home, Loopback: true}, start)
			if got := f == nil; got != want {
				t.Errorf("%s in %s: admitted %t, want %t", key, name, got, want)
			}
		}
	}
}

func TestConflictIsMalformed(t *testing.T) {
	for _, mode := range []config.AuthMode{config.AuthOff, config.AuthStrict} {
		var g Gate
		_, f := g.Admit(policy(mode, false), &Visit{Plane: Data, Keys: Keys{Key: dataKey, Conflict: true}, Peer: home, Loopback: true}, start)
		if f == nil || f.Class != fault.Malformed {
			t.Errorf("%s: got %v, want malformed", mode, f)
		}
	}
}

func TestStripKey(t *testing.T) {
	tests := [][2]string{
		{"", ""},
		{"beta=true", "beta=true"},
		{"key=K", ""},
		{"alt=sse&key=K", "alt=sse"},
		{"key=K&alt=sse&key=L&x=%20", "alt=sse&x=%20"},
		{"k%65y=K&a", "a"},
		{"keys=1&monkey=2", "keys=1&monkey=2"},
	}
	for _, tt := range tests {
		if got := StripKey(tt[0]); got != tt[1] {
			t.Errorf("StripKey(%q): got %q, want %q", tt[0], got, tt[1])
		}
	}
}

func TestStrong(t *testing.T) {
	for key, want := range map[string]bool{dataKey: true, "changeme": false, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": false, "": false} {
		if got := strong(key); got != want {
			t.Errorf("strong(%q): got %t, want %t", key, got, want)
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("Bearer K", "L", "key=M&k%65y=N", "openai-insecure-api-key.O, x")
	f.Add("bearer", " ", "key", "")
	f.Fuzz(func(t *testing.T, auth, api, query, proto string) {
		h := http.Header{"Authorization": {auth}, "X-Api-Key": {api}, "Sec-Websocket-Protocol": {proto}}
		k := Extract(h, query)
		if k.Key == "" && (k.Conflict || k.Header) {
			t.Fatalf("no key, but %+v", k)
		}
		rest := StripKey(query)
		if left := Extract(nil, rest); left.Key != "" {
			t.Fatalf("StripKey(%q) = %q still shows a key", query, rest)
		}
		if StripKey(rest) != rest {
			t.Fatalf("StripKey(%q) is not settled: %q", query, rest)
		}
	})
}
