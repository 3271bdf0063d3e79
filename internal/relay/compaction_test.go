package relay

import (
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/provider"
	"portico/internal/responses"
)

// replies are answers that say yes, by protocol and whether it is a stream.
var replies = map[string][2]string{
	protocol.OpenAIChat:      {chatWhole, chatStream},
	protocol.OpenAIResponses: {nativeWhole, "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + nativeWhole + "}\n\n"},
	protocol.Anthropic: {
		`{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`,
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" +
			"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"yes\"}}\n\n" +
			"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n" +
			"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	},
	protocol.Gemini: {
		`{"candidates":[{"content":{"role":"model","parts":[{"text":"yes"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`,
		"data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"yes\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":1,\"totalTokenCount\":2}}\n\n",
	},
}

const demand = `{"type":"compaction_trigger"}`

// TestCompaction: a demand at the end of the input has the conversation written
// down by any upstream's model. The client gets exactly one item, sealed, as
// Codex demands it; a model that gets the item back reads what was written (B26).
func TestCompaction(t *testing.T) {
	for proto, both := range replies {
		for i, stream := range []string{"", `,"stream":true`} {
			t.Run(proto+stream, func(t *testing.T) {
				s := newStateful(t, []string{proto}, both[i])
				s.quirky(provider.Quirks{Bare: true, Forgetful: true})
				c := s.ask("k", "POST", "/responses", `{"model":"m","input":[{"role":"user","content":"one"},`+demand+`],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]`+stream+`}`)
				asked := string(s.asked[0].body)
				if !strings.Contains(asked, string(jsonedit.Quote(nil, responses.Ask))) || !strings.Contains(asked, `"one"`) || strings.Contains(asked, "compaction_trigger") || !strings.Contains(asked, `"f"`) {
					t.Errorf("the upstream was asked %s", asked)
				}
				body := c.body.Bytes()
				if stream != "" {
					all, last := events(t, c)
					if want := "0 created, 1 in_progress, 2 output_item.added, 3 output_item.done, 4 completed"; all != want {
						t.Errorf("it was told as %s\nwant %s\n%s", all, want, c.text())
					}
					body = last
				}
				var items []string
				for e := range jsonedit.Elements(jsonedit.Get(body, "output")) {
					items = append(items, string(e))
				}
				if c.status != 200 || len(items) != 1 || !strings.HasPrefix(items[0], `{"id":"cmp_req_`) || !strings.Contains(items[0], `"type":"compaction","encrypted_content":"ptc1-`) || strings.Contains(c.text(), "yes") {
					t.Fatalf("%d %s", c.status, c.text())
				}
				if status(body) != "completed" || both[i] != chatStream && !strings.Contains(string(body), `"total_tokens":2`) {
					t.Errorf("the response is %s", body)
				}

				// Codex sends what it kept, the item, and goes on; others name the answer.
				for _, next := range []string{
					`{"model":"m","input":[{"role":"user","content":"one"},` + items[0] + `,{"role":"user","content":"two"}]` + stream + `}`,
					`{"model":"m","input":[{"role":"user","content":"two"}],"previous_response_id":"` + idOf(t, c) + `"` + stream + `}`,
				} {
					n := len(s.asked)
					if c := s.ask("k", "POST", "/responses", next); c.status != 200 {
						t.Fatalf("%d %s", c.status, c.text())
					}
					got := string(s.asked[n].body)
					if !strings.Contains(got, `what was written down:\n\nyes"`) || !strings.Contains(got, `"two"`) || strings.Contains(got, "ptc1-") || strings.Contains(got, "one") != strings.Contains(next, "one") {
						t.Errorf("the upstream was asked %s", got)
					}
				}
				if c := s.ask("bob", "POST", "/responses", `{"model":"m","input":[`+items[0]+`]}`); c.status != 400 || !strings.Contains(c.text(), `"code":"invalid_encrypted_content"`) {
					t.Errorf("another's item: %d %s", c.status, c.text())
				}
			})
		}
	}
}

// TestCompactObject: the same by a request of its own, whose answer is an object
// of its own with what the user said beside the item.
func TestCompactObject(t *testing.T) {
	for proto, both := range replies {
		t.Run(proto, func(t *testing.T) {
			s := newStateful(t, []string{proto}, both[0])
			s.quirky(provider.Quirks{Bare: true, Forgetful: true})
			c := s.other("k", "POST", compactPath, `{"model":"m","instructions":"be brief","input":[{"role":"user","content":"one"},{"role":"assistant","content":"two"}]}`)
			if c.status != 200 || member(c, "object") != "response.compaction" || !strings.HasPrefix(member(c, "id"), "resp_") || string(jsonedit.Get(c.body.Bytes(), "created_at")) != "1700000000" {
				t.Fatalf("%d %s", c.status, c.text())
			}
			if asked := string(s.asked[0].body); !strings.Contains(asked, "be brief") || !strings.Contains(asked, string(jsonedit.Quote(nil, responses.Ask))) {
				t.Errorf("the upstream was asked %s", asked)
			}
			output := jsonedit.Get(c.body.Bytes(), "output")
			if got := texts(t, output); got != "user one,  " || !strings.Contains(string(output), `"type":"compaction"`) || string(jsonedit.Path(c.body.Bytes(), "usage", "total_tokens")) != "2" {
				t.Errorf("%s in %s", got, c.text())
			}
			s.ask("k", "POST", "/responses", `{"model":"m","input":`+string(output)+`}`)
			if got := string(s.asked[1].body); !strings.Contains(got, `what was written down:\n\nyes"`) {
				t.Errorf("the upstream was asked %s", got)
			}
			if x := s.ledger.last(); x.Fault != "" || x.Account != "a" {
				t.Errorf("the ledger has %+v", x)
			}
			for _, body := range []string{`{"model":"m","input":7}`, `{"model":"m","input":"x","previous_response_id":"resp_x"}`, `[`} {
				n := len(s.asked)
				if c := s.other("k", "POST", compactPath, body); c.status != 400 || len(s.asked) != n {
					t.Errorf("%s: %d %s", body, c.status, c.text())
				}
			}
		})
	}
}

// TestCompactContinued: what is compacted may be the conversation before an
// answer that is kept.
func TestCompactContinued(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIChat}, chatWhole)
	id := idOf(t, s.ask("k", "POST", "/responses", `{"model":"m","input":"one"}`))
	for _, ask := range []func() *client{
		func() *client {
			return s.ask("k", "POST", "/responses", `{"model":"m","previous_response_id":"`+id+`","input":[`+demand+`]}`)
		},
		func() *client {
			return s.other("k", "POST", compactPath, `{"model":"m","previous_response_id":"`+id+`"}`)
		},
	} {
		n := len(s.asked)
		c := ask()
		if c.status != 200 || !strings.Contains(c.text(), `"type":"compaction"`) {
			t.Fatalf("%d %s", c.status, c.text())
		}
		if got := string(s.asked[n].body); !strings.Contains(got, `"one"`) || !strings.Contains(got, `"yes"`) {
			t.Errorf("the upstream was asked %s", got)
		}
	}
}

