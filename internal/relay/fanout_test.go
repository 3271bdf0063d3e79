package relay

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/protocol"
)

// TestSeats: several candidates are asked for as they are where the upstream
// has a seat for them, and one by one elsewhere.
func TestSeats(t *testing.T) {
	for _, tt := range []struct {
		client, upstream string
		lacks            []string
		n                int
		asked            int // requests
		carried          string
	}{
		{"openai-chat", "openai-chat", nil, 3, 1, `"n":3`},
		{"openai-chat", "openai-chat", nil, 20, 1, `"n":20`},
		{"openai-chat", "openai-chat", []string{"seed"}, 3, 1, `"n":3`},
		{"openai-chat", "openai-chat", []string{"seed", "n"}, 3, 3, ""},
		{"openai-chat", "openai-chat", []string{"n"}, 1, 1, `"n":1`},
		{"openai-chat", "gemini", nil, 3, 1, `"candidateCount":3`},
		{"openai-chat", "anthropic", nil, 8, 8, ""},
		{"openai-chat", "anthropic", nil, 1, 1, ""},
		{"openai-chat", "openai-responses", nil, 2, 2, ""},
		{"gemini", "gemini", nil, 3, 1, `"candidateCount":3`},
		{"gemini", "openai-chat", nil, 3, 1, `"n":3`},
		{"gemini", "openai-chat", []string{"n"}, 3, 3, ""},
		{"gemini", "anthropic", nil, 2, 2, ""},
	} {
		var mu sync.Mutex
		var bodies []string
		var n atomic.Int64
		up := each(dialects[tt.upstream], &n)
		r := speaking(t, []string{tt.upstream}, func(out *http.Request, b []byte) (*http.Response, error) {
			mu.Lock()
			bodies = append(bodies, string(b))
			mu.Unlock()
			return up(out, b)
		})
		r.vendor.quirks.Lacks = tt.lacks
		w := r.run(r.several(dialects[tt.client], tt.n, false))
		if w.status != 200 || len(bodies) != tt.asked {
			t.Errorf("%+v: %d, asked %d times", tt, w.status, len(bodies))
		}
		for _, b := range bodies {
			if tt.carried != "" && !strings.Contains(b, tt.carried) || tt.carried == "" && (strings.Contains(b, `"n":`) || strings.Contains(b, "andidate")) {
				t.Errorf("%+v: asked %s", tt, b)
			}
		}
	}
}

// TestTooManyCandidates: more than are asked for one by one, or any where
// nothing may be lost, is a refusal in the client's dialect, and nobody is
// asked; unless another account gives them.
func TestTooManyCandidates(t *testing.T) {
	for _, tt := range []struct {
		client   string
		n        int
		strict   bool
		accounts []string
		status   int
		want     string
	}{
		{"openai-chat", 9, false, []string{"anthropic"}, 400, `"param":"n"`},
		{"gemini", 9, false, []string{"anthropic"}, 400, `"field":"generationConfig.candidateCount"`},
		{"gemini", 9, false, []string{"anthropic"}, 400, `9 candidates are too many`},
		{"openai-chat", 9, false, []string{"anthropic", "openai-responses"}, 400, `at most 8 are made`},
		{"openai-chat", 2, true, []string{"anthropic"}, 400, `n=emulated`},
		{"openai-chat", 9, false, []string{"anthropic", "openai-chat"}, 200, `"choices"`},
		{"openai-chat", 2, true, []string{"anthropic", "openai-chat"}, 200, `"choices"`},
	} {
		var n atomic.Int64
		var ups []upstream
		for _, p := range tt.accounts {
			ups = append(ups, each(dialects[p], &n))
		}
		r := speaking(t, tt.accounts, ups...)
		if slices.Contains(tt.accounts, "openai-chat") { // the one without a seat comes first all the same
			all := r.accounts()
			all[0].Protocols, all[0].Priority, all[1].Priority = []string{"openai-chat"}, 0, 1
			all[0].By = &vendor{}
			all[0].By.(*vendor).quirks.Lacks = []string{"n"}
			r.pool.Set(all)
		}
		c := r.several(dialects[tt.client], tt.n, false)
		if tt.strict {
			c.Header = http.Header{"X-Portico-Strict": {"1"}}
		}
		w := r.run(c)
		asked := int64(0)
		if tt.status == 200 {
			asked = 1
		}
		if w.status != tt.status || !strings.Contains(w.text(), tt.want) || n.Load() != asked {
			t.Errorf("%+v: %d %s, asked %d times", tt, w.status, w.text(), n.Load())
		}
		if v := r.pool.Views()[0]; v.InFlight != 0 || v.Health.State != 0 {
			t.Errorf("%+v: %+v", tt, v)
		}
	}
}

