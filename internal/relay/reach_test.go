package relay

import (
	"testing"
	"testing/synctest"

	"portico/internal/protocol"
)

// TestReach: an account that speaks the client's protocol comes first, one of
// another protocol only if the operator said that it serves the model, or if
// none at home has it.
func TestReach(t *testing.T) {
	d := dialects[protocol.OpenAIChat]
	const denial = `{"error":{"message":"The model m does not exist","type":"invalid_request_error","code":"model_not_found"}}`
	denied := replyWith(404, "application/json", denial)
	limited := replyWith(429, "application/json", `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`)
	for name, tt := range map[string]struct {
		home   upstream
		named  bool // the account abroad names the model
		want   []string
		abroad upstream // nil: it serves
	}{
		"home serves":                          {replyWith(200, "application/json", d.whole), true, []string{"a"}, nil},
		"home is limited, abroad is named":     {limited, true, []string{"a", "b"}, nil},
		"home is limited, abroad says nothing": {limited, false, []string{"a"}, nil},
		"nobody has it":                        {denied, false, []string{"a", "b"}, replyWith(400, "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"no"}}`)},
		"home has no such model":               {denied, false, []string{"a", "b"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				abroad := tt.abroad
				if abroad == nil {
					abroad = replyWith(200, "application/json", dialects[protocol.Anthropic].whole)
				}
				r := newRig(t, tt.home, abroad)
				as := r.accounts()
				as[0].Protocols, as[1].Protocols = []string{protocol.OpenAIChat}, []string{protocol.Anthropic}
				as[0].Priority, as[1].Priority = 1, 0 // priority does not make a translation better
				if tt.named {
					as[1] = only(as[1], "m*")
				}
				r.pool.Set(as)
				w := r.run(r.call(d, false))
				if tt.abroad != nil && (w.status != 404 || w.text() != denial) {
					t.Errorf("told %d %s, want home's own words", w.status, w.text())
				}
				var got []string
				for _, x := range r.ledger.last().Attempts {
					got = append(got, x.Account)
				}
				if len(got) != len(tt.want) || got[len(got)-1] != tt.want[len(tt.want)-1] {
					t.Errorf("asked %v, want %v", got, tt.want)
				}
			})
		})
	}
}
