package simulator

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/sse"
)

// TestErrors plays errors before the answer: their status, and what the
// simulator's own rules make of them.
func TestErrors(t *testing.T) {
	all := func(n int) map[string]int {
		return map[string]int{protocol.OpenAIChat: n, protocol.OpenAIResponses: n, protocol.Anthropic: n, protocol.Gemini: n}
	}
	for _, c := range []struct {
		fault  string
		status map[string]int
		class  fault.Class
		scope  fault.Scope
		after  time.Duration
	}{
		{"status:400", all(400), fault.BadRequest, fault.Request, 0},
		{"status:401", all(401), fault.CredentialInvalid, fault.Account, 0},
		{"status:402", all(402), fault.QuotaSpent, fault.Account, 0},
		{"status:403", all(403), fault.Permission, fault.Account, 0},
		{"status:404", all(404), fault.ModelDenied, fault.Model, 0},
		{"status:408", all(408), fault.Timeout, fault.Account, 0},
		{"status:429", all(429), fault.RateLimited, fault.Model, 0},
		{"status:429, retry-after:2", all(429), fault.RateLimited, fault.Model, 2 * time.Second},
		{"status:429 retry-after:200ms", all(429), fault.RateLimited, fault.Model, 200 * time.Millisecond},
		{"status:429,code:insufficient_quota", all(429), fault.QuotaSpent, fault.Account, 0},
		{"status:499", all(499), fault.Network, fault.Account, 0},
		{"status:500", all(500), fault.Broken, fault.Account, 0},
		{"status:502", all(502), fault.Broken, fault.Account, 0},
		{"status:503,retry-after:90", all(503), fault.Overloaded, fault.Model, 90 * time.Second},
		{"status:504", all(504), fault.Timeout, fault.Account, 0},
		{"status:599", all(599), fault.Broken, fault.Account, 0},
		{"overloaded", map[string]int{protocol.OpenAIChat: 503, protocol.OpenAIResponses: 503, protocol.Anthropic: 529, protocol.Gemini: 503}, fault.Overloaded, fault.Model, 0},
	} {
		for _, dialect := range speaks {
			for _, streamed := range []bool{false, true} {
				path, body := wants{said: "x"}.build(dialect, streamed)
				r := send(t, fixed(), dialect, path, body, Header, c.fault)
				if r.err != nil || r.StatusCode != c.status[dialect] || r.ContentLength != int64(len(r.body)) || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
					t.Errorf("%s in %s: %v %v", c.fault, dialect, r.err, r.Response)
					continue
				}
				s := codecs[dialect].DecodeError(r.StatusCode, r.body)
				s.Header = r.Header
				f := New().Rules().Judge(s, time.Now())
				if f.Class != c.class || f.Scope != c.scope || f.After != c.after || !strings.Contains(s.Message, "simulator") {
					t.Errorf("%s in %s: %v in scope %v after %v of %s", c.fault, dialect, f.Class, f.Scope, f.After, r.body)
				}
			}
		}
	}
}

