package relay

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/responses"
	"portico/internal/sse"
)

// slow makes a stream whose pieces come a second apart.
func slow(parts ...string) upstream {
	return func(*http.Request, []byte) (*http.Response, error) {
		r := answerOf(200, eventStream, parts...)
		r.Body.(*scripted).pause = time.Second
		return r, nil
	}
}

// events are the types of the events that a client got, with their numbers, and
// the response in the last.
func events(t *testing.T, c *client) (all string, last []byte) {
	t.Helper()
	var out []string
	var cut sse.Cutter
	for rest := []byte(c.text()); len(rest) > 0; {
		n := cut.Cut(rest)
		if n == 0 {
			t.Fatalf("half an event: %s", rest)
		}
		if data := sse.Parse(rest[:n]).Data; data != nil {
			kind, _ := jsonedit.Unquote(jsonedit.Get(data, "type"))
			out = append(out, string(jsonedit.Get(data, "sequence_number"))+" "+strings.TrimPrefix(kind, "response."))
			last = jsonedit.Get(data, "response")
		}
		rest = rest[n:]
	}
	return strings.Join(out, ", "), last
}

func status(object []byte) string {
	s, _ := jsonedit.Unquote(jsonedit.Get(object, "status"))
	return s
}

const chatEvents = "0 created, 1 queued, 2 in_progress, 3 output_item.added, 4 content_part.added, 5 output_text.delta, " +
	"6 output_text.done, 7 content_part.done, 8 output_item.done, 9 completed"

// TestBackground: a response is made while its client is away, which can ask
// how it stands, follow it from any event on, and have it when it is there. It
// costs one exchange (E15).
func TestBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStateful(t, []string{protocol.OpenAIChat}, "")
		s.all[0].Way = slow(strings.SplitAfter(chatStream, "\n\n")...)
		s.pool.Set(s.all)
		made := s.ask("k", "POST", "/responses", `{"model":"m","input":"one","instructions":"be brief","background":true}`)
		id := idOf(t, made)
		if made.status != 200 || status(made.body.Bytes()) != "queued" || string(jsonedit.Get(made.body.Bytes(), "background")) != "true" || string(jsonedit.Get(made.body.Bytes(), "output")) != "[]" {
			t.Fatalf("%d %s", made.status, made.text())
		}
		get := func(target string) *client { return s.other("k", "GET", "/responses/"+id+target, "") }
		time.Sleep(1500 * time.Millisecond)
		if c := get(""); status(c.body.Bytes()) != "in_progress" || idOf(t, c) != id {
			t.Errorf("%d %s", c.status, c.text())
		}
		if items := get("/input_items"); !strings.Contains(items.text(), `"text":"one"`) {
			t.Errorf("%d %s", items.status, items.text())
		}
		if c := s.other("bob", "GET", "/responses/"+id, ""); c.status != 404 {
			t.Errorf("another has it: %d %s", c.status, c.text())
		}
		streamed := get("?stream=true") // waits for its end
		all, last := events(t, streamed)
		if all != chatEvents || status(last) != "completed" || idOf(t, streamed) != id || streamed.sent.Get("Content-Type") == "" {
			t.Errorf("it was told as %s\nwant %s\n%s", all, chatEvents, streamed.text())
		}
		if all, _ := events(t, get("?stream=true&starting_after=5")); all != chatEvents[strings.Index(chatEvents, "6 "):] {
			t.Errorf("from there on: %s", all)
		}
		done := get("")
		if status(done.body.Bytes()) != "completed" || !strings.Contains(done.text(), `"text":"yes"`) || string(jsonedit.Get(done.body.Bytes(), "background")) != "true" {
			t.Errorf("%d %s", done.status, done.text())
		}
		if c := s.other("k", "POST", "/responses/"+id+"/cancel", ""); c.text() != done.text() {
			t.Errorf("cancelled when it is there: %s", c.text())
		}
		next := s.ask("k", "POST", "/responses", `{"model":"m","input":"two","stream":true,"previous_response_id":"`+id+`"}`)
		if !strings.Contains(next.text(), "response.completed") {
			t.Errorf("it cannot be continued: %s", next.text())
		}
		n := 0
		for _, x := range s.ledger.all {
			if x.ID == strings.TrimPrefix(id, "resp_") {
				n++
				if x.Account != "a" || x.Stop == "" && !x.Open {
					t.Errorf("the ledger has %+v", x)
				}
			}
		}
		if n == 0 {
			t.Error("the ledger does not have it")
		}
		if c := get("?stream=true&starting_after=x"); c.status != 400 || !strings.Contains(c.text(), "starting_after") {
			t.Errorf("%d %s", c.status, c.text())
		}
		time.Sleep(time.Hour)
		if c := get("?stream=true"); c.status != 400 {
			t.Errorf("long afterwards: %d %s", c.status, c.text())
		}
		if c := get(""); status(c.body.Bytes()) != "completed" {
			t.Errorf("long afterwards: %d %s", c.status, c.text())
		}
	})
}

