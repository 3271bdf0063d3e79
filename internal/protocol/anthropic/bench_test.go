package anthropic

import (
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaichat"
)

// TestChunkAllocates: a chunk of text, thinking or arguments costs no
// allocation, decoded and encoded.
func TestChunkAllocates(t *testing.T) {
	for _, tt := range []struct{ name, start, chunk string }{
		{"text", `{"type":"text","text":""}`, `{"type":"text_delta","text":"Hello \"you\" "}`},
		{"thinking", `{"type":"thinking","thinking":"","signature":""}`, `{"type":"thinking_delta","thinking":"Hello"}`},
		{"arguments", `{"type":"tool_use","id":"c","name":"f","input":{}}`, `{"type":"input_json_delta","partial_json":"{\"a\":"}`},
	} {
		d, e := New().NewDecoder(), New().NewEncoder(echoOf("m"))
		events := make([]llm.Event, 0, 8)
		out := make([]byte, 0, 4096)
		feed := func(data []byte) {
			events, _ = d.Feed(events[:0], nil, data)
			out = out[:0]
			for i := range events {
				out = e.Feed(out, &events[i])
			}
		}
		feed([]byte(`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}`))
		feed([]byte(`{"type":"content_block_start","index":0,"content_block":` + tt.start + `}`))
		chunk := []byte(`{"type":"content_block_delta","index":0,"delta":` + tt.chunk + `}`)
		for range 5000 { // what grows has grown
			feed(chunk)
		}
		if n := testing.AllocsPerRun(100, func() { feed(chunk) }); n > 0 {
			t.Errorf("%v allocations for a chunk of %s", n, tt.name)
		}
		if len(out) == 0 {
			t.Errorf("a chunk of %s gives nothing", tt.name)
		}
	}
}

// megabyte is a conversation of about a megabyte, as an agent sends it.
func megabyte() []byte {
	var b strings.Builder
	b.WriteString(`{"model":"claude-sonnet-4-5","max_tokens":32000,"stream":true,"system":[{"type":"text","text":"` + strings.Repeat("You are careful. ", 1000) + `","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"go"}`)
	for range 100 {
		b.WriteString(`,{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"Read","input":{"path":"/a/b"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"` + strings.Repeat(`line of \"code\"\n`, 600) + `"}]}`)
	}
	b.WriteString(`],"tools":[{"name":"Read","input_schema":{"type":"object","properties":{"path":{"type":"string"}}}}]}`)
	return []byte(b.String())
}

func BenchmarkRequest(b *testing.B) {
	body := megabyte()
	fit := &protocol.Fit{Model: "claude-sonnet-4-5", Native: true}
	for name, from := range map[string]string{"same": protocol.Anthropic, "other": protocol.OpenAIChat} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				r, err := New().DecodeRequest(body)
				if err != nil {
					b.Fatal(err)
				}
				r.Protocol = from
				if out, _, err = New().EncodeRequest(out[:0], r, fit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChunk is a chunk of chat's stream for a client of this protocol.
func BenchmarkChunk(b *testing.B) {
	d, e := openaichat.New().NewDecoder(), New().NewEncoder(echoOf("m"))
	data := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}`)
	events := make([]llm.Event, 0, 8)
	out := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		events, _ = d.Feed(events[:0], nil, data)
		out = out[:0]
		for i := range events {
			out = e.Feed(out, &events[i])
		}
	}
}
