package translate

import (
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// sealedAnswers are answers of each protocol as its vendors seal them, and where
// the next request must have the seal.
var sealedAnswers = []struct{ upstream, answer, seat string }{
	{
		chat,
		`{"id":"c1","object":"chat.completion","model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning":"why","reasoning_details":[{"type":"reasoning.summary","summary":"why","index":0},{"type":"reasoning.encrypted","id":"rs_1","data":"ZW5j","index":0}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
		`{"type":"reasoning.encrypted","id":"rs_1","data":"ZW5j"}`,
	},
	{
		chat, // as LiteLLM tells it
		`{"id":"c1","object":"chat.completion","model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"why","thinking_blocks":[{"type":"thinking","thinking":"why","signature":"ZW5j"}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
		`{"type":"reasoning.text","text":"why","signature":"ZW5j"}`,
	},
	{
		responses,
		`{"id":"r1","object":"response","status":"completed","output":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"why"}],"encrypted_content":"ZW5j"},{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{}","status":"completed"}]}`,
		`"encrypted_content":"ZW5j"},{"type":"function_call","call_id":"c1"`,
	},
	{
		claude,
		`{"id":"m1","type":"message","role":"assistant","model":"x","content":[{"type":"thinking","thinking":"why","signature":"ZW5j"},{"type":"tool_use","id":"c1","name":"f","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
		`{"type":"thinking","thinking":"why","signature":"ZW5j"},{"type":"tool_use","id":"c1"`,
	},
	{
		gem,
		`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"why","thought":true},{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"ZW5j"}]},"finishReason":"STOP"}],"responseId":"r1"}`,
		`{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"ZW5j"}`,
	},
}

// TestSealsOnTheWire: traps A30, B4, B6, C6, C9, D1, F1, F2 with the codecs
// themselves: what an upstream sealed is in its own seat, as it was, when the
// client of another protocol goes on.
func TestSealsOnTheWire(t *testing.T) {
	for _, x := range sealedAnswers {
		upstream := x.upstream
		for _, client := range protocols {
			if client == upstream {
				continue
			}
			to := upstreamOf(translatorOf(upstream), "one")
			to.Fit.Native = upstream != chat // OpenAI's own chat takes no reasoning back
			b, err := New(translatorOf(client), translatorOf(upstream), []byte(strings.Replace(asking[client], `"stream":true,`, "", 1)), Options{ID: "req_1", Model: "m"})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := b.Request(to); err != nil {
				t.Fatal(err)
			}
			told, err := b.Whole([]byte(x.answer))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(told), `"ZW5j"`) {
				t.Errorf("the client of %s gets the seal of %s bare: %s", client, upstream, told)
			}
			got, err := translatorOf(client).DecodeResponse(told)
			if err != nil {
				t.Fatal(err)
			}
			next := &llm.Request{Protocol: client, Model: "m", Tools: []llm.Tool{{Name: "f"}}, Messages: []llm.Message{user(say("u")), model(got.Answers[0].Parts...), user(result("c1", "r"))}}
			body, _, err := translatorOf(client).EncodeRequest(nil, next, &protocol.Fit{Model: "m", Vendor: "somebody"})
			if err != nil {
				t.Fatal(err)
			}
			if b, err = New(translatorOf(client), translatorOf(upstream), body, Options{ID: "req_2", Model: "m"}); err != nil {
				t.Fatal(err)
			}
			asked, losses, err := b.Request(to)
			if err != nil || !strings.Contains(string(asked), x.seat) {
				t.Errorf("%s through %s: no %s in\n%s\n%v; the client said\n%s", client, upstream, x.seat, asked, err, body)
			}
			if strings.Contains(string(asked), SealMark) {
				t.Errorf("%s through %s: a wrapping goes to the upstream: %s, lost %v", client, upstream, asked, losses)
			}
		}
	}
}
