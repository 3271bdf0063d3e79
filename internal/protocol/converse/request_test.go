package converse

import (
	"encoding/json/jsontext"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
)

func prose(s string) *llm.Prose { return &llm.Prose{Text: llm.Plain(s)} }

func says(r llm.Role, parts ...llm.Part) llm.Message { return llm.Message{Role: r, Parts: parts} }

func call(id, name, args string) *llm.Call {
	return &llm.Call{ID: id, Name: name, Args: llm.Plain(args)}
}

func result(id, text string) *llm.Result {
	return &llm.Result{CallID: id, Parts: []llm.Part{prose(text)}}
}

func marked(s, ttl string) *llm.Prose {
	return &llm.Prose{Text: llm.Plain(s), Cache: &llm.Breakpoint{TTL: ttl}}
}

func signed(text, signature string) *llm.Thought {
	return &llm.Thought{Text: llm.Plain(text), Seal: &llm.Seal{Data: llm.Plain(signature)}}
}

var (
	weather = llm.Tool{Name: "weather", Description: llm.Plain("tells it"), Schema: jsontext.Value(`{"type":"object","properties":{"city":{"type":"string"}}}`)}
	spec    = `{"toolSpec":{"name":"weather","description":"tells it","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}}`
)

const (
	novaPro = "us.amazon.nova-pro-v1:0"
	opus    = "us.anthropic.claude-opus-5"
)