// TestDeclined: an upstream that refuses several candidates is asked for one by
// one then, and the next time at once.
func TestDeclined(t *testing.T) {
	d := dialects["gemini"]
	for _, client := range []string{"openai-chat", "gemini"} {
		var n, refused atomic.Int64
		up := each(d, &n)
		r := speaking(t, []string{"gemini"}, func(out *http.Request, b []byte) (*http.Response, error) {
			if strings.Contains(string(b), "candidateCount") {
				refused.Add(1)
				return answerOf(400, "application/json", `{"error":{"code":400,"message":"Multiple candidates is not enabled for this model","status":"INVALID_ARGUMENT"}}`), nil
			}
			return up(out, b)
		})
		r.vendor.rules = fault.Rules{{Status: 400, Says: "multiple candidates", Class: fault.BadRequest, Param: "candidateCount"}}
		now := time.Now()
		r.relay.now = func() time.Time { return now }
		for i, want := range []int64{1, 1, 2} { // refusals
			if i == 2 {
				now = now.Add(singleFor) // it may have changed its mind
			}
			w := r.run(r.several(dialects[client], 2, i == 1))
			if got, _ := dialects[client].answers(t, w.text(), i == 1); w.status != 200 || len(got) != 2 || refused.Load() != want {
				t.Errorf("%s, %d: %d, %q, refused %d times", client, i, w.status, got, refused.Load())
			}
			x := r.ledger.last()
			if i != 1 && (len(x.Attempts) != 3 || x.Attempts[0].Fault != "bad_request" || x.Attempts[0].Step != "again" || x.Attempts[0].Leg != 0) {
				t.Errorf("%s, %d: %+v", client, i, x.Attempts)
			}
		}
		// One who wants nothing lost gets the refusal, and so does one who asks
		// for more than are asked for one by one.
		for _, c := range []*Call{r.several(dialects[client], 2, false), r.several(dialects[client], 8, false)} {
			now = now.Add(singleFor)
			if strings.Contains(string(c.Body), "2") {
				c.Header = http.Header{"X-Portico-Strict": {"1"}}
			}
			w := r.run(c)
			if strict := len(c.Header) == 1 && c.Header["X-Portico-Strict"] != nil; (w.status == 400) != strict {
				t.Errorf("%s: %d %s", client, w.status, w.text())
			}
		}
	}
	// A refusal of something else is the client's.
	r := speaking(t, []string{"gemini"}, replyWith(400, "application/json", `{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}`))
	r.vendor.rules = fault.Rules{{Status: 400, Class: fault.BadRequest, Param: "seed"}}
	if w := r.run(r.several(dialects["openai-chat"], 2, false)); w.status != 400 || len(r.asked) != 1 {
		t.Errorf("%d, asked %q", w.status, r.asked)
	}
}

// TestSingles: what is remembered is bounded, and for a while.
func TestSingles(t *testing.T) {
	var s singles
	now := time.Now()
	if s.has("a", "m", now) {
		t.Error("nothing was said")
	}
	for i := range 2*maxSingles + 1 {
		s.add("a", strconv.Itoa(i), now)
		if n := len(*s.m.Load()); n > maxSingles {
			t.Fatalf("%d are remembered", n)
		}
	}
	last := strconv.Itoa(2 * maxSingles)
	if !s.has("a", last, now.Add(singleFor-1)) || s.has("a", last, now.Add(singleFor)) || s.has("b", last, now) {
		t.Error("the last is not remembered, or too long")
	}
	s.add("a", "other", now.Add(singleFor))
	if n := len(*s.m.Load()); n != 1 {
		t.Errorf("%d are remembered, of which all but one are over", n)
	}
}