// TestCompactionFails: a model that writes nothing has compacted nothing.
func TestCompactionFails(t *testing.T) {
	empty := strings.Replace(chatWhole, `"yes"`, `""`, 1)
	s := newStateful(t, []string{protocol.OpenAIChat}, empty, strings.Replace(chatStream, `"yes"`, `""`, 1))
	if c := s.ask("k", "POST", "/responses", `{"model":"m","input":[`+demand+`]}`); c.status < 500 || !strings.Contains(c.text(), "wrote nothing") {
		t.Errorf("%d %s", c.status, c.text())
	}
	s = newStateful(t, []string{protocol.OpenAIChat}, strings.Replace(chatStream, `"yes"`, `""`, 1))
	c := s.ask("k", "POST", "/responses", `{"model":"m","input":[`+demand+`],"stream":true}`)
	if all, last := events(t, c); !strings.HasSuffix(all, " failed") || strings.Count(all, "completed") > 0 || status(last) != "failed" {
		t.Errorf("it was told as %s: %s", all, c.text())
	}
	half, _, _ := strings.Cut(chatStream, "data: {\"id\":\"same\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},")
	s = newStateful(t, []string{protocol.OpenAIChat}, half, slowDown)
	c = s.ask("k", "POST", "/responses", `{"model":"m","input":[`+demand+`],"stream":true}`)
	if all, _ := events(t, c); !strings.HasSuffix(all, " failed") || strings.Contains(all, "item") {
		t.Errorf("it was told as %s: %s", all, c.text())
	}
}

// TestCompactionAfar: an upstream that does it itself is asked to, with what
// others wrote down in a form that it can read. What only OpenAI can read goes
// to nobody else.
func TestCompactionAfar(t *testing.T) {
	s := newStateful(t, []string{protocol.OpenAIResponses, protocol.OpenAIResponses, protocol.OpenAIChat}, nativeWhole)
	s.quirky(provider.Quirks{Bare: true}, provider.Quirks{})
	body := `{"model":"m","input":[{"role":"user","content":"one"},` + demand + `]}`
	s.ask("k", "POST", "/responses", body)
	s.other("k", "POST", compactPath, `{"model":"m","input":"x"}`)
	if got := strings.Join(s.rig.asked, " "); got != "b b" || string(s.asked[0].body) != body || s.asked[1].path != compactPath {
		t.Errorf("%s were asked: %s", got, s.asked[0].body)
	}
	item, err := responses.Capsule(s.relay.sealer, "k", "resp_1", "what was")
	if err != nil {
		t.Fatal(err)
	}
	s.ask("k", "POST", "/responses", `{"model":"m","input":[`+string(item)+`,{"role":"user","content":"two"},`+demand+`]}`)
	got := s.asked[2].body
	if !strings.HasSuffix(texts(t, jsonedit.Get(got, "input")), "what was, user two,  ") || !strings.Contains(string(got), demand) || strings.Contains(string(got), "ptc1") {
		t.Errorf("the upstream was asked %s", got)
	}
	s = newStateful(t, []string{protocol.OpenAIChat}, chatWhole)
	if c := s.ask("k", "POST", "/responses", `{"model":"m","input":[{"type":"compaction","encrypted_content":"gAAAAA"}]}`); c.status != 400 || len(s.asked) != 0 {
		t.Errorf("%d %s", c.status, c.text())
	}
}
