package ingress

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"portico/internal/access"
	"portico/internal/config"
)

// TestAddressRules: who is denied comes through no door, and is noted; this
// machine always comes through.
func TestAddressRules(t *testing.T) {
	h := newHouse(settings(config.AuthOff))
	h.gate.Rules.Set([]access.Rule{{ID: "1", Deny: true, Range: netip.MustParsePrefix("0.0.0.0/0")}})
	for from, want := range map[string]int{"10.0.0.1:5": 403, "127.0.0.1:5": 200} {
		for _, path := range []string{"/v1/models", "/api/status", "/healthz", "/"} {
			r := request("GET", path, "", "X-Forwarded-For", "127.0.0.1")
			r.RemoteAddr = from
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s from %s: %d, want %d", path, from, w.Code, want)
			}
		}
	}
	notes, _ := h.gate.Log.Take()
	if len(notes) != 1 || notes[0].Code != "address_refused" || notes[0].Peer != "10.0.0.1" || notes[0].Count != 4 {
		t.Errorf("noted: %+v", notes)
	}
}
