package access

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

func rule(id, kind, prefix string, expires time.Time) Rule {
	return Rule{ID: id, Deny: kind == "deny", Range: netip.MustParsePrefix(prefix), Expires: expires}
}

func TestRules(t *testing.T) {
	var r Rules
	never := time.Time{}
	r.Set([]Rule{
		rule("1", "deny", "10.0.0.0/8", never), rule("2", "allow", "10.1.0.0/16", never), rule("3", "deny", "10.1.1.1/32", never),
		rule("4", "deny", "2001:db8::/32", never), rule("5", "allow", "2001:db8:1::/48", never), rule("6", "deny", "192.0.2.0/24", start),
		rule("7", "deny", "198.51.100.0/24", start.Add(1)), rule("8", "deny", "127.0.0.0/8", never), rule("9", "deny", "::/0", never),
	})
	tests := []struct {
		addr    string
		listed  bool
		refused bool
		rule    string
	}{
		{"10.0.0.1", false, true, "1"},
		{"::ffff:10.0.0.1", false, true, "1"},
		{"10.1.0.1", false, false, "2"},
		{"10.1.0.1", true, false, "2"},
		{"10.1.1.1", true, true, "3"},
		{"203.0.113.1", false, false, ""},
		{"203.0.113.1", true, true, ""},
		{"2001:db8::1", false, true, "4"},
		{"2001:db8:1::1", true, false, "5"},
		{"2001:db9::1", false, true, "9"},
		{"fe80::1%eth0", false, true, "9"},
		{"192.0.2.1", false, false, ""}, // it has expired
		{"192.0.2.1", true, true, ""},
		{"198.51.100.1", false, true, "7"},
		{"127.0.0.1", true, false, ""},
		{"::1", true, false, ""},
	}
	for _, tt := range tests {
		got, refused := r.Refuses(netip.MustParseAddr(tt.addr), tt.listed, start)
		if refused != tt.refused || got.ID != tt.rule {
			t.Errorf("%s, listed %t: refused %t by %q, want %t by %q", tt.addr, tt.listed, refused, got.ID, tt.refused, tt.rule)
		}
	}
	if hits := r.Hits(); hits["1"] != 2 || hits["2"] != 2 || hits["9"] != 2 || hits["6"] != 0 {
		t.Errorf("hits: %v", hits)
	}
	r.Refuses(netip.MustParseAddr("10.0.0.1"), false, start)
	r.Set([]Rule{rule("1", "deny", "10.0.0.0/8", never)})
	if hits := r.Hits(); hits["1"] != 1 {
		t.Errorf("a rule that stays forgets: %v", hits)
	}
	if _, refused := r.Refuses(netip.MustParseAddr("10.1.1.1"), false, start); !refused {
		t.Error("a rule that was removed is in force")
	}
}

// TestWith: what would be is asked of a copy.
func TestWith(t *testing.T) {
	var r Rules
	r.Set([]Rule{rule("1", "allow", "10.0.0.0/8", time.Time{})})
	me := netip.MustParseAddr("10.0.0.5")
	deny := rule("2", "deny", "10.0.0.5/32", time.Time{})
	again := rule("3", "deny", "10.0.0.0/8", time.Time{})
	for i, tt := range []struct {
		add    *Rule
		remove string
		listed bool
		want   bool
	}{{nil, "", true, false}, {&deny, "", false, true}, {&again, "", false, true}, {nil, "1", true, true}, {nil, "1", false, false}} {
		if _, got := r.With(tt.add, tt.remove).Refuses(me, tt.listed, start); got != tt.want {
			t.Errorf("%d: refused %t, want %t", i, got, tt.want)
		}
	}
	if len(r.Hits()) != 0 {
		t.Error("a question counts as a hit")
	}
}

func TestRulesDoNotAllocate(t *testing.T) {
	var r Rules
	var all []Rule
	for i := range 10_000 {
		all = append(all, Rule{ID: strconv.Itoa(i), Deny: true, Range: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)})
	}
	r.Set(all)
	me := netip.MustParseAddr("203.0.113.7")
	if n := testing.AllocsPerRun(100, func() { r.Refuses(me, false, start) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLog(t *testing.T) {
	var l Log
	for i := range 90 { // over a minute and a half
		l.Note(start.Add(time.Duration(i)*time.Second), home, "", "invalid_key", "/v1/models")
	}
	l.Note(start, home, "ci", "invalid_key", "/v1/\r\n\x1b[31m"+strings.Repeat("x", 500))
	notes, dropped := l.Take()
	if len(notes) != 3 || dropped != 0 || notes[0].Count != 60 || notes[1].Count != 30 || !notes[0].Last.Equal(start.Add(59*time.Second)) {
		t.Errorf("%d dropped, %+v", dropped, notes)
	}
	if p := notes[2].Path; len(p) != maxNotePath || strings.ContainsAny(p, "\r\n\x1b") {
		t.Errorf("path %q", p)
	}
	for i := range 3 * maxNotes {
		l.Note(start, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), "", "invalid_key", "/")
	}
	if notes, dropped := l.Take(); len(notes) != maxNotes || dropped != 2*maxNotes {
		t.Errorf("%d notes, %d dropped", len(notes), dropped)
	}
	if notes, dropped := l.Take(); len(notes) != 0 || dropped != 0 {
		t.Errorf("%d notes, %d dropped", len(notes), dropped)
	}
}