func TestEncodeRequest(t *testing.T) {
	five, yes, no := int64(5), true, false
	hi := says(llm.User, prose("hi"))
	for _, tt := range []struct {
		name, model string
		r           llm.Request
		want        string
		losses      []string // paths
	}{
		{"a word", "", llm.Request{Messages: []llm.Message{hi}}, `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, nil},
		{
			"instructions and knobs", "",
			llm.Request{
				Messages: []llm.Message{says(llm.System, prose("be"), prose(" \n")), says(llm.Developer, prose("brief")), hi},
				Sampling: llm.Sampling{MaxTokens: &five, Temperature: "0.5", TopP: "0.9", Stop: []llm.Text{llm.Plain("x\"")}},
				Tier:     "priority",
			},
			`{"system":[{"text":"be"},{"text":"brief"}],"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":5,"temperature":0.5,"topP":0.9,"stopSequences":["x\""]},"serviceTier":{"type":"priority"}}`, nil,
		},
		{
			"turns are taken (A3)", "",
			llm.Request{Messages: []llm.Message{says(llm.Assistant, prose("a")), says(llm.Assistant, prose("b")), hi, says(llm.User, prose("there")), says(llm.System, prose("now"))}},
			`{"messages":[{"role":"user","content":[{"text":"(continued)"}]},{"role":"assistant","content":[{"text":"a"},{"text":"b"}]},{"role":"user","content":[{"text":"hi"},{"text":"there"},{"text":"now"}]}]}`,
			[]string{"messages", "messages[4].content[0]"},
		},
		{
			"results come first, in one message", "",
			llm.Request{Tools: []llm.Tool{weather}, Messages: []llm.Message{
				hi, says(llm.Assistant, call("1", "weather", `{"city":"A"}`), prose("let me see"), call("2", "weather", ``)),
				says(llm.User, prose("wait"), result("2", "sun")), says(llm.User, &llm.Result{CallID: "1", Failed: true}),
			}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"text":"let me see"},{"toolUse":{"toolUseId":"1","name":"weather","input":{"city":"A"}}},{"toolUse":{"toolUseId":"2","name":"weather","input":{}}}]},` +
				`{"role":"user","content":[{"toolResult":{"toolUseId":"2","content":[{"text":"sun"}]}},{"toolResult":{"toolUseId":"1","content":[{"text":"(no output)"}],"status":"error"}},{"text":"wait"}]}],"toolConfig":{"tools":[` + spec + `]}}`, nil,
		},
		{
			"a call without a result, and a result without a call", "",
			llm.Request{Tools: []llm.Tool{weather}, Messages: []llm.Message{hi, says(llm.Assistant, call("1", "weather", `{}`)), says(llm.User, result("9", "lost"))}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"weather","input":{}}}]},` +
				`{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"the result of this call is missing"}],"status":"error"}},{"text":"lost"}]}],"toolConfig":{"tools":[` + spec + `]}}`,
			[]string{"messages", "messages[2].content[0]"},
		},
		{
			"a call at the end", "",
			llm.Request{Tools: []llm.Tool{weather}, Messages: []llm.Message{hi, says(llm.Assistant, call("1", "weather", `{}`))}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"weather","input":{}}}]},` +
				`{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"the result of this call is missing"}],"status":"error"}}]}],"toolConfig":{"tools":[` + spec + `]}}`,
			[]string{"messages"},
		},
		{
			"calls of tools that are declared no more (A18)", "",
			llm.Request{Messages: []llm.Message{hi, says(llm.Assistant, call("1", "old", `[1]`), call("2", "old", `{"a`)), says(llm.User, result("1", "x"), result("2", "y"))}, Choice: llm.Choice{Mode: llm.ChoiceRequired}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"1","name":"old","input":{"input":"[1]"}}},{"toolUse":{"toolUseId":"2","name":"old","input":{"input":"{\"a"}}}]},` +
				`{"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"x"}]}},{"toolResult":{"toolUseId":"2","content":[{"text":"y"}]}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"old","inputSchema":{"json":{"type":"object"}}}}]}}`,
			[]string{"messages[1].content[0].arguments", "messages[1].content[1].arguments", "tools"},
		},
		{
			"some tool must be called", "",
			llm.Request{Messages: []llm.Message{hi}, Tools: []llm.Tool{weather}, Choice: llm.Choice{Mode: llm.ChoiceRequired}, Parallel: &yes},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[` + spec + `],"toolChoice":{"any":{}}}}`, nil,
		},
		{
			"one tool must be called", "",
			llm.Request{Messages: []llm.Message{hi}, Tools: []llm.Tool{weather}, Choice: llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Name: "weather"}}}, Parallel: &no},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[` + spec + `],"toolChoice":{"tool":{"name":"weather"}}}}`,
			[]string{"parallel_tool_calls"},
		},
		{
			"no tool may be called, and one that Bedrock does not run", "",
			llm.Request{Messages: []llm.Message{hi}, Tools: []llm.Tool{weather, {Kind: llm.Server, Server: "web_search"}}, Choice: llm.Choice{Mode: llm.ChoiceNone}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"toolConfig":{"tools":[` + spec + `]}}`,
			[]string{"tools[1]", "tool_choice"},
		},
		{
			"what Claude has", opus,
			llm.Request{
				Messages: []llm.Message{says(llm.System, marked("be", "1h")), says(llm.User, marked("hi", "5m")), says(llm.Assistant, signed("hm", "SIG"), &llm.Thought{Seal: &llm.Seal{Kind: llm.Encrypted, Data: llm.Plain("RED")}}, &llm.Thought{Text: llm.Plain("bare")}, prose("yes")), hi},
				Reason:   llm.Reason{Mode: llm.ReasonBudget, Budget: 2000, Effort: "high"}, Sampling: llm.Sampling{TopK: "4"},
			},
			`{"system":[{"text":"be"},{"cachePoint":{"type":"default","ttl":"1h"}}],"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]},` +
				`{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"SIG"}}},{"reasoningContent":{"redactedContent":"RED"}},{"text":"yes"}]},{"role":"user","content":[{"text":"hi"}]}],` +
				`"outputConfig":{"effort":"high"},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000},"top_k":4}}`,
			[]string{"messages[2].content[2]"},
		},
		{
			"what Nova has", novaPro,
			llm.Request{Messages: []llm.Message{says(llm.User, marked("hi", "1h"))}, Sampling: llm.Sampling{TopK: "4"}, Reason: llm.Reason{Mode: llm.ReasonEffort, Effort: "low"}},
			`{"messages":[{"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default"}}]}],"additionalModelRequestFields":{"inferenceConfig":{"topK":4}}}`,
			[]string{"reasoning"},
		},
		{
			"what gpt-oss has", "openai.gpt-oss-120b-1:0",
			llm.Request{Messages: []llm.Message{hi}, Reason: llm.Reason{Mode: llm.ReasonEffort, Effort: "xhigh"}},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"additionalModelRequestFields":{"reasoning_effort":"high"}}`,
			[]string{"reasoning"},
		},
		{
			"what there is no seat for", "meta.llama4",
			llm.Request{
				Messages: []llm.Message{says(llm.User, marked("hi", ""))}, Tier: "scale", Reason: llm.Reason{Mode: llm.ReasonAuto},
				Sampling: llm.Sampling{Temperature: "1.5", TopK: "4", N: 2, Frequency: "1", Presence: "1", Seed: "7", Logprobs: true, LogitBias: jsontext.Value(`{"1":2}`)},
			},
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"temperature":1}}`,
			[]string{"messages[0].content[0].cache_control", "temperature", "reasoning", "top_k", "service_tier", "n", "frequency_penalty", "presence_penalty", "seed", "logprobs", "logit_bias"},
		},
		{
			"pictures and documents", novaPro,
			llm.Request{Messages: []llm.Message{says(
				llm.User,
				&llm.Blob{Kind: llm.Image, Type: "image/PNG; x=y", Data: llm.Plain("AA==")},
				&llm.Blob{Kind: llm.Document, Type: "application/pdf", Name: "Q3/report: über.pdf", Data: llm.Plain("BB==")},
				&llm.Blob{Kind: llm.Document, Name: "", Data: llm.Plain("CC==")},
				&llm.Blob{Kind: llm.Document, Prose: llm.Plain("words")},
				&llm.Blob{Kind: llm.Image, URL: "https://x.example/a.png"},
				&llm.Blob{Kind: llm.Image, File: "file_1"},
				&llm.Blob{Kind: llm.Image, Type: "image/tiff", Data: llm.Plain("DD==")},
				&llm.Blob{Kind: llm.Audio, Type: "audio/wav", Data: llm.Plain("EE==")},
				&llm.Opaque{Kind: "x"}, &llm.Opaque{Kind: "y", Alt: llm.Plain("why")}, &llm.Reference{Name: "tool"},
			)}},
			`{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"AA=="}}},{"text":"[document]"},{"document":{"format":"pdf","name":"Q3 report ber pdf 1","source":{"bytes":"BB=="}}},` +
				`{"text":"[document]"},{"document":{"format":"pdf","name":"2","source":{"bytes":"CC=="}}},{"text":"words"},{"text":"[image at https://x.example/a.png]"},{"audio":{"format":"wav","source":{"bytes":"EE=="}}},{"text":"why"},{"text":"[Tool loaded: tool]"}]}]}`,
			[]string{"messages[0].content[3]", "messages[0].content[4]", "messages[0].content[5]", "messages[0].content[6]", "messages[0].content[8]", "messages[0].content[9]", "messages[0].content[10]"},
		},
		{"nothing", "", llm.Request{}, `{"messages":[{"role":"user","content":[{"text":"(continued)"}]}]}`, []string{"messages"}},
	} {
		got, losses, err := New().EncodeRequest(nil, &tt.r, &protocol.Fit{Model: tt.model})
		if err != nil {
			t.Fatal(err)
		}
		if diff := codectest.Same(got, []byte(tt.want)); diff != "" {
			t.Errorf("%s:\n got %s\nwant %s\n%s", tt.name, got, tt.want, diff)
		}
		var paths []string
		for _, l := range losses {
			paths = append(paths, l.Path)
			if kind, _, ok := strings.Cut(l.Why, ": "); !ok || !slices.Contains([]string{"dropped", "approximated", "emulated", "moved"}, kind) {
				t.Errorf("%s: a loss that does not say what became of it: %s", tt.name, l.Why)
			}
		}
		if !slices.Equal(paths, tt.losses) {
			t.Errorf("%s: losses %q, want %q", tt.name, paths, tt.losses)
		}
	}
}

