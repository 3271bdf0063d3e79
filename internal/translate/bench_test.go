package translate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/sse"
)

// streams are answers of one text in each protocol: what begins it, one chunk,
// and what ends it.
var streams = map[string][3]string{
	protocol.OpenAIChat: {
		`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" the \"next\" words"},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n\ndata: [DONE]\n\n",
	},
	protocol.OpenAIResponses: {
		"event: response.created\n" + `data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","model":"m","status":"in_progress","output":[]}}` + "\n\n" +
			"event: response.output_item.added\n" + `data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[]}}` + "\n\n",
		"event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" the \"next\" words"}` + "\n\n",
		"event: response.output_item.done\n" + `data: {"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"x","annotations":[]}]}}` + "\n\n" +
			"event: response.completed\n" + `data: {"type":"response.completed","sequence_number":4,"response":{"id":"resp_1","object":"response","status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}` + "\n\n",
	},
	protocol.Anthropic: {
		"event: message_start\n" + `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
			"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" the \"next\" words"}}` + "\n\n",
		"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n" +
			"event: message_delta\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}` + "\n\n" +
			"event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
	},
	protocol.Gemini: {
		`data: {"candidates":[{"content":{"parts":[{"text":"First"}],"role":"model"},"index":0}],"modelVersion":"m","responseId":"r1"}` + "\n\n",
		`data: {"candidates":[{"content":{"parts":[{"text":" the \"next\" words"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3},"modelVersion":"m","responseId":"r1"}` + "\n\n",
		`data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3},"modelVersion":"m","responseId":"r1"}` + "\n\n",
	},
}

func begun(tb testing.TB, client, upstream protocol.Translator, o Options) (*Bridge, sse.Frame) {
	tb.Helper()
	o.ID, o.Model, o.Stream = "req_1", "m", true
	b, err := New(client, upstream, plain(client), o)
	if err != nil {
		tb.Fatal(err)
	}
	if _, _, err := b.Request(upstreamOf(upstream, "one")); err != nil {
		tb.Fatal(err)
	}
	for _, f := range codectest.Frames([]byte(streams[upstream.Name()][0])) {
		if _, err := b.Frame(nil, f.Event, f.Data); err != nil {
			tb.Fatal(err)
		}
	}
	return b, codectest.Frames([]byte(streams[upstream.Name()][1]))[0]
}

// A chunk of text costs at most two allocations between any two protocols.
// Encoders that keep the text for the end grow what they keep it in, which is
// less than one for each chunk.
func TestChunkAllocates(t *testing.T) {
	for _, o := range []Options{{}, {Recall: NewMemory(1<<20, time.Now)}} {
		for _, upstream := range translators {
			for _, client := range translators {
				if client == upstream {
					continue
				}
				b, chunk := begun(t, client, upstream, o)
				dst := make([]byte, 0, 4096)
				n := testing.AllocsPerRun(200, func() {
					var err error
					if dst, err = b.Frame(dst[:0], chunk.Event, chunk.Data); err != nil || len(dst) == 0 {
						t.Fatal("nothing was told", err)
					}
				})
				if n > 2 {
					t.Errorf("%s → %s: %v allocations", upstream.Name(), client.Name(), n)
				}
				t.Logf("%s → %s: %v allocations", upstream.Name(), client.Name(), n)
			}
		}
	}
}

func BenchmarkChunk(b *testing.B) {
	for _, upstream := range translators {
		for _, client := range translators {
			if client == upstream {
				continue
			}
			b.Run(upstream.Name()+"→"+client.Name(), func(b *testing.B) {
				br, chunk := begun(b, client, upstream, Options{})
				dst := make([]byte, 0, 4096)
				b.ReportAllocs()
				for b.Loop() {
					dst, _ = br.Frame(dst[:0], chunk.Event, chunk.Data)
				}
			})
		}
	}
}

// large is a request of about a megabyte: an agent's long conversation.
func large(client protocol.Translator) []byte {
	text := strings.Repeat(`line of a file with a \"quote\" and more\n`, 60)
	var turns []string
	for i := range 380 {
		switch client.Name() {
		case protocol.OpenAIChat:
			turns = append(turns, fmt.Sprintf(`{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"read","arguments":"{\"path\":\"/a\"}"}}]},{"role":"tool","tool_call_id":"call_%d","content":"%s"}`, i, i, text))
		case protocol.OpenAIResponses:
			turns = append(turns, fmt.Sprintf(`{"type":"function_call","call_id":"call_%d","name":"read","arguments":"{\"path\":\"/a\"}"},{"type":"function_call_output","call_id":"call_%d","output":"%s"}`, i, i, text))
		case protocol.Anthropic:
			turns = append(turns, fmt.Sprintf(`{"role":"assistant","content":[{"type":"tool_use","id":"call_%d","name":"read","input":{"path":"/a"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_%d","content":"%s"}]}`, i, i, text))
		default:
			turns = append(turns, fmt.Sprintf(`{"role":"model","parts":[{"functionCall":{"id":"call_%d","name":"read","args":{"path":"/a"}}}]},{"role":"user","parts":[{"functionResponse":{"id":"call_%d","name":"read","response":{"output":"%s"}}}]}`, i, i, text))
		}
	}
	all := strings.Join(turns, ",")
	switch client.Name() {
	case protocol.OpenAIResponses:
		return []byte(`{"model":"m","input":[{"role":"user","content":"hi"},` + all + `],"tools":[{"type":"function","name":"read","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}]}`)
	case protocol.Gemini:
		return []byte(`{"contents":[{"role":"user","parts":[{"text":"hi"}]},` + all + `],"tools":[{"functionDeclarations":[{"name":"read","parameters":{"type":"OBJECT","properties":{"path":{"type":"STRING"}}}}]}]}`)
	case protocol.Anthropic:
		return []byte(`{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"hi"},` + all + `],"tools":[{"name":"read","input_schema":{"type":"object","properties":{"path":{"type":"string"}}}}]}`)
	}
	return []byte(`{"model":"m","messages":[{"role":"user","content":"hi"},` + all + `],"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}]}`)
}

func BenchmarkLargeRequest(b *testing.B) {
	for _, client := range translators {
		for _, upstream := range translators {
			if client == upstream {
				continue
			}
			b.Run(client.Name()+"→"+upstream.Name(), func(b *testing.B) {
				body := large(client)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					br, err := New(client, upstream, body, Options{ID: "req_1", Model: "m"})
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := br.Request(upstreamOf(upstream, "one")); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