// TestOwnErrors are the simulator's refusals; they blame no account.
func TestOwnErrors(t *testing.T) {
	for _, c := range []struct {
		dialect, path, body, header string
		status                      int
		says                        string
	}{
		{protocol.OpenAIChat, "/chat/completions", `{`, "", 400, "cannot be read"},
		{protocol.OpenAIChat, "/chat/completions", ``, "", 400, "cannot be read"},
		{protocol.OpenAIChat, "/chat/completions", `{"tools":3}`, "", 400, "the number at /tools is of the wrong type"},
		{protocol.OpenAIChat, "/chat/completions", `{"messages":[{"role":"user"}]}`, "", 400, "model"},
		{protocol.OpenAIChat, "/chat/completions", `{"model":"m"}`, "", 400, "messages"},
		{protocol.OpenAIChat, "/chat/completions", `{"model":"m","n":17,"messages":[{"role":"user"}]}`, "", 400, "from 1 to 16"},
		{protocol.OpenAIChat, "/chat/completions", `{"model":"m","messages":[{"role":"king"}]}`, "", 400, "king"},
		{protocol.OpenAIChat, "/chat/completions", `{"model":"m","messages":[{"role":"user","content":"[[fault:explode]]"}]}`, "", 400, "explode"},
		{protocol.OpenAIChat, "/chat/completions", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "explode", 400, "explode"},
		{protocol.OpenAIChat, "GET /chat/completions", ``, "", 405, "GET"},
		{protocol.OpenAIChat, "/files", ``, "", 404, "/files"},
		{protocol.OpenAIChat, "GET /models/nobody", ``, "", 404, "nobody"},
		{protocol.OpenAIChat, "/embeddings", `{"input":[]}`, "", 400, "no text"},
		{protocol.OpenAIChat, "/embeddings", `{"input":"x","dimensions":0}`, "", 400, "dimensions"},
		{protocol.OpenAIChat, "/embeddings", `{"input":"[[fault:x]]"}`, "", 400, "fault"},
		{protocol.OpenAIChat, "/images/generations", `{}`, "", 400, "prompt"},
		{protocol.OpenAIChat, "/images/generations", `{"prompt":"x","n":11}`, "", 400, "from 1 to 10"},
		{protocol.OpenAIChat, "/moderations", `{}`, "", 400, "input"},
		{protocol.OpenAIChat, "/audio/speech", `{}`, "", 400, "input"},
		{protocol.OpenAIChat, "/audio/transcriptions", `{}`, "", 400, "form"},
		{protocol.OpenAIResponses, "/responses", `{"model":"m"}`, "", 400, "input"},
		{protocol.OpenAIResponses, "/responses", `{"model":"m","input":[{"role":"king"}]}`, "", 400, "king"},
		{protocol.OpenAIResponses, "/responses", `{"model":"m","input":"x","previous_response_id":"resp_0"}`, "", 400, "resp_0"},
		{protocol.OpenAIResponses, "GET /responses", ``, "", 405, "GET"},
		{protocol.OpenAIResponses, "GET /responses/resp_0", ``, "", 404, "resp_0"},
		{protocol.OpenAIResponses, "DELETE /responses/resp_0/input_items", ``, "", 405, "DELETE"},
		{protocol.OpenAIResponses, "/responses/resp_0/cancel", ``, "", 404, "cancel"},
		{protocol.Anthropic, "/v1/messages", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, "", 400, "max_tokens"},
		{protocol.Anthropic, "/v1/messages", `{"model":"m","max_tokens":1}`, "", 400, "messages"},
		{protocol.Anthropic, "/v1/messages", `{"max_tokens":1}`, "", 400, "model"},
		{protocol.Anthropic, "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"king"}]}`, "", 400, "king"},
		{protocol.Anthropic, "/v1/messages/batches", `{}`, "", 404, "batches"},
		{protocol.Anthropic, "GET /v1/models/nobody", ``, "", 404, "nobody"},
		{protocol.Gemini, "/models/m:generateContent", `{}`, "", 400, "contents"},
		{protocol.Gemini, "/models/m:generateContent", `[]`, "", 400, "the array at the top"},
		{protocol.Gemini, "/models/m:predict", `{}`, "", 404, "predict"},
		{protocol.Gemini, "/cachedContents", `{}`, "", 404, "cachedContents"},
		{protocol.Gemini, "GET /models/nobody", ``, "", 404, "nobody"},
		{protocol.Gemini, "/models/m:batchEmbedContents", `{"requests":[]}`, "", 400, "no text"},
	} {
		var header []string
		if c.header != "" {
			header = []string{Header, c.header}
		}
		r := send(t, fixed(), c.dialect, c.path, c.body, header...)
		if r.err != nil || r.StatusCode != c.status {
			t.Errorf("%s %s %s: %v %s", c.dialect, c.path, c.body, r.err, r.body)
			continue
		}
		s := codecs[c.dialect].DecodeError(r.StatusCode, r.body)
		if f := New().Rules().Judge(s, time.Now()); f.Class != fault.BadRequest || f.Scope != fault.Request || !strings.Contains(s.Message, c.says) {
			t.Errorf("%s %s %s: %v in scope %v of %s", c.dialect, c.path, c.body, f.Class, f.Scope, r.body)
		}
	}
}

// count is how many events an undisturbed stream has, each with its own text.
func events(t *testing.T, raw []byte) (out [][]byte) {
	t.Helper()
	for len(raw) > 0 {
		var c sse.Cutter
		n := c.Cut(raw)
		if n == 0 {
			return append(out, raw)
		}
		out = append(out, raw[:n])
		raw = raw[n:]
	}
	return out
}

// TestStreamFaults plays faults within a stream, before each of its events and
// behind the last.
func TestStreamFaults(t *testing.T) {
	for _, dialect := range speaks {
		path, body := wants{said: "[[say:one two three]]"}.build(dialect, true)
		full := send(t, fixed(), dialect, path, body).body
		all := events(t, full)
		for _, kind := range []string{"cut", "end", "garbage", "error", "overloaded"} {
			for n := range len(all) + 2 {
				r := send(t, fixed(), dialect, path, body, Header, fmt.Sprintf("%s:after=%d", kind, n))
				if r.Response == nil || r.StatusCode != 200 {
					t.Fatalf("%s %s %d: %v", dialect, kind, n, r.err)
				}
				want, err := bytes.Join(all[:min(n, len(all))], nil), error(nil)
				rest, whole := bytes.CutPrefix(r.body, want)
				switch {
				case n > len(all): // shorter than that: it comes whole
				case kind == "cut":
					err = io.ErrUnexpectedEOF
				case kind == "garbage":
					if string(rest) != garbage {
						t.Errorf("%s %s %d: the stream ends with %q", dialect, kind, n, rest)
					}
					rest = nil
				case kind != "end":
					class := fault.Broken
					if kind == "overloaded" {
						class = fault.Overloaded
					}
					wantFailure(t, dialect, rest, n, class)
					rest = nil
				}
				if !whole || len(rest) > 0 || !errors.Is(r.err, err) {
					t.Errorf("%s %s %d: got %q, %v", dialect, kind, n, r.body, r.err)
				}
			}
		}
	}
}

// wantFailure checks the event that tells of an error in a stream.
func wantFailure(t *testing.T, dialect string, raw []byte, at int, class fault.Class) {
	t.Helper()
	fs := cut(t, raw)
	if len(fs) != 1 {
		t.Fatalf("%d events tell of the error: %s", len(fs), raw)
	}
	data := fs[0].Data
	tap := codecs[dialect].NewTap()
	if m := tap.Frame(fs[0].Event, data); m != protocol.Failed || tap.Seen().Error == nil {
		t.Fatalf("the tap says %b of %s", m, data)
	}
	sign := *tap.Seen().Error
	switch dialect {
	case protocol.OpenAIResponses:
		e := read[struct {
			Type     string
			Number   int64 `json:"sequence_number"`
			Response jsontext.Value
		}](t, data)
		if e.Number != int64(at) || e.Type != "response.failed" || string(fs[0].Event) != e.Type {
			t.Errorf("event %d is %s", at, raw)
		}
		has(t, e.Response, "id", "object", "created_at", "status", "error", "output", "model", "usage")
	case protocol.Anthropic:
		if has(t, data, "type", "error", "request_id"); string(fs[0].Event) != "error" {
			t.Errorf("the event is %q", fs[0].Event)
		}
	}
	if f := New().Rules().Judge(sign, time.Now()); f.Class != class {
		t.Errorf("%v, not %v, of %s", f.Class, class, data)
	}
}

// TestArrayFaults plays faults in Gemini's JSON array.
func TestArrayFaults(t *testing.T) {
	path, body := wants{said: "[[say:one two three]]"}.gemini(true)
	path = strings.TrimSuffix(path, "?alt=sse")
	for n := range 3 {
		r := send(t, fixed(), protocol.Gemini, path, body, Header, fmt.Sprintf("error:after=%d", n))
		es := read[[]jsontext.Value](t, r.body)
		if len(es) != n+1 {
			t.Fatalf("%d elements in %s", len(es), r.body)
		}
		if s := codecs[protocol.Gemini].DecodeError(0, es[n]); s.Type != "INTERNAL" {
			t.Errorf("%+v of %s", s, r.body)
		}
		r = send(t, fixed(), protocol.Gemini, path, body, Header, fmt.Sprintf("end:after=%d", n))
		if r.err != nil || jsontext.Value(r.body).IsValid() {
			t.Errorf("ended after %d: %v, %s", n, r.err, r.body)
		}
	}
}

// TestWholeFaults plays faults at answers that are not streamed.
func TestWholeFaults(t *testing.T) {
	for _, dialect := range speaks {
		path, body := wants{said: "[[say:one two three]]"}.build(dialect, false)
		full := send(t, fixed(), dialect, path, body).body
		size := int64(len(full))
		half := full[:size/2]
		for _, c := range []struct {
			fault string
			body  []byte
			size  int64
			err   error
		}{
			{"cut", nil, size, io.ErrUnexpectedEOF},
			{"cut:after=9", half, size, io.ErrUnexpectedEOF},
			{"cut:bytes=7", full[:7], size, io.ErrUnexpectedEOF},
			{"cut:bytes=100000", full, size, nil},
			{"end", nil, -1, nil},
			{"end:after=1", half, -1, nil},
			{"end:bytes=7", full[:7], -1, nil},
			{"empty", nil, -1, nil},
			{"garbage", []byte(garbage), -1, nil},
			{"garbage:after=1", append(bytes.Clone(half), garbage...), -1, nil},
			{"html", []byte(portal), int64(len(portal)), nil},
		} {
			r := send(t, fixed(), dialect, path, body, Header, c.fault)
			if r.Response == nil || r.StatusCode != 200 || !errors.Is(r.err, c.err) || r.ContentLength != c.size || !bytes.Equal(r.body, c.body) {
				t.Errorf("%s at %s: %v %v %q", c.fault, dialect, r.err, r.Response, r.body)
			}
			if html := r.Header.Get("Content-Type") == "text/html; charset=utf-8"; html != (c.fault == "html") {
				t.Errorf("%s at %s comes as %v", c.fault, dialect, r.Header)
			}
		}
		r := send(t, fixed(), dialect, path, body, Header, "error,code:rate_limit_exceeded,retry-after:3")
		failed := r.body
		if dialect == protocol.OpenAIResponses {
			if a := read[responsesAnswer](t, failed); a.Status != "failed" || a.Output == nil || a.Error == nil {
				t.Errorf("the failed response is %s", failed)
			}
		}
		if r.StatusCode != 200 {
			t.Errorf("an error in a 200 has the status %d", r.StatusCode)
		}
		s := codecs[dialect].DecodeError(0, failed)
		if f := New().Rules().Judge(s, time.Now()); f.Class != fault.RateLimited || f.After != 3*time.Second {
			t.Errorf("%v after %v of %s", f.Class, f.After, failed)
		}
	}
}

// TestBytes cuts or ends a stream at every byte.
func TestBytes(t *testing.T) {
	for _, dialect := range speaks {
		path, body := wants{said: "[[say:é 世]]"}.build(dialect, true)
		full := send(t, fixed(), dialect, path, body).body
		for n := range len(full) + 2 {
			kind, err := "end", error(nil)
			if n%2 == 0 && n <= len(full) {
				kind, err = "cut", io.ErrUnexpectedEOF
			}
			r := send(t, fixed(), dialect, path, body, Header, fmt.Sprintf("%s:bytes=%d", kind, n))
			if !errors.Is(r.err, err) || !bytes.Equal(r.body, full[:min(n, len(full))]) {
				t.Fatalf("%s: %s after %d bytes gives %d, %v", dialect, kind, n, len(r.body), r.err)
			}
		}
	}
}

// TestPick chooses among several faults by account and by how often.
func TestPick(t *testing.T) {
	s := fixed()
	path, body := wants{said: "x"}.chat(false)
	try := func(account, faults string) int {
		t.Helper()
		req := request(t, s, protocol.OpenAIChat, path, body, Header, faults)
		req.Header.Set(accountHeader, account)
		r, err := s.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		return r.StatusCode
	}
	var got []int
	for _, account := range []string{"a", "b", "c"} {
		got = append(got, try(account, "status:503,account=a; status:529,account=b"))
	}
	for range 3 {
		got = append(got, try("a", "status:500 times=2; status:429,times=1,key=k"))
	}
	got = append(got, try("a", "status:500 times=2; status:429,times=1,key=k"), try("a", "status:500,times=2"))
	if want := []int{503, 529, 200, 500, 500, 429, 200, 500}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestFaultInText plays a fault that stands in the user's turn, and only there.
func TestFaultInText(t *testing.T) {
	for _, dialect := range speaks {
		for _, c := range []struct {
			in   wants
			want int
		}{
			{wants{said: "x [[fault:status:418]]"}, 418},
			{wants{said: "x", system: "[[fault:status:418]]"}, 200},
			{wants{result: "[[fault:status:418]]"}, 200},
			{wants{said: "[[fault:delay:0]] [[fault:status:418]]"}, 200}, // the first is played
		} {
			path, body := c.in.build(dialect, true)
			if r := send(t, fixed(), dialect, path, body); r.StatusCode != c.want {
				t.Errorf("%s: %+v gives %d", dialect, c.in, r.StatusCode)
			}
		}
	}
	for _, path := range []string{"/embeddings", "/images/generations", "/audio/speech", "/moderations"} {
		if r := send(t, fixed(), protocol.OpenAIChat, path, `{"input":"[[fault:status:418]]","prompt":"[[fault:status:418]]"}`); r.StatusCode != 418 {
			t.Errorf("%s gives %d", path, r.StatusCode)
		}
	}
}

func TestParseMishaps(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []mishap
	}{
		{"", nil},
		{" ; ", nil},
		{"status:429, retry-after:2", []mishap{{kind: kindStatus, status: 429, retry: 2 * time.Second, after: -1, bytes: -1, text: "status:429, retry-after:2"}}},
		{"cut:after=3", []mishap{{kind: kindCut, after: 3, bytes: -1, text: "cut:after=3"}}},
		{"end bytes=9", []mishap{{kind: kindEnd, after: -1, bytes: 9, text: "end bytes=9"}}},
		{"delay:1.5 pace:20ms", []mishap{{delay: 1500 * time.Millisecond, pace: 20 * time.Millisecond, after: -1, bytes: -1, text: "delay:1.5 pace:20ms"}}},
		{"hang,account=a;error,times=2,key=k,code:c", []mishap{
			{kind: kindHang, account: "a", after: -1, bytes: -1, text: "hang,account=a"},
			{kind: kindError, times: 2, key: "k", code: "c", after: -1, bytes: -1, text: "error,times=2,key=k,code:c"},
		}},
	} {
		got, err := parseMishaps(c.in)
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(mishap{})); err != nil || d != "" {
			t.Errorf("%q: %v %s", c.in, err, d)
		}
	}
	for _, in := range []string{
		"boom", "status", "status:200", "status:600", "status:x", "retry-after:-1", "delay:11m", "delay:inf", "delay:nan", "after=-1", "bytes=x",
		"times=0", "cut:boom", strings.Repeat("x", maxMishapText+1), strings.Repeat("cut;", maxMishaps+1),
	} {
		if got, err := parseMishaps(in); err == nil {
			t.Errorf("%.40q is taken for %+v", in, got)
		}
	}
}

