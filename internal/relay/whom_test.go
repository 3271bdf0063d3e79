package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/fault"
	"portico/internal/pool"
	"portico/internal/protocol"
	"portico/internal/route"
	"portico/internal/schedule"
)

func rule(match string, to ...string) route.Rule { return route.Rule{Match: match, To: to} }

// TestChain: the models of a route are asked for one after the other, in the
// account's name for them, all other bytes unchanged.
func TestChain(t *testing.T) {
	d := dialects["openai-chat"]
	var bodies []string
	up := func(next upstream) upstream {
		return func(out *http.Request, b []byte) (*http.Response, error) {
			bodies = append(bodies, string(b))
			return next(out, b)
		}
	}
	r := newRig(t, up(replyWith(404, "application/json", `{"error":{"message":"no","code":"model_not_found"}}`)), up(replyWith(500, "", "")), up(replyWith(200, "application/json", d.whole)))
	as := r.accounts()
	as[0], as[1], as[2] = only(as[0], "one"), only(as[1], "two"), only(as[2], "three")
	r.pool.Set(as)
	r.routes(rule("m*", "one", "two", "three"))
	c := r.call(d, false)
	c.Body = []byte(`{ "x":1e400,"model" : "m","y":[1,1], "n":12345678901234567890 }`)
	w := r.run(c)
	want := []string{
		strings.Replace(string(c.Body), `"m"`, `"one"`, 1), strings.Replace(string(c.Body), `"m"`, `"two"`, 1),
		strings.Replace(string(c.Body), `"m"`, `"two"`, 1), strings.Replace(string(c.Body), `"m"`, `"three"`, 1),
	}
	if w.status != 200 || !slices.Equal(bodies, want) {
		t.Errorf("status %d, asked\n%s\n%+v", w.status, strings.Join(bodies, "\n"), r.ledger.last())
	}
	if x := r.ledger.last(); x.Rule != "m*" || x.Asked != "m" || x.Served != "three" || x.Account != "c" || x.Attempts[0].Model != "one" {
		t.Errorf("%+v", x)
	}
}

// TestBytes: a request whose model is served under its own name goes out as it
// came, and so does its query.
func TestBytes(t *testing.T) {
	for name, d := range dialects {
		body := `{"x": 12345678901234567890, "x": 1e400, "model": "m", "y": "é\u00e9" ,"messages" : [ ] }` + "\n"
		r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
			if string(b) != body || out.URL.RawQuery != "beta=true&alt=sse" || out.URL.Path != d.path || out.Method != "POST" {
				t.Errorf("%s: %s?%s %q", name, out.URL.Path, out.URL.RawQuery, b)
			}
			return answerOf(200, "application/json", d.whole), nil
		})
		c := r.call(d, false)
		c.Body, c.Query = []byte(body), "beta=true&alt=sse"
		if w := r.run(c); w.status != 200 {
			t.Errorf("%s: %s", name, w.text())
		}
	}
}

// pathModel is a codec whose requests name the model in the path.
type pathModel struct{ protocol.Codec }

func (pathModel) SetPathModel(path, model string) (string, bool) {
	return strings.Replace(path, "/m:", "/"+model+":", 1), model != "bad name"
}
func (pathModel) SetModel(body []byte, _ string) ([]byte, error) { return body, nil }

func TestPathModel(t *testing.T) {
	d := *dialects["openai-chat"]
	d.codec, d.path = pathModel{d.codec}, "/models/m:generate"
	r := newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
		if out.URL.Path != "/models/served:generate" || string(b) != d.request {
			t.Errorf("%s %s", out.URL.Path, b)
		}
		return answerOf(200, "application/json", d.whole), nil
	})
	r.routes(rule("m", "served"))
	if w := r.run(r.call(&d, false)); w.status != 200 {
		t.Error(w.text())
	}
	r.routes(rule("m", "bad name"))
	if w := r.run(r.call(&d, false)); w.status != 400 || !strings.Contains(w.text(), "the path cannot name it") {
		t.Error(w.text())
	}

	d = *dialects["gemini"]
	r = newRig(t, func(out *http.Request, b []byte) (*http.Response, error) {
		if out.URL.Path != "/models/served:streamGenerateContent" || string(b) != d.request {
			t.Errorf("%s %s", out.URL.Path, b)
		}
		return answerOf(200, eventStream, d.parts()...), nil
	})
	r.routes(rule("m", "served"))
	if w := r.run(r.call(&d, true)); w.text() != strings.Join(d.parts(), "") {
		t.Error(w.text())
	}
}

