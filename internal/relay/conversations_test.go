package relay

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
)

// other sends a request that is no conversation's turn.
func (s *statefulRig) other(key, method, target, body string) *client {
	s.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	return s.run(&Call{
		Settings: s.settings, ID: "req_o" + string(rune('a'+s.ledger.count())), Start: time.Unix(1_700_000_000, 0), Codec: openairesponses.New(), Op: protocol.Other,
		Method: method, Path: path, Query: query, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body), Key: key,
		Model: func() string { m, _ := jsonedit.Unquote(jsonedit.Get([]byte(body), "model")); return m }(),
	})
}

// texts are the texts of a list of items, as "role text".
func texts(t *testing.T, list []byte) string {
	t.Helper()
	var out []string
	for e, err := range jsonedit.Elements(list) {
		if err != nil {
			t.Fatalf("%v in %s", err, list)
		}
		role, _ := jsonedit.Unquote(jsonedit.Get(e, "role"))
		text, _ := jsonedit.Unquote(jsonedit.Get(e, "content"))
		for part, err := range jsonedit.Elements(jsonedit.Get(e, "content")) {
			if err == nil {
				text, _ = jsonedit.Unquote(jsonedit.Get(part, "text"))
			}
		}
		out = append(out, role+" "+text)
	}
	return strings.Join(out, ", ")
}

func member(c *client, name string) string {
	s, _ := jsonedit.Unquote(jsonedit.Get(c.body.Bytes(), name))
	return s
}

