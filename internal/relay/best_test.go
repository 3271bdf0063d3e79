package relay

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"portico/internal/fault"
	"portico/internal/protocol"
)

// TestBest: what becomes of a wish for the best where the upstream is not what
// it was taken for, or cannot do it.
func TestBest(t *testing.T) {
	const body = `{"model":"m","prompt":"a","best_of":3}`
	declining := func(up upstream) upstream {
		return func(out *http.Request, b []byte) (*http.Response, error) {
			if strings.Contains(string(b), "andidateCount") {
				return answerOf(400, "application/json", `{"error":{"code":400,"message":"Multiple candidates is not enabled for this model","status":"INVALID_ARGUMENT"}}`), nil
			}
			return up(out, b)
		}
	}
	for _, tt := range []struct {
		name, upstream string
		lacks          []string
		mute           bool // it tells no probabilities, whatever it is asked
		strict         bool
		body           string
		status         int
		want, lost     string
		asked          int
	}{
		{"one by one", "openai-chat", []string{"n"}, false, false, body, 200, `"text":"take 3"`, lostN, 3},
		{"after it declined", "gemini", nil, false, false, body, 200, `"text":"take 3"`, lostN, 3},
		{"it tells nothing", "openai-chat", nil, true, false, body, 200, `"text":"hi"`, lostOdds, 1},
		{"it tells nothing, one by one", "openai-responses", nil, true, false, body, 200, `"text":"hi"`, lostN + ", " + lostOdds, 3},
		{"it cannot", "openai-chat", []string{"logprobs"}, false, false, body, 200, `"text":"take 1"`, lostBest, 1},
		{"it tells nothing, strict", "openai-chat", nil, true, true, body, 400, "best_of=approximated", "", 1},
		{"it cannot, strict", "anthropic", nil, false, true, body, 400, "best_of=dropped", "", 0},
		{"one by one, strict", "openai-responses", nil, false, true, body, 400, "n=emulated", "", 0},
		{"no request at all", "openai-responses", nil, false, false, `{"model":"m","best_of":3}`, 400, "has no prompt", "", 0},
	} {
		var n atomic.Int64
		d := dialects[tt.upstream]
		up := &asker{d: d}
		answer := upstream(up.answer)
		if tt.mute {
			answer = replyWith(200, "application/json", d.whole)
		}
		r := speaking(t, []string{tt.upstream}, declining(func(out *http.Request, b []byte) (*http.Response, error) {
			n.Add(1)
			return answer(out, b)
		}))
		r.vendor.takes, r.vendor.quirks.Lacks = []protocol.Op{protocol.Chat}, tt.lacks
		r.vendor.rules = fault.Rules{{Status: 400, Says: "candidates", Class: fault.BadRequest, Param: "candidateCount"}}
		c := r.completionCall(tt.body)
		if tt.strict {
			c.Header.Set("X-Portico-Strict", "1")
		}
		w := r.run(c)
		if w.status != tt.status || !strings.Contains(w.text(), tt.want) || strings.Count(w.text(), `"text":`) > 1 || int(n.Load()) != tt.asked {
			t.Errorf("%s: %d %s, asked %d times", tt.name, w.status, w.text(), n.Load())
		}
		if lost := w.sent.Get(lossHeader); tt.status == 200 && (lost != tt.lost || strings.Join(r.ledger.last().Losses, ", ") != lost) {
			t.Errorf("%s: lost %q, %q", tt.name, lost, r.ledger.last().Losses)
		}
	}
}
