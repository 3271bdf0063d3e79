package simulator

import (
	"encoding/json/jsontext"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

type anthropicAnswer struct {
	ID, Type, Role, Model string
	Content               []anthropicPiece
	Stop                  *string          `json:"stop_reason"`
	Sequence              *string          `json:"stop_sequence"`
	Usage                 *anthropicCounts `json:"usage"`
}

type anthropicPiece struct {
	Type, ID, Name string
	Text, Thinking *string
	Signature      *string
	Input          jsontext.Value
	Partial        *string `json:"partial_json"`
}

type anthropicCounts struct {
	In     *int64 `json:"input_tokens"`
	Out    *int64 `json:"output_tokens"`
	Read   int64  `json:"cache_read_input_tokens"`
	Write  int64  `json:"cache_creation_input_tokens"`
	Detail struct {
		Thinking int64 `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

func (c *anthropicCounts) usage(t testing.TB) llm.Usage {
	if c == nil || c.In == nil || c.Out == nil {
		t.Fatal("no usage")
	}
	return llm.Usage{Input: *c.In, CacheRead: c.Read, CacheWrite: c.Write, Output: *c.Out - c.Detail.Thinking, Reasoning: c.Detail.Thinking}
}

// take adds a finished block.
func (p *anthropicPiece) take(t testing.TB, x *told) {
	switch {
	case p.Type == "thinking" && p.Thinking != nil && p.Signature != nil:
		x.Thought += *p.Thinking
		x.Sealed = *p.Signature != ""
	case p.Type == "text" && p.Text != nil:
		x.Text += *p.Text
	case p.Type == "tool_use" && p.ID != "" && p.Name != "" && p.Input.Kind() == '{':
		x.Calls = append(x.Calls, p.Name+" "+string(p.Input))
	default:
		t.Errorf("a block is %+v", p)
	}
}

func (a *anthropicAnswer) head(t testing.TB) {
	if a.ID == "" || a.Type != "message" || a.Role != "assistant" || a.Model == "" || a.Content == nil || a.Usage == nil {
		t.Errorf("the message is %+v", a)
	}
}

// judgeAnthropic reads an answer of the Messages protocol and checks that every
// event is where clients expect it (spec: upstreams §1C.7, clients §4).
func judgeAnthropic(t testing.TB, body []byte, streamed bool) (x told) {
	t.Helper()
	watch(t, protocol.Anthropic, streamed, body)
	if !streamed {
		a := read[anthropicAnswer](t, body)
		a.head(t)
		for i := range a.Content {
			a.Content[i].take(t, &x)
		}
		if a.Stop == nil || (*a.Stop == "stop_sequence") != (a.Sequence != nil) {
			t.Fatalf("stop_reason and stop_sequence in %s", body)
		}
		x.Stop, x.Usage = *a.Stop, a.Usage.usage(t)
		return x
	}
	var block *anthropicPiece
	var input string
	index, over := 0, false
	for i, f := range cut(t, body) {
		e := read[struct {
			Type    string
			Message *anthropicAnswer
			Index   *int
			Block   *anthropicPiece `json:"content_block"`
			Delta   *struct {
				anthropicPiece
				Stop     *string `json:"stop_reason"`
				Sequence *string `json:"stop_sequence"`
			}
			Usage *anthropicCounts
		}](t, f.Data)
		if string(f.Event) != e.Type || over || (i == 0) != (e.Type == "message_start") {
			t.Fatalf("event %d is %s: %s", i, f.Event, f.Data)
		}
		if e.Index != nil && *e.Index != index {
			t.Errorf("the index of %s is not %d", f.Data, index)
		}
		switch e.Type {
		case "message_start":
			e.Message.head(t)
			e.Message.Usage.usage(t)
			if len(e.Message.Content) > 0 || e.Message.Stop != nil {
				t.Errorf("the stream begins with %s", f.Data)
			}
		case "ping":
		case "content_block_start":
			if block != nil || e.Index == nil || x.Stop != "" {
				t.Errorf("event %d: %s", i, f.Data)
			}
			block, input = e.Block, ""
		case "content_block_delta":
			d := e.Delta
			switch {
			case block == nil || e.Index == nil:
				t.Fatalf("event %d: %s", i, f.Data)
			case d.Type == "text_delta" && block.Type == "text":
				*block.Text += *d.Text
			case d.Type == "thinking_delta" && block.Type == "thinking" && *block.Signature == "":
				*block.Thinking += *d.Thinking
			case d.Type == "signature_delta" && block.Type == "thinking":
				*block.Signature += *d.Signature
			case d.Type == "input_json_delta" && block.Type == "tool_use":
				input += *d.Partial
			default:
				t.Errorf("event %d: %s", i, f.Data)
			}
		case "content_block_stop":
			if block == nil || e.Index == nil {
				t.Fatalf("event %d: %s", i, f.Data)
			}
			if input != "" {
				block.Input = jsontext.Value(input)
			}
			block.take(t, &x)
			block = nil
			index++
		case "message_delta":
			if block != nil || e.Delta.Stop == nil || (*e.Delta.Stop == "stop_sequence") != (e.Delta.Sequence != nil) {
				t.Fatalf("event %d: %s", i, f.Data)
			}
			x.Stop, x.Usage = *e.Delta.Stop, e.Usage.usage(t)
		case "message_stop":
			over = x.Stop != ""
		default:
			t.Errorf("event %d has the unknown type %s", i, e.Type)
		}
	}
	if !over {
		t.Error("no message_stop")
	}
	return x
}
