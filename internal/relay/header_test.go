package relay

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/protocol"
)

// TestRequestHeaders: what changes the request crosses, and nothing that says
// who the client is.
func TestRequestHeaders(t *testing.T) {
	d := dialects["anthropic"]
	var got http.Header
	r := newRig(t, func(out *http.Request, _ []byte) (*http.Response, error) {
		got = out.Header
		return answerOf(200, "application/json", d.whole), nil
	})
	c := r.call(d, false)
	c.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"a,b", "c"},
		"Openai-Beta": {"x"}, "Idempotency-Key": {"i"}, "X-Client-Request-Id": {"r"}, "X-Codex-Beta-Features": {"f"}, "X-Goog-Fieldmask": {"m"},
		"X-Server-Timeout": {"9"}, "X-Goog-Upload-Protocol": {"resumable"}, "X-Portico-Simulate": {"status:500"},

		"Authorization": {"Bearer client"}, "X-Api-Key": {"client"}, "X-Goog-Api-Key": {"client"}, "Cookie": {"a=b"}, "Proxy-Authorization": {"x"},
		"Connection": {"close"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"claude-cli/2.1"}, "X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"x"},
		"X-Stainless-Lang": {"js"}, "X-App": {"cli"}, "X-Claude-Code-Session-Id": {"s"}, "Session-Id": {"s"}, "Originator": {"codex"},
		"Openai-Organization": {"org"}, "Openai-Project": {"p"}, "X-Goog-User-Project": {"p"}, "Anthropic-User-Profile-Id": {"u"},
		"X-Codex-Turn-Metadata": {"{}"}, "X-Goog-Api-Client": {"c"}, "X-Gemini-Api-Privileged-User-Id": {"u"}, "Origin": {"http://x"}, "Referer": {"x"},
		"X-Portico-Strict": {"1"}, "Content-Length": {"5"}, "Host": {"x"}, "Te": {"trailers"}, "Upgrade": {"websocket"}, "Content-Encoding": {"gzip"},
	}
	r.run(c)
	want := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"a,b", "c"},
		"Openai-Beta": {"x"}, "Idempotency-Key": {"i"}, "X-Client-Request-Id": {"r"}, "X-Codex-Beta-Features": {"f"}, "X-Goog-Fieldmask": {"m"},
		"X-Server-Timeout": {"9"}, "X-Goog-Upload-Protocol": {"resumable"}, "X-Portico-Simulate": {"status:500"},
		"Authorization": {"Bearer " + testKey + "a"}, "User-Agent": {"Portico/test"}, "X-Portico-Hop": {"hop0123456789abcdef"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestResponseHeaders: what describes the answer and paces the client crosses.
func TestResponseHeaders(t *testing.T) {
	d := dialects["openai-chat"]
	up := func(stream bool) upstream {
		return func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(200, "application/json", d.whole)
			if stream {
				a = answerOf(200, eventStream, d.parts()...)
			}
			for name, v := range map[string]string{
				"X-Request-Id": "r", "Request-Id": "q", "X-Ratelimit-Remaining-Requests": "9", "Anthropic-Ratelimit-Tokens-Reset": "z", "Retry-After": "3",
				"Openai-Processing-Ms": "7", "Openai-Version": "v", "X-Codex-Primary-Used-Percent": "4",
				"Set-Cookie": "a=b", "Location": "http://x", "Access-Control-Allow-Origin": "*", "Clear-Site-Data": "*", "Server": "s", "Connection": "close",
				"Openai-Organization": "org", "Anthropic-Organization-Id": "org", "X-Should-Retry": "true", "Strict-Transport-Security": "x", "Alt-Svc": "h3",
				"Transfer-Encoding": "chunked", "X-Portico-Request-Id": "theirs", "Cf-Ray": "y", "Content-Security-Policy": "x",
			} {
				a.Header[name] = []string{v}
			}
			return a, nil
		}
	}
	want := http.Header{
		"X-Request-Id": {"r"}, "Request-Id": {"q"}, "X-Ratelimit-Remaining-Requests": {"9"}, "Anthropic-Ratelimit-Tokens-Reset": {"z"}, "Retry-After": {"3"},
		"Openai-Processing-Ms": {"7"}, "Openai-Version": {"v"}, "X-Codex-Primary-Used-Percent": {"4"}, "X-Portico-Request-Id": {"req_test"},
	}
	r := newRig(t, up(false))
	got := r.run(r.call(d, false)).sent
	want["Content-Type"], want["Content-Length"] = []string{"application/json"}, got["Content-Length"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r = newRig(t, up(true))
	got = r.run(r.call(d, true)).sent
	delete(want, "Content-Length")
	want["Content-Type"], want["Cache-Control"], want["X-Accel-Buffering"] = []string{eventStream}, []string{"no-cache"}, []string{"no"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLoop: a request that comes back is stopped, and so is one that passed
// many gateways.
func TestLoop(t *testing.T) {
	for name, d := range dialects {
		for via, want := range map[string]int{
			"":                                      200,
			"other":                                 200,
			"a, b, c":                               200,
			"a, b, c, d":                            508,
			"hop0123456789abcdef":                   508,
			"a,hop0123456789abcdef , b":             508,
			"aaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbb": 200,
		} {
			var sent []string
			r := newRig(t, func(out *http.Request, _ []byte) (*http.Response, error) {
				sent = out.Header[hopHeader]
				return answerOf(200, "application/json", d.whole), nil
			})
			c := r.call(d, false)
			if via != "" {
				c.Header[hopHeader] = []string{via}
			}
			w := r.run(c)
			if w.status != want {
				t.Errorf("%s: via %q: status %d, want %d", name, via, w.status, want)
			}
			switch {
			case want == 508:
				if sent != nil || d.codec.DecodeError(508, w.body.Bytes()).Message == "" || w.sent.Get("X-Should-Retry") != "false" || r.ledger.last().Status != 508 {
					t.Errorf("%s: via %q: %v, %s", name, via, w.sent, w.text())
				}
			case via != "" && sent[0] != via+", hop0123456789abcdef":
				t.Errorf("%s: via %q: sent on as %q", name, via, sent)
			}
		}
	}
}

// TestLoopFurtherOn: a gateway behind an account that knows the request is
// asked once, is not blamed, and the client is told the same.
func TestLoopFurtherOn(t *testing.T) {
	for name, d := range dialects {
		r := newRig(t, replyWith(508, "application/json", d.errorBody))
		w := r.run(r.call(d, false))
		x := r.ledger.last()
		if w.status != 508 || len(x.Attempts) != 1 || x.Attempts[0].Step != "give_up" || x.Code != loopCode {
			t.Errorf("%s: status %d, %+v", name, w.status, x)
		}
		if h := r.pool.Views()[0].Health; h.Failed != 0 || !h.Until.IsZero() {
			t.Errorf("%s: the account is %+v", name, h)
		}
	}
}

// TestRefuse: a refusal of the way in is told in the client's dialect and is in
// the ledger.
func TestRefuse(t *testing.T) {
	for name, d := range dialects {
		r := newRig(t)
		w := newClient()
		c := r.call(d, false)
		c.Settings, c.Body = nil, nil
		r.relay.Refuse(w, c, looped())
		sign := d.codec.DecodeError(w.status, w.body.Bytes())
		if w.status != 508 || sign.Message == "" || w.sent.Get(idHeader) != "req_test" || w.sent.Get("X-Request-Id") != "req_test" {
			t.Errorf("%s: status %d, headers %v, body %s", name, w.status, w.sent, w.text())
		}
		if x := r.ledger.last(); r.ledger.count() != 1 || x.Fault != "unsupported" || x.Code != loopCode || x.Status != 508 {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// TestRetryAfter: seconds are whole and at least one, milliseconds are exact.
func TestRetryAfter(t *testing.T) {
	d := dialects["openai-chat"]
	for ms, want := range map[string]string{"901": "1", "1000": "1", "1001": "2", "62500": "63"} {
		r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
			a := answerOf(429, "application/json", d.errorBody)
			a.Header["Retry-After-Ms"] = []string{ms}
			return a, nil
		})
		if h := r.run(r.call(d, false)).sent; h.Get("Retry-After") != want || h.Get("Retry-After-Ms") != ms {
			t.Errorf("%s ms: %v", ms, h)
		}
	}
}

// TestNosyHeaders: no header of an answer can hold what would end it.
func TestNosyHeaders(t *testing.T) {
	if got := headerText("a=b\r\nSet-Cookie: x" + "Ā" + strings.Repeat("x", 2*maxLoss)); strings.ContainsAny(got, "\r\nĀ") || len(got) > maxLoss {
		t.Errorf("%q", got)
	}
}

// TestLossHeader: what a carrier cannot carry is told, or refused if the client
// wants that, or the operator for its key.
func TestLossHeader(t *testing.T) {
	d := dialects["openai-chat"]
	for _, by := range []string{"", "header", "key"} {
		strict := by != ""
		r := newRig(t, replyWith(200, "application/json", d.whole))
		r.vendor.takes, r.vendor.quirks.Lacks = []protocol.Op{protocol.Chat}, []string{"logprobs"}
		c := r.call(d, false)
		c.Op, c.Path, c.Body = protocol.Complete, "/completions", []byte(`{"model":"m","prompt":"p","best_of":3}`)
		c.Strict = by == "key"
		if by == "header" {
			c.Header[strictHeader] = []string{"1"}
		}
		w := r.run(c)
		x := r.ledger.last()
		if strict {
			if w.status != 400 || !strings.Contains(w.text(), "best_of") || len(r.asked) != 0 || x.Fault != "unsupported" {
				t.Errorf("strict by %s: status %d, body %s, %+v", by, w.status, w.text(), x)
			}
			continue
		}
		if w.status != 200 || !strings.HasPrefix(w.sent.Get(lossHeader), "best_of=") || len(x.Losses) != 1 {
			t.Errorf("status %d, headers %v, %+v", w.status, w.sent, x)
		}
	}
}