// TestConversations: where no upstream has conversations, the gateway has them:
// a request that names one has all its items, which grow with each answer, for
// the key that made it and for no other (E15).
func TestConversations(t *testing.T) {
	for name, stream := range map[string]string{"whole": "", "stream": `,"stream":true`} {
		t.Run(name, func(t *testing.T) {
			reply := chatWhole
			if stream != "" {
				reply = chatStream
			}
			s := newStateful(t, []string{protocol.OpenAIChat}, reply)
			made := s.other("alice", "POST", "/conversations", `{"metadata":{"topic":"x"},"items":[{"role":"user","content":"before"}]}`)
			id := member(made, "id")
			if want := `{"id":"` + id + `","object":"conversation","created_at":1700000000,"metadata":{"topic":"x"}}`; made.status != 200 || made.text() != want || !strings.HasPrefix(id, "conv_") {
				t.Fatalf("%d %s, want %s", made.status, made.text(), want)
			}
			first := s.ask("alice", "POST", "/responses", `{"model":"m","input":"one","conversation":"`+id+`"`+stream+`}`)
			if !strings.Contains(first.text(), `"conversation":{"id":"`+id+`"}`) {
				t.Errorf("the answer does not tell its conversation: %s", first.text())
			}
			if c := s.other("alice", "POST", "/conversations/"+id+"/items", `{"items":[{"role":"user","content":"between"}]}`); c.status != 200 || texts(t, jsonedit.Get(c.body.Bytes(), "data")) != "user between" {
				t.Errorf("%d %s", c.status, c.text())
			}
			// Nobody keeps the answer itself, but the conversation has it.
			s.ask("alice", "POST", "/responses", `{"model":"m","input":[{"role":"user","content":"two"}],"conversation":{"id":"`+id+`"},"store":false`+stream+`}`)
			last := s.asked[len(s.asked)-1].body
			if got, want := texts(t, jsonedit.Get(last, "messages")), "user before, user one, assistant yes, user between, user two"; got != want {
				t.Errorf("the upstream was told %s\nwant %s", got, want)
			}
			const all = "user before, user one, assistant yes, user between, user two, assistant yes"
			list := s.other("alice", "GET", "/conversations/"+id+"/items?order=asc&limit=100", "")
			if got := texts(t, jsonedit.Get(list.body.Bytes(), "data")); got != all {
				t.Errorf("its items are %s\nwant %s", got, all)
			}
			newest := s.other("alice", "GET", "/conversations/"+id+"/items?limit=1", "")
			if got := texts(t, jsonedit.Get(newest.body.Bytes(), "data")); got != "assistant yes" || string(jsonedit.Get(newest.body.Bytes(), "has_more")) != "true" {
				t.Errorf("the last item is %s", newest.text())
			}
			item := member(list, "first_id")
			if c := s.other("alice", "GET", "/conversations/"+id+"/items/"+item, ""); !strings.Contains(c.text(), `"text":"before"`) || member(c, "id") != item {
				t.Errorf("%d %s", c.status, c.text())
			}
			asked := len(s.asked)
			for _, tc := range []struct {
				name, key, method, target, body string
				status                          int
				want                            string
			}{
				{"got", "alice", "GET", "/conversations/" + id, "", 200, made.text()},
				{"got by another", "bob", "GET", "/conversations/" + id, "", 404, "not found"},
				{"its items by another", "bob", "GET", "/conversations/" + id + "/items", "", 404, "not found"},
				{"changed by another", "bob", "POST", "/conversations/" + id, `{"metadata":{}}`, 404, "not found"},
				{"added to by another", "bob", "POST", "/conversations/" + id + "/items", `{"items":[]}`, 404, "not found"},
				{"deleted by another", "bob", "DELETE", "/conversations/" + id, "", 404, "not found"},
				{"unknown", "alice", "GET", "/conversations/conv_x", "", 404, `"code":"not_found"`},
				{"all", "alice", "GET", "/conversations", "", 404, "cannot be listed"},
				{"changed", "alice", "POST", "/conversations/" + id, `{"metadata":{"a":"b"}}`, 200, `"metadata":{"a":"b"}`},
				{"no metadata", "alice", "POST", "/conversations/" + id, `{"metadata":[]}`, 400, `"param":"metadata"`},
				{"much metadata", "alice", "POST", "/conversations/" + id, `{"metadata":{"a":"` + strings.Repeat("x", maxMetadata) + `"}}`, 400, `"param":"metadata"`},
				{"items that are none", "alice", "POST", "/conversations/" + id + "/items", `{"items":["x"]}`, 400, `"param":"items"`},
				{"too many items", "alice", "POST", "/conversations", `{"items":[` + strings.Repeat(`{},`, maxItems) + `{}]}`, 400, "at most 20"},
				{"a body that is none", "alice", "POST", "/conversations", `[]`, 400, "object"},
				{"an item that is not there", "alice", "GET", "/conversations/" + id + "/items/x", "", 404, "Item with id"},
				{"an item deleted", "alice", "DELETE", "/conversations/" + id + "/items/" + item, "", 200, `"object":"conversation"`},
				{"it is gone", "alice", "DELETE", "/conversations/" + id + "/items/" + item, "", 404, "Item with id"},
				{"something else", "alice", "PUT", "/conversations/" + id, "", 404, ""},
				{"empty", "alice", "POST", "/conversations", "", 200, `"metadata":{}`},
			} {
				if c := s.other(tc.key, tc.method, tc.target, tc.body); c.status != tc.status || !strings.Contains(c.text(), tc.want) {
					t.Errorf("%s: %d %s\nwant %d %s", tc.name, c.status, c.text(), tc.status, tc.want)
				}
			}
			for _, tc := range []struct {
				name, key, body string
				status          int
				want            string
			}{
				{"another's", "bob", `{"model":"m","input":"x","conversation":"` + id + `"}`, 404, "Conversation with id"},
				{"with an answer", "alice", `{"model":"m","input":"x","conversation":"` + id + `","previous_response_id":"resp_x"}`, 400, "mutually_exclusive"},
				{"no input", "alice", `{"model":"m","input":7,"conversation":"` + id + `"}`, 400, `"param":"input"`},
			} {
				if c := s.ask(tc.key, "POST", "/responses", tc.body); c.status != tc.status || !strings.Contains(c.text(), tc.want) {
					t.Errorf("%s: %d %s\nwant %d %s", tc.name, c.status, c.text(), tc.status, tc.want)
				}
			}
			if len(s.asked) != asked {
				t.Errorf("an upstream was asked %d times for what only the gateway has", len(s.asked)-asked)
			}
			list = s.other("alice", "GET", "/conversations/"+id+"/items?order=asc", "")
			if got := texts(t, jsonedit.Get(list.body.Bytes(), "data")); "user before, "+got != all {
				t.Errorf("without the first its items are %s", got)
			}
			if c := s.other("alice", "DELETE", "/conversations/"+id, ""); c.text() != `{"id":"`+id+`","object":"conversation.deleted","deleted":true}` {
				t.Errorf("%d %s", c.status, c.text())
			}
			if c := s.ask("alice", "POST", "/responses", `{"model":"m","input":"x","conversation":"`+id+`"}`); c.status != 404 {
				t.Errorf("%d %s", c.status, c.text())
			}
			if x := s.ledger.last(); x.Fault == "" || x.Status != 404 {
				t.Errorf("the ledger has %+v", x)
			}
		})
	}
}

// quirky gives the accounts quirks, in their order.
func (s *statefulRig) quirky(quirks ...provider.Quirks) {
	for i := range quirks {
		s.all[i].By = &vendor{quirks: quirks[i]}
	}
	s.pool.Set(s.all)
}

