package anthropic

import (
	"encoding/json/jsontext"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

// FuzzRequest: any body is refused or becomes a request, and what is written of
// it is JSON that is read again.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","max_tokens":5,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iV"}}]}]}],"tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"any"},"thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"format":{"type":"json_schema","schema":{}}}}`))
	f.Add([]byte(`{"max_tokens":1e9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c","input":"{"},{"type":"redacted_thinking"},{"type":"server_tool_use"},{"type":"x_tool_result","content":{}}]}],"mcp_servers":[{}],"metadata":{"user_id":5}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := New().DecodeRequest(body)
		if err != nil {
			return
		}
		sound := jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		for _, fit := range []*protocol.Fit{{Model: "claude-sonnet-4-5", Native: true}, {Model: "claude-opus-5-5", Native: true}, {Model: "glm-5"}} {
			for _, from := range []string{protocol.Anthropic, protocol.OpenAIChat} {
				r.Protocol = from
				out, _, err := New().EncodeRequest(nil, r, fit)
				if err != nil {
					continue
				}
				if sound && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
					t.Fatalf("%s\nbecame unsound for %s from %s:\n%s", body, fit.Model, from, out)
				}
				if _, err := New().DecodeRequest(out); err != nil && sound {
					t.Fatalf("%s\nis not read again: %v\n%s", body, err, out)
				}
			}
		}
	})
}

// FuzzResponse is the same of answers.
func FuzzResponse(f *testing.F) {
	f.Add([]byte(`{"id":"m","type":"message","content":[{"type":"text","text":"x","citations":[{"type":"char_location"}]},{"type":"tool_use","id":"c","name":"f","input":{"a":1}},{"type":"thinking","thinking":"x","signature":"s"}],"stop_reason":"refusal","stop_details":{"explanation":"no"},"usage":{"input_tokens":1,"iterations":[{}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := New().DecodeResponse(body)
		if err != nil {
			return
		}
		out, _, err := New().EncodeResponse(nil, r, echoOf("m"))
		if err == nil && jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) && !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Fatalf("%s\nbecame unsound:\n%s", body, out)
		}
	})
}

// FuzzStream: whatever an upstream sends, the decoder gives events or an error,
// and the encoder makes a lawful stream of them.
func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1},"content":[{"type":"text","text":"x"}]}}`), []byte(`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{"a":1}}}`), []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}`), []byte(`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}`))
	f.Add([]byte(`{"type":"content_block_start","index":1,"content_block":{"type":"compaction"}}`), []byte(`{"type":"content_block_delta","index":1,"delta":{"type":"compaction_delta","content":"x"}}`), []byte(`{"type":"content_block_stop","index":1}`), []byte(`{"type":"message_stop"}`))
	f.Fuzz(func(t *testing.T, a, b, c, last []byte) {
		d, e := New().NewDecoder(), New().NewEncoder(echoOf("m"))
		var out []byte
		var events []llm.Event
		sound := true
		for _, data := range [][]byte{a, b, c, last} {
			sound = sound && jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true))
			var err error
			if events, err = d.Feed(events[:0], nil, data); err != nil {
				return
			}
			for i := range events {
				out = e.Feed(out, &events[i])
			}
		}
		events = d.End(events[:0])
		for i := range events {
			out = e.Feed(out, &events[i])
		}
		out = e.End(out)
		if !sound {
			return
		}
		for _, frame := range framesOf(out) {
			if !jsontext.Value(frame).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				t.Fatalf("unsound: %s", frame)
			}
		}
	})
}

// framesOf is the data of the events of a stream.
func framesOf(stream []byte) (out [][]byte) {
	for _, f := range codectest.Frames(stream) {
		out = append(out, f.Data)
	}
	return out
}