// TestBackgroundStreamed: a client may follow at once, and leave; the response
// is made nevertheless, and in its conversation.
func TestBackgroundStreamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStateful(t, []string{protocol.OpenAIChat}, "")
		s.all[0].Way = slow(strings.SplitAfter(chatStream, "\n\n")...)
		s.pool.Set(s.all)
		conv := member(s.other("k", "POST", "/conversations", `{}`), "id")
		body := `{"model":"m","input":"one","background":true,"stream":true,"conversation":"` + conv + `"}`
		c := s.ask("k", "POST", "/responses", body)
		if all, _ := events(t, c); all != chatEvents {
			t.Errorf("it was told as %s\nwant %s", all, chatEvents)
		}
		w := newClient()
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			time.Sleep(1500 * time.Millisecond)
			leave()
		}()
		in := &Call{
			Settings: s.settings, ID: "req_leaves", Start: time.Now(), Codec: allCodecs[1], Op: protocol.Chat, Model: "m", Stream: true,
			Method: "POST", Path: "/responses", Header: http.Header{}, Body: []byte(body), Key: "k",
		}
		if !s.do(ctx, w, in) || strings.Contains(w.text(), "response.completed") {
			t.Error("the client did not leave")
		}
		time.Sleep(10 * time.Second)
		if c := s.other("k", "GET", "/responses/resp_req_leaves", ""); status(c.body.Bytes()) != "completed" {
			t.Errorf("%d %s", c.status, c.text())
		}
		items := s.other("k", "GET", "/conversations/"+conv+"/items?order=asc", "")
		if got, want := texts(t, jsonedit.Get(items.body.Bytes(), "data")), "user one, assistant yes, user one, assistant yes"; got != want {
			t.Errorf("the conversation is %s, want %s", got, want)
		}
	})
}