var errGone = errors.New("the client went away")

// TestWaits plays delays and hangs against the clock, and cancels each: nothing
// may outlive the request. synctest finds what does.
func TestWaits(t *testing.T) {
	for _, dialect := range speaks {
		for _, c := range []struct {
			fault string
			takes time.Duration // of the whole answer; 0: it never ends
		}{
			{"delay:500ms", 500 * time.Millisecond},
			{"delay:500ms,status:500", 500 * time.Millisecond},
			{"hang", 0},
			{"hang:after=2", 0},
			{"delay:1,hang", 0},
		} {
			for _, streamed := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					path, body := wants{said: "one two three"}.build(dialect, streamed)
					ctx, cancel := context.WithCancelCause(t.Context())
					s, start := fixed(), time.Now()
					req := request(t, s, dialect, path, body, Header, c.fault).WithContext(ctx)
					if c.takes == 0 {
						time.AfterFunc(time.Minute, func() { cancel(errGone) })
					}
					r, err := s.Transport().RoundTrip(req)
					if err == nil {
						_, err = io.ReadAll(r.Body)
						if cerr := r.Body.Close(); cerr != nil {
							t.Error(cerr)
						}
					}
					took := time.Since(start)
					if c.takes == 0 && (!errors.Is(err, errGone) || took != time.Minute) || c.takes > 0 && (err != nil || took != c.takes) {
						t.Errorf("%s at %s: %v after %v", c.fault, dialect, err, took)
					}
					cancel(nil)
				})
			}
		}
	}
}