// TestArrayStream: Gemini's stream as one JSON array passes as it is.
func TestArrayStream(t *testing.T) {
	d := *dialects["gemini"]
	array := "[" + strings.ReplaceAll(d.whole, `"finishReason":"STOP",`, "") + "\n,\n" + d.whole + "\n]"
	r := newRig(t, replyWith(200, "application/json; charset=UTF-8", array))
	if w := r.run(r.call(&d, true)); w.status != 200 || w.text() != array || r.ledger.last().Usage.Total() != 10 {
		t.Errorf("status %d, body %s, %+v", w.status, w.text(), r.ledger.last())
	}
}

// TestFormModel: a form's model is replaced, its files are not touched.
func TestFormModel(t *testing.T) {
	const form = "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\nContent-Type: audio/mpeg\r\n\r\n\x00\r\n\r\nname=\"model\"\r\n--XyY\r\n" +
		"--XyZ\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n--XyZ\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nm\r\n--XyZ--\r\n"
	var got string
	r := newRig(t, func(_ *http.Request, b []byte) (*http.Response, error) {
		got = string(b)
		return answerOf(200, "application/json", "{}"), nil
	})
	r.routes(rule("m", "served-model"))
	c := r.otherCall("POST", "/audio/transcriptions", `multipart/form-data; boundary="XyZ"`, form)
	c.Model = "m"
	if w := r.run(c); w.status != 200 || got != strings.Replace(form, "\r\n\r\nm\r\n--XyZ\r\nContent", "\r\n\r\nserved-model\r\n--XyZ\r\nContent", 1) {
		t.Errorf("status %d, sent %q", w.status, got)
	}
	c.Body = []byte("--XyZ\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nm\r\n--XyZ--\r\n")
	if w := r.run(c); w.status != 400 || !strings.Contains(w.text(), "no field named model") {
		t.Errorf("status %d, body %s", w.status, w.text())
	}
}

func FuzzFormModel(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		same, err := setFormField(body, "b", "model", "m")
		if err != nil {
			return
		}
		other, err := setFormField(body, "b", "model", "other")
		if err != nil {
			t.Fatal(err)
		}
		if back, err := setFormField(other, "b", "model", "m"); err != nil || string(back) != string(same) {
			t.Errorf("%q and back is %q, want %q", other, back, same)
		}
	})
}

// TestTries: tries that keep an upstream busy are few; refusals at once do not
// count, but even they have a bound.
func TestTries(t *testing.T) {
	d := dialects["openai-chat"]
	many := func(n int, up, last upstream) []upstream { return append(slices.Repeat([]upstream{up}, n), last) }
	good := replyWith(200, "application/json", d.whole)
	dial := failing(&net.OpError{Op: "dial", Err: errors.New("refused")})
	for _, tt := range []struct {
		name   string
		ups    []upstream
		asked  int
		served bool
	}{
		{"broken", many(9, replyWith(500, "", ""), good), 4, false},
		{"three broken", many(3, replyWith(500, "", ""), good), 4, true},
		{"limited", many(9, replyWith(429, "", ""), good), 10, true},
		{"rejected", many(9, replyWith(401, "", ""), good), 10, true},
		{"refused connections", many(9, dial, good), 10, true},
		{"a hundred limited", many(100, replyWith(429, "", ""), good), maxAttempts, false},
	} {
		r := newRig(t, tt.ups...)
		w := r.run(r.call(d, false))
		if len(r.asked) != tt.asked || (w.status == 200) != tt.served {
			t.Errorf("%s: asked %d times, status %d", tt.name, len(r.asked), w.status)
		}
		if x := r.ledger.last(); len(x.Attempts) != tt.asked {
			t.Errorf("%s: %d attempts in the ledger", tt.name, len(x.Attempts))
		}
		for _, v := range r.pool.Views() {
			if v.InFlight != 0 {
				t.Errorf("%s: a lease of %s was not ended", tt.name, v.Name)
			}
		}
	}
}

// TestPassedOver: the ledger and the client learn who was not asked, and why.
func TestPassedOver(t *testing.T) {
	d := dialects["openai-chat"]
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, replyWith(429, "application/json", `{"error":{"message":"slow down"}}`), replyWith(200, "application/json", d.whole))
		r.run(r.call(d, false))
		r.run(r.call(d, false))
		if x := r.ledger.last(); len(x.Passed) != 1 || x.Passed[0].Account != "a" || x.Passed[0].Why != "cooling: rate_limited" || len(x.Attempts) != 1 {
			t.Errorf("%+v", x)
		}
		r.pool.Set(r.accounts()[:1])
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		w := r.run(r.call(d, false))
		if w.status != 429 || w.sent.Get("Retry-After") != "2" || !strings.Contains(w.text(), "a: cooling: rate_limited, may serve again in 2s") || time.Since(start) > 100*time.Millisecond {
			t.Errorf("status %d, headers %v, body %s", w.status, w.sent, w.text())
		}
		if x := r.ledger.last(); len(x.Attempts) != 0 || len(x.Passed) != 1 || x.Fault != "rate_limited" {
			t.Errorf("%+v", x)
		}
	})
}