// TestFanRequests: what tells requests apart at the vendor's is different for
// each candidate, and the seed; all else is the same.
func TestFanRequests(t *testing.T) {
	var mu sync.Mutex
	var got []string
	r := speaking(t, []string{"openai-chat"}, func(out *http.Request, b []byte) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprint(out.Header.Get("Idempotency-Key"), " ", out.Header.Get("Accept"), " ", string(jsonedit.Get(b, "seed")), " ", len(b)))
		return answerOf(200, "application/json", dialects["openai-chat"].whole), nil
	})
	r.vendor.quirks.Lacks = []string{"n"}
	c := r.several(dialects["openai-chat"], 3, false)
	c.Header = http.Header{"Idempotency-Key": {"k"}, "Accept": {"*/*"}}
	n := len(c.Body) - len(`,"n":3`)
	r.run(c)
	slices.Sort(got)
	if want := []string{fmt.Sprint("k */* 7 ", n), fmt.Sprint("k-1 */* 8 ", n), fmt.Sprint("k-2 */* 9 ", n)}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if c.Header.Get("Idempotency-Key") != "k" || !strings.Contains(string(c.Body), `"n":3`) {
		t.Error("the client's call was changed")
	}
}

// TestFanOfWhatIsNone: answers that cannot be merged are told as such.
func TestFanOfWhatIsNone(t *testing.T) {
	d := dialects["openai-chat"]
	huge := strings.Replace(d.whole, "hi", strings.Repeat("x", maxWhole/2), 1)
	gz := func(*http.Request, []byte) (*http.Response, error) {
		a := answerOf(200, "application/json", "\x1f\x8b not for us")
		a.Header.Set("Content-Encoding", "gzip")
		return a, nil
	}
	for _, tt := range []struct {
		name   string
		up     upstream
		stream bool
		want   string
	}{
		{"together too large", replyWith(200, "application/json", huge), false, "larger than 16 MiB"},
		{"a whole answer in place of a stream", replyWith(200, "application/json", d.whole), true, "it sent no stream"},
		{"compressed", gz, false, "cannot be put together"},
		{"one crashes", func(*http.Request, []byte) (*http.Response, error) { panic("a defect") }, false, "the gateway failed"},
		{"one crashes", func(*http.Request, []byte) (*http.Response, error) { panic("a defect") }, true, "the gateway failed"},
	} {
		r := speaking(t, []string{"openai-chat"}, tt.up)
		r.vendor.quirks.Lacks = []string{"n"}
		log := r.logTo()
		w := newClient()
		r.do(context.Background(), w, r.several(d, 2, tt.stream))
		if w.status < 500 || !strings.Contains(w.text(), tt.want) || strings.Contains(w.text(), "choices") {
			t.Errorf("%s: %d %.300s", tt.name, w.status, w.text())
		}
		if x := r.ledger.last(); x.Fault == "" || r.ledger.count() != 1 {
			t.Errorf("%s: %+v", tt.name, x)
		}
		if crashed := strings.Contains(log.String(), "a request crashed"); crashed != strings.Contains(tt.name, "crash") {
			t.Errorf("%s: the log says %.500s", tt.name, log)
		}
	}
}

// TestFanBounds: of all candidates together no more attempts are made than of
// one request.
func TestFanBounds(t *testing.T) {
	var n atomic.Int64
	ups := make([]upstream, 60)
	names := make([]string, len(ups))
	for i := range ups {
		names[i] = protocol.Anthropic
		ups[i] = func(*http.Request, []byte) (*http.Response, error) { // which costs no try
			n.Add(1)
			return answerOf(401, "application/json", `{"type":"error","error":{"type":"authentication_error","message":"no"}}`), nil
		}
	}
	r := speaking(t, names, ups...)
	w := r.run(r.several(dialects["openai-chat"], 8, false))
	if x := r.ledger.last(); w.status == 200 || n.Load() > maxAttempts || len(x.Attempts) > maxAttempts {
		t.Errorf("%d after %d attempts, %d in the ledger", w.status, n.Load(), len(x.Attempts))
	}
}
