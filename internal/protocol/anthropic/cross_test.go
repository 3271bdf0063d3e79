package anthropic

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
)

// lawfulRequest reports what Anthropic would refuse in a request that was
// translated (spec: upstreams §1C.2, §1C.3).
func lawfulRequest(body []byte, fit *protocol.Fit) error {
	type block struct {
		Type, Text, ID, Name string
		ToolUseID            string `json:"tool_use_id"`
		Signature, Data      *string
		Input                any
		IsError              bool `json:"is_error"`
		Content              any
		Source               map[string]any
		CacheControl         any `json:"cache_control"`
	}
	type request struct {
		Model     string
		MaxTokens int64 `json:"max_tokens"`
		System    any
		Messages  []struct {
			Role    string
			Content any
		}
		Tools []struct {
			Name, Type  string
			InputSchema map[string]any `json:"input_schema"`
		}
		ToolChoice map[string]any `json:"tool_choice"`
		Thinking   map[string]any
	}
	opt := json.MatchCaseInsensitiveNames(true)
	var r request
	if err := json.Unmarshal(body, &r, opt); err != nil {
		return err
	}
	if r.MaxTokens < 1 {
		return fmt.Errorf("max_tokens is %d", r.MaxTokens)
	}
	if len(r.Messages) == 0 || r.Messages[0].Role != "user" {
		return fmt.Errorf("the user does not speak first")
	}
	names := map[string]bool{}
	for _, t := range r.Tools {
		if names[t.Name] {
			return fmt.Errorf("two tools are called %s", t.Name)
		}
		names[t.Name] = true
		if t.Type == "" && t.InputSchema["type"] != "object" {
			return fmt.Errorf("the schema of %s is that of no object", t.Name)
		}
	}
	if r.ToolChoice != nil && len(r.Tools) == 0 {
		return fmt.Errorf("a choice of no tools")
	}
	if name, ok := r.ToolChoice["name"]; ok && !names[name.(string)] {
		return fmt.Errorf("a choice of %s, which is not declared", name)
	}
	if budget, ok := r.Thinking["budget_tokens"].(float64); ok && (budget < 1024 || int64(budget) >= r.MaxTokens) {
		return fmt.Errorf("a budget of %v of %d tokens", budget, r.MaxTokens)
	}
	points := strings.Count(string(body), `"cache_control":{`)
	if points > maxBreakpoints {
		return fmt.Errorf("%d breakpoints", points)
	}
	last, pending := "", map[string]bool{}
	used := map[string]bool{}
	for i, m := range r.Messages {
		if m.Role == last && m.Role != "system" {
			return fmt.Errorf("two turns of %s", m.Role)
		}
		if m.Role == "system" && last != "user" {
			return fmt.Errorf("an instruction behind %s", last)
		}
		last = m.Role
		var blocks []block
		raw, _ := json.Marshal(m.Content)
		if _, ok := m.Content.(string); ok {
			blocks = []block{{Type: "text", Text: m.Content.(string)}}
		} else if err := json.Unmarshal(raw, &blocks, opt); err != nil {
			return err
		}
		if len(blocks) == 0 {
			return fmt.Errorf("message %d is empty", i)
		}
		others := false
		for _, b := range blocks {
			switch b.Type {
			case "text":
				others = true
				if strings.TrimSpace(b.Text) == "" {
					return fmt.Errorf("message %d has an empty text", i)
				}
			case "thinking":
				if m.Role != "assistant" || b.Signature == nil || *b.Signature == "" {
					return fmt.Errorf("message %d has an unsigned thought", i)
				}
			case "tool_use":
				if m.Role != "assistant" || used[b.ID] {
					return fmt.Errorf("message %d calls %s out of place", i, b.ID)
				}
				if _, ok := b.Input.(map[string]any); !ok {
					return fmt.Errorf("message %d calls with %v", i, b.Input)
				}
				pending[b.ID], used[b.ID] = true, true
			case "tool_result":
				if m.Role != "user" || !pending[b.ToolUseID] {
					return fmt.Errorf("message %d answers %s, which was not called", i, b.ToolUseID)
				}
				if others {
					return fmt.Errorf("message %d has a result behind other things", i)
				}
				delete(pending, b.ToolUseID)
			case "image", "document":
				others = true
				if m.Role != "user" || b.Source["type"] == "base64" && b.Source["media_type"] == "" {
					return fmt.Errorf("message %d shows out of place", i)
				}
			default:
				return fmt.Errorf("message %d has a block of type %s", i, b.Type)
			}
		}
		if m.Role != "assistant" && len(pending) > 0 {
			return fmt.Errorf("message %d leaves calls unanswered: %v", i, pending)
		}
	}
	if last == "assistant" && !abilitiesOf(fit).prefill {
		return fmt.Errorf("the model speaks last")
	}
	return nil
}

