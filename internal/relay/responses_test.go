package relay

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/openairesponses"
	"portico/internal/responses"
	"portico/internal/route"
	"portico/internal/secret"
	"portico/internal/sse"
)

// A stateful rig keeps answers for clients of OpenAI's Responses.
type statefulRig struct {
	*rig
	t     *testing.T
	asked []seen
}

// newStateful makes one whose accounts, named a, b …, each speak one protocol
// and answer in turn with replies.
func newStateful(t *testing.T, protocols []string, replies ...string) *statefulRig {
	s := &statefulRig{t: t}
	next := func(out *http.Request, body []byte) (*http.Response, error) {
		s.asked = append(s.asked, seen{out.URL.Path, out.URL.RawQuery, bytes.Clone(body), out.Header.Clone()})
		reply := replies[min(len(s.asked), len(replies))-1]
		kind := "application/json"
		if strings.HasPrefix(reply, "data:") || strings.HasPrefix(reply, "event:") {
			kind = eventStream
		}
		status := http.StatusOK
		if jsonedit.Get([]byte(reply), "error") != nil && kind != eventStream {
			status = http.StatusTooManyRequests
		}
		return answerOf(status, kind, reply), nil
	}
	ups := make([]upstream, len(protocols))
	for i := range ups {
		ups[i] = next
	}
	s.rig = speaking(t, protocols, ups...)
	s.relay = New(Options{
		Pool: s.pool, Record: s.ledger, Hop: "hop0123456789abcdef", Agent: "Portico/test", Codecs: allCodecs,
		Responses: responses.New(responses.Limits{Entries: 100, Bytes: 1 << 20}, time.Now), Homes: responses.NewHomes(1000),
		Sealer: secret.NewSealer(filepath.Join(t.TempDir(), "key")),
	})
	return s
}

// ask sends a request as the client key does. Its id is made of n, so that
// answers have ids of their own.
func (s *statefulRig) ask(key, method, target, body string) *client {
	s.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	c := &Call{
		Settings: s.settings, ID: "req_" + string(rune('a'+s.ledger.count())), Start: time.Now(), Codec: openairesponses.New(),
		Method: method, Path: path, Query: query, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body), Key: key,
	}
	if method == http.MethodPost {
		c.Op, c.Model = protocol.Chat, "m"
		c.Stream = string(jsonedit.Get(c.Body, "stream")) == "true"
	} else {
		c.Op, c.Body = protocol.Other, nil
	}
	return s.run(c)
}

// idOf is the id of the response that a client got, whole or streamed.
func idOf(t *testing.T, c *client) string {
	t.Helper()
	body := c.body.Bytes()
	if i := bytes.Index(body, []byte("event: response.completed")); i >= 0 {
		body = jsonedit.Get(sse.Parse(body[i:]).Data, "response")
	}
	id, ok := jsonedit.Unquote(jsonedit.Get(body, "id"))
	if !ok {
		t.Fatalf("%d %s has no id", c.status, c.text())
	}
	return id
}