// TestConversationsAfar: where an upstream has conversations itself, they are
// made, changed and continued there and nowhere else, and by nobody but the key
// that made them.
func TestConversationsAfar(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIResponses, protocol.OpenAIResponses}, `{"id":"conv_afar","object":"conversation"}`, nativeWhole)
	s.quirky(provider.Quirks{Bare: true}, provider.Quirks{})
	if c := s.other("alice", "POST", "/conversations", `{"items":[]}`); c.status != 200 || member(c, "id") != "conv_afar" {
		t.Fatalf("%d %s", c.status, c.text())
	}
	next := `{"model":"m","input":"two","conversation":"conv_afar"}`
	for _, tc := range []struct {
		name, key, method, target, body string
		account                         string // "": nobody is asked
		status                          int
	}{
		{"made", "alice", "POST", "/conversations", `{}`, "b", 200},
		{"continued", "alice", "POST", "/responses", next, "b", 200},
		{"got", "alice", "GET", "/conversations/conv_afar", "", "b", 200},
		{"listed", "alice", "GET", "/conversations/conv_afar/items", "", "b", 200},
		{"unknown", "alice", "GET", "/conversations/conv_other", "", "b", 200},
		{"unknown, continued", "alice", "POST", "/responses", `{"model":"m","input":"x","conversation":"conv_other"}`, "b", 200},
		{"got by another", "bob", "GET", "/conversations/conv_afar", "", "", 404},
		{"continued by another", "bob", "POST", "/responses", next, "", 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := len(s.rig.asked)
			var c *client
			if tc.target == "/responses" {
				c = s.ask(tc.key, tc.method, tc.target, tc.body)
			} else {
				c = s.other(tc.key, tc.method, tc.target, tc.body)
			}
			if got := strings.Join(s.rig.asked[n:], " "); got != tc.account || c.status != tc.status {
				t.Errorf("%q was asked, %d %s; want %q, %d", got, c.status, c.text(), tc.account, tc.status)
			}
			if tc.account != "" && string(s.asked[len(s.asked)-1].body) != tc.body {
				t.Errorf("the account was asked %s", s.asked[len(s.asked)-1].body)
			}
		})
	}
}

// TestForgetful: an upstream that speaks the client's protocol and keeps
// nothing is asked with everything in the request, and its answers are kept
// here, byte for byte.
func TestForgetful(t *testing.T) {
	const stream = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_home\"}}\n\n" +
		"event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"msg_1\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"yes\"}]}}\n\n" +
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_home\",\"status\":\"completed\"}}\n\n"
	for name, reply := range map[string]string{"whole": nativeWhole, "stream": stream} {
		t.Run(name, func(t *testing.T) {
			streamed := ""
			if name == "stream" {
				streamed = `,"stream":true`
			}
			s := newStateful(t, []string{protocol.OpenAIResponses}, reply)
			s.quirky(provider.Quirks{Forgetful: true, Bare: true})
			first := s.ask("k", "POST", "/responses", `{"model":"m","input":"one"`+streamed+`}`)
			if first.text() != reply || string(s.asked[0].body) != `{"model":"m","input":"one"`+streamed+`}` {
				t.Errorf("not every byte was carried: %s\n%s", s.asked[0].body, first.text())
			}
			s.ask("k", "POST", "/responses", `{"model":"m","input":"two","previous_response_id":"resp_home"`+streamed+`}`)
			got := s.asked[1].body
			if jsonedit.Get(got, "previous_response_id") != nil || texts(t, jsonedit.Get(got, "input")) != "user one, assistant yes, user two" {
				t.Errorf("the upstream was asked %s", got)
			}
			if c := s.other("k", "GET", "/responses/resp_home", ""); c.status != 200 || !bytes.Contains(c.body.Bytes(), []byte(`"status":"completed"`)) {
				t.Errorf("%d %s", c.status, c.text())
			}
			conv := member(s.other("k", "POST", "/conversations", `{}`), "id")
			for range 2 {
				s.ask("k", "POST", "/responses", `{"model":"m","input":"x","store":false,"conversation":"`+conv+`"`+streamed+`}`)
			}
			if got := s.asked[len(s.asked)-1].body; texts(t, jsonedit.Get(got, "input")) != "user x, assistant yes, user x" || jsonedit.Get(got, "conversation") != nil {
				t.Errorf("the upstream was asked %s", got)
			}
			n := len(s.asked)
			for _, body := range []string{`{"model":"m","input":"x","previous_response_id":"resp_none"}`, `{"model":"m","input":"x","conversation":"conv_none"}`} {
				// It would answer another question than was asked.
				if c := s.ask("k", "POST", "/responses", body); c.status < 400 || len(s.asked) != n {
					t.Errorf("%s: %d %s", body, c.status, c.text())
				}
			}
			if c := s.other("k", "GET", "/responses/resp_none", ""); c.status != 404 || len(s.asked) != n {
				t.Errorf("%d %s", c.status, c.text())
			}
			if account, _ := s.relay.homes.Get("k", "resp_home"); account != "" {
				t.Errorf("%s is thought to have it", account)
			}
		})
	}
	s := newStateful(t, []string{protocol.OpenAIResponses}, nativeWhole)
	s.quirky(provider.Quirks{Forgetful: true})
	s.ask("k", "POST", "/responses", `{"model":"m","input":"one","store":false}`)
	if s.relay.kept.Thread("k", "resp_home") != nil {
		t.Error("an answer is kept that was not to be")
	}
	s.quirky(provider.Quirks{})
	s.ask("k", "POST", "/responses", `{"model":"m","input":"one","store": false}`)
	if account, _ := s.relay.homes.Get("k", "resp_home"); account != "" {
		t.Error("it is noted where an answer is that nobody keeps")
	}
}
