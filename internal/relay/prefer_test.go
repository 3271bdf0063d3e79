package relay

import (
	"slices"
	"testing"

	"portico/internal/glob"
	"portico/internal/route"
)

// TestPrefer: what a client's key prefers is asked before what its route does,
// and both before others; whom they prefer in vain is in the record.
func TestPrefer(t *testing.T) {
	d := dialects["openai-chat"]
	limited := replyWith(429, "application/json", `{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}`)
	r := newRig(t, replyWith(200, "application/json", d.whole), limited, limited)
	routes, err := route.New([]route.Rule{{Match: "*", Prefer: []string{"b"}}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := glob.CompileAll([]string{"c"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{"c", "b", "a"}, {"a"}} {
		r.asked = nil
		call := r.call(d, false)
		call.Settings.Routes, call.Prefer = routes, key
		if c := r.run(call); c.status != 200 || !slices.Equal(r.asked, want) {
			t.Fatalf("%d after %v, want %v", c.status, r.asked, want)
		}
		if x := r.ledger.last(); want[0] == "c" {
			if x.Attempts[0].Why != "preferred" || x.Attempts[1].Why != "preferred" || x.Attempts[2].Why == "preferred" || x.Rule != "*" {
				t.Errorf("%+v", x.Attempts)
			}
		} else if len(x.Passed) != 2 || x.Passed[0].Account != "c" || x.Passed[1].Account != "b" {
			t.Errorf("passed over: %+v", x.Passed)
		}
	}
}