// TestConversation: what nobody names is told apart by how it begins, by its
// key and by its machine.
func TestConversation(t *testing.T) {
	seen := map[uint64]string{}
	for name, c := range map[string]Call{
		"named": {Session: "s", Key: "k"}, "of another key": {Session: "t", Key: "k"},
		"nameless": {Begins: 7}, "other beginning": {Begins: 8}, "other key": {Begins: 7, Key: "k"}, "other machine": {Begins: 7, Peer: "10.0.0.1"},
		"a person's": {Session: "joe", Begins: 7}, "the person's other": {Session: "joe", Begins: 8},
	} {
		h := conversation(&c)
		if other, ok := seen[h]; ok {
			t.Errorf("%s is the same as %s", name, other)
		}
		seen[h] = name
		if again := c; conversation(&again) != h {
			t.Errorf("%s is another the next time", name)
		}
	}
}

// TestSticky: one conversation stays with one account.
func TestSticky(t *testing.T) {
	d := dialects["openai-chat"]
	good := replyWith(200, "application/json", d.whole)
	r := newRig(t, good, good, good)
	r.settings.Strategy = schedule.CacheFirst{}
	as := r.accounts()
	for i := range as {
		as[i].Priority = 0
	}
	r.pool.Set(as)
	for _, session := range []string{"s1", "s2", "s3", "s4", "s5", "s6"} {
		r.asked = nil
		for range 5 {
			c := r.call(d, false)
			c.Session = session
			r.run(c)
			if x := r.ledger.last(); x.Session == "" || x.Session == session {
				t.Errorf("session %q in the ledger", x.Session)
			}
		}
		if len(slices.Compact(r.asked)) != 1 {
			t.Errorf("%s went to %v", session, r.asked)
		}
	}
}

// TestPayload: what an attempt sends of a large body is taken away at its end,
// for its memory is used again.
func TestPayload(t *testing.T) {
	d := dialects["openai-chat"]
	var bodies []io.Reader
	request := strings.Replace(d.request, "hello", strings.Repeat("hello ", 1000), 1)
	r := newRig(t, nil)
	a := r.account("a", 0, nil)
	a.Way = roundTrip(func(out *http.Request) (*http.Response, error) {
		again, err := out.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		half := make([]byte, 10)
		if _, err := io.ReadFull(out.Body, half); err != nil || string(half) != request[:10] {
			t.Errorf("%q, %v", half, err)
		}
		all, err := io.ReadAll(again)
		if err != nil || string(all) != request {
			t.Errorf("%q, %v", all, err)
		}
		bodies = append(bodies, out.Body)
		x := answerOf(200, "application/json", d.whole) // before the body is read to its end
		x.Body.(*scripted).ctx = out.Context()
		return x, nil
	})
	r.pool.Set([]pool.Account{a})
	c := r.call(d, false)
	c.Body = []byte(request)
	r.run(c)
	if n, err := bodies[0].Read(make([]byte, 10)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("after the attempt: %d bytes, %v", n, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(out *http.Request) (*http.Response, error) { return f(out) }

// TestCrash: a codec that panics costs its own request, and nothing else.
func TestCrash(t *testing.T) {
	d := *dialects["openai-chat"]
	d.codec = panicking{d.codec}
	for _, stream := range []bool{false, true} {
		r := newRig(t, func(*http.Request, []byte) (*http.Response, error) {
			if stream {
				return answerOf(200, eventStream, d.parts()...), nil
			}
			return answerOf(200, "application/json", d.whole), nil
		})
		log := r.logTo()
		w := newClient()
		r.do(context.Background(), w, r.call(&d, stream))
		if w.status != 500 || !strings.Contains(w.text(), "the gateway failed") || !strings.Contains(log.String(), "panic") {
			t.Errorf("status %d, body %s, log %s", w.status, w.text(), log)
		}
		if x := r.ledger.last(); x.Fault != fault.Internal.String() || len(x.Attempts) != 1 || x.Status != 500 {
			t.Errorf("%+v", x)
		}
		if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.Failed != 0 {
			t.Errorf("%+v", v)
		}
	}
}

type panicking struct{ protocol.Codec }

func (panicking) NewTap() protocol.Tap { panic("a defect") }