// fits are upstreams of different generations.
var fits = []*protocol.Fit{
	{Model: "claude-opus-5-5", Vendor: "anthropic", Native: true},
	{Model: "claude-sonnet-4-5", Vendor: "anthropic", Native: true},
	{Model: "claude-opus-4-6", Vendor: "anthropic", Native: true},
	{Model: "claude-opus-4-8", Vendor: "anthropic", Native: true, MaxOutput: 128_000},
}

// TestFromOthers sends every recorded request of other protocols to Anthropic.
func TestFromOthers(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	n := 0
	for dir, decode := range map[string]func([]byte) (*llm.Request, error){
		"openai-chat":             openaichat.New().DecodeRequest,
		"openai-compatible-other": openaichat.New().DecodeRequest,
		"openai-responses":        openairesponses.New().DecodeRequest,
	} {
		files, _ := filepath.Glob(filepath.Join(root, dir, "*", "request.json"))
		for _, file := range files {
			body, _ := os.ReadFile(file)
			if jsonedit.Get(body, "messages") == nil && jsonedit.Get(body, "input") == nil {
				continue
			}
			r, err := decode(body)
			if err != nil {
				continue
			}
			fitTools(r)
			for _, fit := range fits {
				out, _, err := New().EncodeRequest(nil, r, fit)
				if f := (*fault.Fault)(nil); errors.As(err, &f) && f.Class == fault.Malformed {
					continue // it asks for no tokens
				}
				if err == nil {
					err = lawfulRequest(out, fit)
				}
				if err != nil {
					t.Errorf("%s to %s: %v", filepath.Base(filepath.Dir(file)), fit.Model, err)
				}
				n++
			}
		}
	}
	t.Logf("%d requests are lawful", n)
}

// fitTools stands for the passes between codecs, which give this one nothing
// but functions and ids that are there.
func fitTools(r *llm.Request) {
	for i := range r.Tools {
		if t := &r.Tools[i]; t.Kind != llm.Server {
			t.Kind = llm.Function
			if t.Namespace != "" {
				t.Name = t.Namespace + "__" + t.Name
			}
		}
	}
}

// TestChatStreams: every recorded stream of OpenAI's chat protocol is lawful
// for a client of this one, and the same as the answer written whole.
func TestChatStreams(t *testing.T) {
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	n := 0
	for _, dir := range []string{"openai-chat", "openai-compatible-other"} {
		files, _ := filepath.Glob(filepath.Join(root, dir, "*", "response.sse"))
		for _, file := range files {
			stream, _ := os.ReadFile(file)
			name := filepath.Base(filepath.Dir(file))
			written, losses, err := translated(stream)
			if err == nil {
				err = lawful(written)
			}
			if slices.ContainsFunc(losses, func(l llm.Loss) bool { return l.Why == afterHalt }) {
				continue // two answers in one recording
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			whole, err := codectest.Fold(openaichat.New().NewDecoder(), stream)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			again, err := codectest.Fold(New().NewDecoder(), written)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			a, _, errA := New().EncodeResponse(nil, whole, echoOf("m"))
			b, _, errB := New().EncodeResponse(nil, again, echoOf("m"))
			if errA != nil || errB != nil {
				t.Errorf("%s: %v, %v", name, errA, errB)
			}
			for _, member := range []string{"content", "stop_reason"} {
				if d := codectest.Same(tidy(jsonedit.Get(a, member)), tidy(jsonedit.Get(b, member))); d != "" {
					t.Errorf("%s: %s: %s", name, member, d)
				}
			}
			n++
		}
	}
	t.Logf("%d streams are lawful", n)
}

// translated is a stream of chat as one of this protocol.
func translated(stream []byte) (out []byte, losses []llm.Loss, err error) {
	d, e := openaichat.New().NewDecoder(), New().NewEncoder(&protocol.Echo{ID: "req_1", Model: "m"})
	var events []llm.Event
	for _, f := range codectest.Frames(stream) {
		if events, err = d.Feed(events[:0], f.Event, f.Data); err != nil {
			return out, nil, err
		}
		for i := range events {
			out = e.Feed(out, &events[i])
		}
	}
	events = d.End(events[:0])
	for i := range events {
		out = e.Feed(out, &events[i])
	}
	return e.End(out), e.Losses(), nil
}