// TestBackgroundEnds: a response that is cancelled, deleted or fails says so,
// and nothing goes on that nobody wants.
func TestBackgroundEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		up   upstream
		act  func(s *statefulRig, id string)
		want string // the status
		code string
	}{
		{"cancelled", hanging(strings.SplitAfter(chatStream, "\n\n")[0]), func(s *statefulRig, id string) {
			if c := s.other("k", "POST", "/responses/"+id+"/cancel", ""); status(c.body.Bytes()) != "cancelled" {
				s.t.Errorf("%d %s", c.status, c.text())
			}
		}, "cancelled", ""},
		{"deleted", hanging(strings.SplitAfter(chatStream, "\n\n")[0]), func(s *statefulRig, id string) {
			s.other("k", "DELETE", "/responses/"+id, "")
		}, "", ""},
		{"refused", replyWith(400, "application/json", `{"error":{"message":"no such thing","type":"invalid_request_error"}}`), nil, "failed", "invalid_prompt"},
		{"limited", replyWith(429, "application/json", slowDown), nil, "failed", "rate_limit_exceeded"},
		{"broken", streaming(strings.SplitAfter(chatStream, "\n\n")[0]), nil, "failed", "upstream_error"},
		{"stopped", hanging(strings.SplitAfter(chatStream, "\n\n")[0]), func(s *statefulRig, _ string) {
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
			defer cancel()
			s.relay.Drain(ctx)
		}, "failed", "overloaded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStateful(t, []string{protocol.OpenAIChat}, "")
				s.all[0].Way = tc.up
				s.pool.Set(s.all)
				id := idOf(t, s.ask("k", "POST", "/responses", `{"model":"m","input":"one","background":true}`))
				synctest.Wait()
				if tc.act != nil {
					tc.act(s, id)
				}
				time.Sleep(10 * time.Second)
				for i, past := range []*responses.Jobs{nil, responses.NewJobs(time.Now)} { // the next process has no jobs
					if past != nil {
						s.relay.jobs = past
					}
					c := s.other("k", "GET", "/responses/"+id, "")
					code, _ := jsonedit.Unquote(jsonedit.Path(c.body.Bytes(), "error", "code"))
					if tc.want == "" && c.status != 404 || tc.want != "" && (status(c.body.Bytes()) != tc.want || code != tc.code) {
						t.Errorf("process %d: %d %s\nwant %s %s", i, c.status, c.text(), tc.want, tc.code)
					}
				}
				if tc.name == "stopped" {
					if c := s.ask("k", "POST", "/responses", `{"model":"m","input":"x"}`); c.status == 0 {
						t.Error("nothing is served")
					}
				}
			})
		})
	}
}

// TestBackgroundLost: what was to come when the process ended has failed.
func TestBackgroundLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStateful(t, []string{protocol.OpenAIChat}, "")
		s.all[0].Way = hanging()
		s.pool.Set(s.all)
		id := idOf(t, s.ask("k", "POST", "/responses", `{"model":"m","input":"one","background":true}`))
		jobs := s.relay.jobs
		s.relay.jobs = responses.NewJobs(time.Now)
		if c := s.other("k", "GET", "/responses/"+id, ""); status(c.body.Bytes()) != "failed" || !strings.Contains(c.text(), "stopped") {
			t.Errorf("%d %s", c.status, c.text())
		}
		jobs.Drop("k", id, errUnwanted)
	})
}

// TestBackgroundRefused: what cannot be made in the background is refused, and
// an upstream that can do it is asked to.
func TestBackgroundRefused(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIChat}, chatStream)
	for _, tc := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"not stored", `{"model":"m","input":"x","background":true,"store":false}`, 400, `"param":"background"`},
		{"unknown conversation", `{"model":"m","input":"x","background":true,"previous_response_id":"resp_x"}`, 400, "previous_response_not_found"},
		{"no input", `{"model":"m","input":7,"background":true}`, 400, `"input`},
	} {
		if c := s.ask("k", "POST", "/responses", tc.body); c.status != tc.status || !strings.Contains(c.text(), tc.want) {
			t.Errorf("%s: %d %s\nwant %d %s", tc.name, c.status, c.text(), tc.status, tc.want)
		}
	}
	full := s.relay.jobs
	for i := range responses.MaxJobs {
		full.Begin("x", strings.Repeat("x", i+1), []byte("{}"), func(error) {}, func([]byte) {})
	}
	if c := s.ask("k", "POST", "/responses", `{"model":"m","input":"x","background":true}`); c.status != 503 || c.sent.Get("Retry-After") == "" {
		t.Errorf("more than may be: %d %s", c.status, c.text())
	}
	if len(s.asked) != 0 {
		t.Errorf("an upstream was asked %s", s.asked[0].body)
	}
	s = newStateful(t, []string{protocol.OpenAIResponses, protocol.OpenAIResponses}, nativeWhole)
	s.quirky(provider.Quirks{Bare: true}, provider.Quirks{})
	body := `{"model":"m","input":"x","background":true}`
	if c := s.ask("k", "POST", "/responses", body); c.text() != nativeWhole || string(s.asked[0].body) != body || s.rig.asked[0] != "b" {
		t.Errorf("%s was asked %s, and the client told %s", s.rig.asked, s.asked[0].body, c.text())
	}
}
