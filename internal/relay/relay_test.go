package relay

import (
	"strings"
	"testing"

	"portico/internal/llm"
)

func TestServed(t *testing.T) {
	for name, d := range dialects {
		for _, stream := range []bool{false, true} {
			up, want := replyWith(200, "application/json", d.whole), d.whole
			if stream {
				up, want = streaming(d.parts()...), strings.Join(d.parts(), "")
			}
			r := newRig(t, up)
			w := r.run(r.call(d, stream))
			if w.status != 200 || w.text() != want {
				t.Errorf("%s: status %d, body\n%s\nwant\n%s", name, w.status, w.text(), want)
			}
			x := r.ledger.last()
			if x.Status != 200 || x.Account != "a" || x.Partial || x.Estimated || x.Fault != "" || x.Stop == "" || x.Upstream == "" ||
				x.Usage != (llm.Usage{Input: 7, Output: 3}) || x.BytesOut != int64(len(want)) || len(x.Attempts) != 1 || x.Attempts[0].Step != "served" || x.First == 0 {
				t.Errorf("%s, stream %v: %+v", name, stream, x)
			}
		}
	}
}