// TestDocumentNames: no two documents are called alike, and none by what Bedrock
// refuses.
func TestDocumentNames(t *testing.T) {
	seen := map[string]bool{}
	for i, name := range []string{"a", "a", "a  b", "", "é", strings.Repeat("x", 300), strings.Repeat("x", 301), "[1](2)-3"} {
		got := documentName(name, i)
		if seen[got] || len(got) > maxName || strings.Contains(got, "  ") || strings.TrimSpace(got) != got || !strings.HasSuffix(got, strconv.Itoa(i)) {
			t.Errorf("%q is called %q", name, got)
		}
		seen[got] = true
	}
}

func TestErrors(t *testing.T) {
	c := New()
	s := c.DecodeError(429, []byte(`{"__type":"com.amazon#ThrottlingException","message":"slow"}`))
	if s.Code != "ThrottlingException" || s.Message != "slow" || s.Status != 429 {
		t.Errorf("%+v", s)
	}
	for _, tt := range []struct {
		f      fault.Fault
		status int
		kind   string
	}{
		{fault.Fault{Class: fault.RateLimited}, 429, "ThrottlingException"},
		{fault.Fault{Class: fault.Overloaded}, 503, "ServiceUnavailableException"},
		{fault.Fault{Class: fault.BadRequest, Status: 404}, 404, "ResourceNotFoundException"},
		{fault.Fault{Class: fault.Malformed, Msg: "\""}, 400, "ValidationException"},
		{fault.Fault{Class: fault.Broken}, 500, "InternalServerException"},
		{fault.Fault{Class: fault.Internal}, 500, "InternalServerException"},
	} {
		status, body := c.EncodeError(&tt.f, "id1")
		back := c.DecodeError(status, body)
		if status != tt.status || back.Code != tt.kind || back.Message == "" || !strings.Contains(string(body), `"requestId":"id1"`) {
			t.Errorf("%+v: %d %s", tt.f, status, body)
		}
		frames := codectest.Frames(c.StreamError(nil, &tt.f, "id1"))
		if len(frames) != 1 || c.NewTap().Frame(frames[0].Event, frames[0].Data) != protocol.Failed {
			t.Errorf("%+v: in a stream %q", tt.f, frames)
		}
	}
	if f := codectest.Frames(c.Heartbeat()); len(f) != 0 {
		t.Errorf("a heartbeat says %q", f)
	}
	if p, err := c.Peek([]byte(`{"model":"m","stream":true,"messages":[]}`)); err != nil || p.Model != "" || p.Stream {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := c.Peek([]byte(`[]`)); err == nil {
		t.Error("an array was taken for a request")
	}
	if b, err := c.SetModel([]byte(`{}`), "m"); string(b) != `{}` || err != nil {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := c.DecodeResponse([]byte(`{`)); !errors.As(err, new(*fault.Fault)) {
		t.Errorf("half an answer: %v", err)
	}
}
