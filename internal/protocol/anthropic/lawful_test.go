package anthropic

import (
	"encoding/json/v2"
	"fmt"

	"portico/internal/protocol/codectest"
)

// lawful reports how a stream breaks the laws that this protocol's clients rely
// on (spec: clients §4, upstreams §1C.7): one message_start first, blocks one
// behind the other with rising indexes, each opened, closed and not empty, then
// one message_delta with a reason and the usage, then one message_stop and
// nothing more; or an error after which nothing comes.
func lawful(stream []byte) error {
	type event struct {
		Type    string
		Index   *int
		Message *struct {
			ID, Type, Role, Model string
			Content               []any
			Usage                 map[string]any
		}
		Block *map[string]any `json:"content_block"`
		Delta *map[string]any
		Usage map[string]any
	}
	state, next, open, grown := "", 0, "", 0
	ids := map[string]bool{}
	for i, f := range codectest.Frames(stream) {
		var e event
		if err := json.Unmarshal(f.Data, &e, json.MatchCaseInsensitiveNames(true)); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		bad := func(format string, args ...any) error {
			return fmt.Errorf("event %d (%s): %s", i, f.Data, fmt.Sprintf(format, args...))
		}
		if e.Type != string(f.Event) {
			return bad("it is called %s", f.Event)
		}
		if state == "message_stop" || state == "error" {
			return bad("it comes after the end")
		}
		switch e.Type {
		case "message_start":
			if state != "" {
				return bad("the message starts twice, or late")
			}
			m := e.Message
			if m == nil || m.ID == "" || m.Type != "message" || m.Role != "assistant" || m.Content == nil || len(m.Content) > 0 || m.Usage["input_tokens"] == nil || m.Usage["output_tokens"] == nil {
				return bad("a member is missing")
			}
		case "content_block_start":
			if state != "message_start" && state != "content_block_stop" {
				return bad("a block starts after %s", state)
			}
			if e.Index == nil || *e.Index != next {
				return bad("the index is not %d", next)
			}
			b := *e.Block
			open, grown = b["type"].(string), 0
			switch open {
			case "text":
				if b["text"] != "" {
					return bad("text begins with words")
				}
			case "thinking":
				if b["thinking"] != "" || b["signature"] != "" {
					return bad("thinking begins with words")
				}
			case "tool_use", "server_tool_use", "mcp_tool_use":
				if b["id"] == "" || b["name"] == "" || b["input"] == nil {
					return bad("a member is missing")
				}
				if ids[b["id"].(string)] {
					return bad("the id is taken")
				}
				ids[b["id"].(string)] = true
			}
		case "content_block_delta":
			if open == "" || e.Index == nil || *e.Index != next {
				return bad("there is no such block")
			}
			want := map[string]string{"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": open, "compaction_delta": "compaction"}
			kind := (*e.Delta)["type"].(string)
			if want[kind] != open || kind == "input_json_delta" && (open == "text" || open == "thinking") {
				return bad("a %s in a block of %s", kind, open)
			}
			grown++
		case "content_block_stop":
			if open == "" || e.Index == nil || *e.Index != next {
				return bad("there is no such block")
			}
			if (open == "text" || open == "thinking") && grown == 0 {
				return bad("the block was empty")
			}
			next++
			open = ""
		case "message_delta":
			if state == "" || open != "" || state == "message_delta" {
				return bad("it comes after %s", state)
			}
			if (*e.Delta)["stop_reason"] == nil || e.Usage["output_tokens"] == nil {
				return bad("a member is missing")
			}
		case "message_stop":
			if state != "message_delta" {
				return bad("it comes after %s", state)
			}
		case "ping", "error":
		default:
			return bad("an unknown event")
		}
		if e.Type != "ping" {
			state = e.Type
		}
	}
	if state != "message_stop" && state != "error" {
		return fmt.Errorf("the stream ends after %q", state)
	}
	return nil
}