const (
	chatWhole  = `{"id":"same","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	chatStream = `data: {"id":"same","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"yes"},"finish_reason":null}]}

data: {"id":"same","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

`
)

// TestContinued: an answer of an upstream without a memory can be continued by
// its id, over as many turns as one likes, whole and streamed, also where the
// upstream calls all answers the same (E14).
func TestContinued(t *testing.T) {
	for name, reply := range map[string]string{"whole": chatWhole, "stream": chatStream} {
		t.Run(name, func(t *testing.T) {
			stream := ""
			if name == "stream" {
				stream = `,"stream":true`
			}
			s := newStateful(t, []string{protocol.OpenAIChat}, reply)
			first := idOf(t, s.ask("k", "POST", "/responses", `{"model":"m","instructions":"be brief","input":"one"`+stream+`}`))
			second := s.ask("k", "POST", "/responses", `{"model":"m","previous_response_id":"`+first+`","input":[{"role":"user","content":"two"}]`+stream+`}`)
			if !strings.Contains(second.text(), `"previous_response_id":"`+first+`"`) || !strings.Contains(second.text(), `"store":true`) {
				t.Errorf("the answer does not tell what it continues and that it is kept:\n%s", second.text())
			}
			third := s.ask("k", "POST", "/responses", `{"model":"m","previous_response_id":"`+idOf(t, second)+`","input":"three","instructions":"be long"`+stream+`}`)
			if third.status != 200 {
				t.Fatalf("%d %s", third.status, third.text())
			}
			var req struct {
				Messages []struct {
					Role    string         `json:"role"`
					Content jsontext.Value `json:"content"`
				} `json:"messages"`
				Previous jsontext.Value `json:"previous_response_id"`
			}
			if err := json.Unmarshal(s.asked[2].body, &req); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range req.Messages {
				got = append(got, m.Role+" "+string(m.Content))
			}
			// Instructions are not inherited.
			const yes = `assistant [{"type":"text","text":"yes"}]`
			want := `system "be long"|user "one"|` + yes + `|user "two"|` + yes + `|user "three"`
			if joined := strings.Join(got, "|"); joined != want || req.Previous != nil {
				t.Errorf("the upstream was told\n %s\nwant\n %s", joined, want)
			}
		})
	}
}

// TestKept: what is kept can be fetched, listed and deleted, by nobody but the
// key that it was made for, and store:false keeps nothing (E15).
func TestKept(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIChat}, chatWhole)
	made := s.ask("alice", "POST", "/responses", `{"model":"m","input":"one"}`)
	id := idOf(t, made)
	second := idOf(t, s.ask("alice", "POST", "/responses", `{"model":"m","input":"two","previous_response_id":"`+id+`"}`))
	loose := idOf(t, s.ask("alice", "POST", "/responses", `{"model":"m","input":"one","store":false}`))
	asked := len(s.asked)

	for _, tc := range []struct {
		name, key, method, target, body string
		status                          int
		want                            string
	}{
		{"fetched", "alice", "GET", "/responses/" + id, "", 200, made.text()},
		{"listed", "alice", "GET", "/responses/" + second + "/input_items?order=asc&limit=2", "", 200, `"text":"one"`},
		{"in the background", "alice", "GET", "/responses/" + id + "?stream=true", "", 400, "background"},
		{"cancelled", "alice", "POST", "/responses/" + id + "/cancel", "", 400, "background"},
		{"by another", "bob", "GET", "/responses/" + id, "", 503, ""},
		{"its items by another", "bob", "GET", "/responses/" + id + "/input_items", "", 503, ""},
		{"deleted by another", "bob", "DELETE", "/responses/" + id, "", 503, ""},
		{"continued by another", "bob", "POST", "/responses", `{"model":"m","input":"x","previous_response_id":"` + id + `"}`, 400, `"code":"previous_response_not_found"`},
		{"continued by nobody", "", "POST", "/responses", `{"model":"m","input":"x","previous_response_id":"` + id + `"}`, 400, `"param":"previous_response_id"`},
		{"not kept", "alice", "POST", "/responses", `{"model":"m","input":"x","previous_response_id":"` + loose + `"}`, 400, `"code":"previous_response_not_found"`},
		{"not kept, fetched", "alice", "GET", "/responses/" + loose, "", 503, ""},
		{"deleted", "alice", "DELETE", "/responses/" + id, "", 200, `{"id":"` + id + `","object":"response","deleted":true}`},
		{"fetched when gone", "alice", "GET", "/responses/" + id, "", 503, ""},
		{"continued when gone", "alice", "POST", "/responses", `{"model":"m","input":"x","previous_response_id":"` + id + `"}`, 400, "previous_response_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c *client
			if tc.method == "POST" && tc.body == "" {
				c = s.run(&Call{Settings: s.settings, ID: "req_x", Start: time.Now(), Codec: openairesponses.New(), Op: protocol.Other, Method: "POST", Path: tc.target, Header: http.Header{}, Key: tc.key})
			} else {
				c = s.ask(tc.key, tc.method, tc.target, tc.body)
			}
			if ok := c.status == tc.status || tc.status == 503 && c.status >= 400; !ok || !strings.Contains(c.text(), tc.want) {
				t.Errorf("%d %s\nwant %d %s", c.status, c.text(), tc.status, tc.want)
			}
		})
	}
	if len(s.asked) != asked {
		t.Errorf("an upstream was asked %d times for what only the gateway has", len(s.asked)-asked)
	}
	if c := s.ask("alice", "POST", "/responses", `{"model":"m","input":"x","previous_response_id":"`+second+`"}`); c.status != 200 {
		t.Errorf("what went on from a deleted answer is gone, too: %s", c.text())
	}
}

const (
	nativeWhole = `{"id":"resp_home","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"yes","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`
	slowDown    = `{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}`
)

// TestHome: an answer that an account keeps itself is continued, fetched and
// deleted there and nowhere else, and by nobody but the key that it was made
// for.
func TestHome(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIResponses, protocol.OpenAIResponses}, nativeWhole)
	accounts := s.accounts()
	accounts[0].Disabled = true
	s.pool.Set(accounts)
	s.ask("alice", "POST", "/responses", `{"model":"m","input":"one"}`) // b answers
	s.pool.Set(s.all)                                                   // a would be the first
	next := `{"model":"m","input":"two","previous_response_id":"resp_home"}`
	for _, tc := range []struct {
		name, key, method, target, body string
		account                         string // "": nobody is asked
		status                          int
	}{
		{"continued", "alice", "POST", "/responses", next, "b", 200},
		{"fetched", "alice", "GET", "/responses/resp_home", "", "b", 200},
		{"listed", "alice", "GET", "/responses/resp_home/input_items", "", "b", 200},
		{"unknown", "alice", "GET", "/responses/resp_other", "", "a", 200},
		{"by another", "bob", "GET", "/responses/resp_home", "", "", 404},
		{"deleted by another", "bob", "DELETE", "/responses/resp_home", "", "", 404},
		{"continued by another", "bob", "POST", "/responses", next, "", 400},
		{"deleted", "alice", "DELETE", "/responses/resp_home", "", "b", 200},
		// An item that no answer here holds is left to the account.
		{"a reference", "bob", "POST", "/responses", `{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}`, "a", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := len(s.rig.asked)
			c := s.ask(tc.key, tc.method, tc.target, tc.body)
			if got := strings.Join(s.rig.asked[n:], " "); got != tc.account || c.status != tc.status {
				t.Errorf("%q was asked, %d %s; want %q, %d", got, c.status, c.text(), tc.account, tc.status)
			}
			if tc.method == "POST" && tc.account != "" && string(s.asked[len(s.asked)-1].body) != tc.body {
				t.Errorf("the account was asked %s", s.asked[len(s.asked)-1].body)
			}
		})
	}

	accounts = s.accounts()
	accounts[1].Disabled = true
	s.pool.Set(accounts)
	n := len(s.rig.asked)
	if c := s.ask("alice", "GET", "/responses/resp_home", ""); c.status < 400 || len(s.rig.asked) != n {
		t.Errorf("%d: another account was asked for what it cannot have", c.status)
	}
	if c := s.ask("alice", "POST", "/responses", next); c.status != 200 {
		t.Errorf("%d: while the account is off, nobody is asked to go on, who would say it better: %s", c.status, c.text())
	}
}

// TestMovesHome: what began at another protocol's upstream goes on at one of
// OpenAI's own, which gets the conversation and no id that it does not know.
func TestMovesHome(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIChat, protocol.OpenAIResponses}, chatWhole, nativeWhole)
	accounts := s.accounts()
	accounts[1].Disabled = true
	s.pool.Set(accounts)
	id := idOf(t, s.ask("k", "POST", "/responses", `{"model":"m","input":"one"}`))
	s.pool.Set(s.all)
	c := s.ask("k", "POST", "/responses", `{"model":"m","input":"two","previous_response_id":"`+id+`"}`)
	got := s.asked[len(s.asked)-1]
	if c.status != 200 || got.path != "/responses" || jsonedit.Get(got.body, "previous_response_id") != nil ||
		!bytes.Contains(got.body, []byte(`"text":"one"`)) || !bytes.Contains(got.body, []byte(`"yes"`)) || !bytes.Contains(got.body, []byte(`"text":"two"`)) {
		t.Errorf("%d; %s was asked %s", c.status, got.path, got.body)
	}
}

// TestReferences: items of an answer that is kept may be named in the place of
// being sent, and what is sent although it is kept is not doubled (E14).
func TestReferences(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIChat}, chatWhole)
	made := s.ask("k", "POST", "/responses", `{"model":"m","input":"one"}`)
	var response struct {
		ID     string `json:"id"`
		Output []struct {
			ID string `json:"id"`
		} `json:"output"`
	}
	if err := json.Unmarshal(made.body.Bytes(), &response); err != nil || len(response.Output) != 1 {
		t.Fatalf("%v in %s", err, made.text())
	}
	item := response.Output[0].ID
	for _, tc := range []struct {
		name, key, body string
		status          int
	}{
		{"a reference", "k", `{"model":"m","input":[{"role":"user","content":"one"},{"type":"item_reference","id":"` + item + `"},{"role":"user","content":"two"}]}`, 200},
		{"a reference to what is there", "k", `{"model":"m","previous_response_id":"` + response.ID + `","input":[{"type":"item_reference","id":"` + item + `"},{"role":"user","content":"two"}]}`, 200},
		{"sent twice", "k", `{"model":"m","previous_response_id":"` + response.ID + `","input":[{"type":"message","id":"` + item + `","role":"assistant","content":"yes"},{"role":"user","content":"two"}]}`, 200},
		{"another's", "x", `{"model":"m","input":[{"type":"item_reference","id":"` + item + `"}]}`, 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := len(s.asked)
			c := s.ask(tc.key, "POST", "/responses", tc.body)
			if c.status != tc.status {
				t.Fatalf("%d %s", c.status, c.text())
			}
			if tc.status != 200 {
				return
			}
			if got := string(s.asked[n].body); strings.Count(got, `"yes"`) != 1 || strings.Count(got, `"one"`) != 1 || strings.Count(got, `"two"`) != 1 {
				t.Errorf("the upstream was asked %s", got)
			}
		})
	}
}

// TestNothingKept: an answer that broke off cannot be continued.
func TestNothingKept(t *testing.T) {
	half, _, _ := strings.Cut(chatStream, "data: {\"id\":\"same\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},")
	s := newStateful(t, []string{protocol.OpenAIChat}, half, slowDown)
	c := s.ask("k", "POST", "/responses", `{"model":"m","input":"one","stream":true}`)
	if !strings.Contains(c.text(), "response.failed") {
		t.Fatalf("it did not break off: %s", c.text())
	}
	if got := s.relay.kept.Thread("k", "resp_req_a"); got != nil {
		t.Error("it is kept")
	}
}

// TestNativeByRoute: what an upstream has itself is asked of those who serve the
// model that a route makes of the client's.
func TestNativeByRoute(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIResponses, protocol.OpenAIChat}, nativeWhole)
	s.all[0], s.all[1] = only(s.all[0], "big"), only(s.all[1], "small", "mine")
	s.pool.Set(s.all)
	s.routes(route.Rule{Match: "m", To: []string{"big"}})
	body := `{"model":"m","input":[{"type":"compaction_trigger"}]}`
	if s.ask("k", "POST", "/responses", body); len(s.asked) != 1 || s.rig.asked[0] != "a" || !strings.Contains(string(s.asked[0].body), "compaction_trigger") {
		t.Errorf("%v were asked", s.rig.asked)
	}
}
