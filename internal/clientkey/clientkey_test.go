package clientkey

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
)

// tuesday is a Tuesday, in winter.
var tuesday = time.Date(2026, 1, 13, 12, 0, 0, 0, time.UTC)

func key(t *testing.T, s Settings) *Key {
	t.Helper()
	k, err := New(Record{Name: "ci", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAdmit(t *testing.T) {
	lan := []string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"}
	office := []string{"mon-fri 08:00-18:00"}
	tests := []struct {
		name string
		s    Settings
		peer string
		at   time.Time
		want string // code, "": admitted
		is   fault.Class
	}{
		{"no bounds", Settings{}, "203.0.113.9", tuesday, "", 0},
		{"switched off", Settings{Disabled: true}, "127.0.0.1", tuesday, "key_disabled", fault.Unauthorized},
		{"before its end", Settings{Expires: tuesday.Add(1)}, "127.0.0.1", tuesday, "", 0},
		{"at its end", Settings{Expires: tuesday}, "127.0.0.1", tuesday, "key_expired", fault.Unauthorized},
		{"in a range", Settings{Addresses: lan}, "10.255.0.1", tuesday, "", 0},
		{"in a range, in IPv6's spelling", Settings{Addresses: lan}, "::ffff:10.1.1.1", tuesday, "", 0},
		{"in a range of IPv6", Settings{Addresses: lan}, "2001:db8:1::5", tuesday, "", 0},
		{"an address of IPv6 with a zone", Settings{Addresses: []string{"fe80::/10"}}, "fe80::1%eth0", tuesday, "", 0},
		{"one address", Settings{Addresses: lan}, "192.0.2.7", tuesday, "", 0},
		{"its neighbour", Settings{Addresses: lan}, "192.0.2.8", tuesday, "address_not_allowed", fault.Forbidden},
		{"loopback is no exception", Settings{Addresses: lan}, "127.0.0.1", tuesday, "address_not_allowed", fault.Forbidden},
		{"an address that is not known", Settings{Addresses: []string{"0.0.0.0/0", "::/0"}}, "", tuesday, "address_not_allowed", fault.Forbidden},
		{"in the hours", Settings{Hours: office}, "127.0.0.1", tuesday, "", 0},
		{"before them", Settings{Hours: office}, "127.0.0.1", tuesday.Add(-4*time.Hour - time.Second), "outside_hours", fault.Forbidden},
		{"at their end", Settings{Hours: office}, "127.0.0.1", tuesday.Add(6 * time.Hour), "outside_hours", fault.Forbidden},
		{"at their end, in another zone", Settings{Hours: office, Zone: "America/New_York"}, "127.0.0.1", tuesday.Add(6 * time.Hour), "", 0},
	}
	for _, tt := range tests {
		peer, _ := netip.ParseAddr(tt.peer)
		f := key(t, tt.s).Admit(peer, tt.at)
		switch {
		case f == nil && tt.want != "":
			t.Errorf("%s: it was admitted", tt.name)
		case f != nil && (f.Code != tt.want || f.Class != tt.is || f.Msg == ""):
			t.Errorf("%s: got %+v, want %s", tt.name, f, tt.want)
		}
	}
}

func TestServes(t *testing.T) {
	tests := []struct {
		name         string
		s            Settings
		route, model string
		want         string
	}{
		{"no bounds", Settings{}, "anthropic/chat", "claude-x", ""},
		{"no model", Settings{}, "openai-chat/files", "", ""},
		{"a model", Settings{Models: []string{"gpt-*", "claude-x"}}, "anthropic/chat", "claude-x", ""},
		{"another", Settings{Models: []string{"gpt-*", "claude-x"}}, "anthropic/chat", "claude-xy", "model_not_allowed"},
		{"no model where it counts", Settings{Models: []string{"gpt-*"}}, "openai-chat/files", "", "model_not_allowed"},
		{"a route", Settings{Routes: []string{"anthropic/*"}}, "anthropic/chat", "x", ""},
		{"an operation", Settings{Routes: []string{"*/embed"}}, "gemini/embed", "x", ""},
		{"another route", Settings{Routes: []string{"*/embed"}}, "gemini/chat", "x", "route_not_allowed"},
	}
	for _, tt := range tests {
		f := key(t, tt.s).Serves(tt.route, tt.model)
		got := ""
		if f != nil {
			got = f.Code
		}
		if got != tt.want || f != nil && f.Class != fault.Forbidden {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, f, tt.want)
		}
	}
}

func TestHours(t *testing.T) {
	monday := time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		hours []string
		open  []string // day hh:mm
		shut  []string
	}{
		{nil, []string{"0 00:00", "6 23:59"}, nil},
		{[]string{"mon-fri 08:00-18:00"}, []string{"0 08:00", "4 17:59"}, []string{"0 07:59", "4 18:00", "5 12:00"}},
		{[]string{"22:00-06:00"}, []string{"0 00:00", "0 05:59", "0 22:00", "6 23:59"}, []string{"0 06:00", "3 21:59"}},
		{[]string{"sun 22:00-06:00"}, []string{"6 22:00", "0 05:59"}, []string{"0 06:00", "6 05:00", "1 03:00"}},
		{[]string{"sat,sun"}, []string{"5 00:00", "6 23:59"}, []string{"4 23:59", "0 00:00"}},
		{[]string{"fri-mon 10:00-24:00"}, []string{"4 10:00", "6 23:59", "0 12:00"}, []string{"1 12:00", "5 00:30"}},
		{[]string{"mon 08:00-09:00", "MON 10:00-11:00"}, []string{"0 08:30", "0 10:30"}, []string{"0 09:30"}},
	}
	at := func(s string) time.Time {
		t.Helper()
		clock, ok := parseClock(s[2:])
		if !ok {
			t.Fatal(s)
		}
		return monday.AddDate(0, 0, int(s[0]-'0')).Add(time.Duration(clock) * time.Minute)
	}
	for _, tt := range tests {
		h, err := parseHours(tt.hours, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range tt.open {
			if !h.open(at(s)) {
				t.Errorf("%v are shut at %s", tt.hours, s)
			}
		}
		for _, s := range tt.shut {
			if h.open(at(s)) {
				t.Errorf("%v are open at %s", tt.hours, s)
			}
			if next := h.next(at(s)); next.IsZero() || !h.open(next) || !next.After(at(s)) || h.open(next.Add(-15*time.Minute)) {
				t.Errorf("%v: next after %s is %s", tt.hours, s, next)
			}
		}
	}
	for _, bad := range []string{"", "mon-", "08:00", "8:00-18:00", "08:00-08:00", "24:00-25:00", "25:00-26:00", "mon tue 08:00-09:00", "08:00-09:00 mon", "xyz 08:00-09:00", "08:00-09:60", "mon +1:00-02:00"} {
		if _, err := parseHours([]string{bad}, time.UTC); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for want, s := range map[string]Settings{
		"zone":        {Zone: "Mars/Olympus"},
		"Local":       {Zone: "Local"},
		"note":        {Note: strings.Repeat("x", maxNote+1)},
		"models":      {Models: []string{""}},
		"models:":     {Models: slices.Repeat([]string{"x"}, maxList+1)},
		"routes":      {Routes: []string{"/(/"}},
		"10.0.0.0/33": {Addresses: []string{"10.0.0.0/33"}},
		"both IPv4":   {Addresses: []string{"::ffff:0:0/90"}},
		"fe80::1%eth": {Addresses: []string{"fe80::1%eth0"}},
		"hours":       {Hours: []string{"never"}},
		"rpm":         {RPM: -1},
		"tpm":         {TPM: maxMinute + 1},
		"day.usd":     {Day: Budget{Nanos: -1}},
		"month.tok":   {Month: Budget{Tokens: maxTokens + 1}},
	} {
		if _, err := New(Record{Name: "x", Settings: s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	for name, ok := range map[string]bool{"ci": true, "a.b-c_D9": true, "": false, "default": false, ".x": false, "a b": false, "ä": false, strings.Repeat("x", 65): false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "::ffff:1.2.3.4", "2001:db8::1", "::/0", "1.2.3.4/32", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePrefix(s)
		if err != nil {
			return
		}
		if p != p.Masked() || p.Addr().Is4In6() || !p.Contains(p.Addr()) {
			t.Errorf("%q became %s", s, p)
		}
	})
}

func FuzzHours(f *testing.F) {
	f.Add("mon-fri 08:00-18:00")
	f.Add("22:00-06:00")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHours([]string{s}, time.UTC)
		if err == nil && (len(h.spans) == 0 || len(h.spans) > 7) {
			t.Errorf("%q became %v", s, h.spans)
		}
	})
}