// TestPace measures the time between events, and cancels between two.
func TestPace(t *testing.T) {
	for _, dialect := range speaks {
		synctest.Test(t, func(t *testing.T) {
			path, body := wants{said: "one two three"}.build(dialect, true)
			n := len(events(t, send(t, fixed(), dialect, path, body).body))
			start := time.Now()
			if r := send(t, fixed(), dialect, path, body, Header, "pace:1"); r.err != nil || time.Since(start) != time.Duration(n-1)*time.Second {
				t.Errorf("%d events take %v, %v", n, time.Since(start), r.err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(2500*time.Millisecond, func() { cancel(errGone) })
			s := fixed()
			r, err := s.Transport().RoundTrip(request(t, s, dialect, path, body, Header, "pace:1").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			start = time.Now()
			if _, err := io.ReadAll(r.Body); !errors.Is(err, errGone) || time.Since(start) != 2500*time.Millisecond {
				t.Errorf("cancelled: %v after %v", err, time.Since(start))
			}
			if err := r.Body.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestClose ends a Read that waits.
func TestClose(t *testing.T) {
	for _, f := range []string{"hang:after=1", "pace:5m"} {
		synctest.Test(t, func(t *testing.T) {
			path, body := wants{said: "one two three"}.chat(true)
			s := fixed()
			r, err := s.Transport().RoundTrip(request(t, s, protocol.OpenAIChat, path, body, Header, f))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Second, func() { _ = r.Body.Close() })
			start := time.Now()
			if _, err := io.ReadAll(r.Body); !errors.Is(err, http.ErrBodyReadAfterClose) || time.Since(start) != time.Second {
				t.Errorf("%s: %v after %v", f, err, time.Since(start))
			}
			if n, err := r.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("%s: %d, %v after Close", f, n, err)
			}
		})
	}
}
