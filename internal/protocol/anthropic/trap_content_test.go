package anthropic

import (
	"strings"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// Pictures, documents, reasoning.
func TestTrapsOfContent(t *testing.T) {
	const tools = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]`
	spring(t, []trap{
		{
			name: "A41 a picture is what it is, not what it is said to be", in: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,/9j/4AAQ"}},{"type":"image_url","image_url":{"url":"https://e.example/a.png","detail":"auto"}},{"type":"image_url","image_url":{"url":"data:image/tiff;base64,SUkqAA=="}}]}]}`,
			want:   `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/4AAQ"}},{"type":"image","source":{"type":"url","url":"https://e.example/a.png"}}]}]}`,
			losses: "messages[0].content[2]",
		},
		{
			name: "A40 a PDF, a text, a spreadsheet, a file of another's", in: `{"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0x"}},{"type":"file","file":{"filename":"a.csv","file_data":"data:text/csv;base64,YSxiCg=="}},{"type":"file","file":{"filename":"a.xls","file_data":"data:application/vnd.ms-excel;base64,0M8R4A=="}},{"type":"file","file":{"file_id":"file-1"}}]}]}`,
			want:   `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"},"title":"a.pdf"},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b\n"},"title":"a.csv"}]}]}`,
			losses: "messages[0].content[2],messages[0].content[3]",
		},
		{
			name: "a sound", in: `{"messages":[{"role":"user","content":[{"type":"text","text":"what is this?"},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`,
			want: `{"messages":[{"role":"user","content":"what is this?"}]}`, losses: "messages[0].content[1]",
		},
		{
			name: "A29 A30 reasoning without a signature does not go back", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a","reasoning_content":"hm"},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]}`, losses: "messages[1].content[0]",
		},
		{
			name: "A30 not even in this protocol", in: `{"max_tokens":1,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`, losses: "messages[1].content[0]",
		},
		{
			name: "A30 but to a copy that signs nothing", model: "~glm-5.3", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a","reasoning_content":"hm"},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`,
		},
		{
			name: "A33 B5 signed and redacted reasoning goes back as it came", in: `{"max_tokens":1,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"sig"},{"type":"redacted_thinking","data":"enc"},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"sig"},{"type":"redacted_thinking","data":"enc"},{"type":"text","text":"a"}]},{"role":"user","content":"v"}]}`,
		},
		{
			name: "B6 C9 another's seal does not", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"enc"},{"type":"reasoning.text","text":"hm","signature":"sig"}]},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]}`, losses: "messages[1].content[0],messages[1].content[1]",
		},
		{
			name: "A31 a turn that began without thinking goes on without", in: `{"reasoning_effort":"high","messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],` + tools + `}`,
			want: `{"thinking":null}`, losses: "reasoning,reasoning.effort",
		},
		{
			name: "A31 a model that decides for itself need not", model: "claude-opus-4-8", in: `{"reasoning_effort":"high","messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],` + tools + `}`,
			want: `{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`,
		},
		{
			name: "A31 a turn that only begins may think, whatever the one before it did", in: `{"reasoning_effort":"high","max_completion_tokens":20000,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}],` + tools + `}`,
			want: `{"thinking":{"type":"enabled","budget_tokens":16000}}`, losses: "reasoning.effort",
		},
		{
			name: "A32 a forced tool wins over a budget", in: `{"reasoning_effort":"low","messages":[{"role":"user","content":"u"}],` + tools + `,"tool_choice":"required"}`,
			want: `{"thinking":null,"tool_choice":{"type":"any"}}`, losses: "reasoning,reasoning.effort",
		},
	})
}

// Knobs, limits, the form of the answer.
func TestTrapsOfKnobs(t *testing.T) {
	const ask = `"messages":[{"role":"user","content":"u"}]`
	spring(t, []trap{
		{name: "A19 a limit is demanded", in: `{` + ask + `}`, want: `{"max_tokens":32000}`},
		{name: "A19 a model that thinks gets all it can write", model: "claude-opus-4-8", in: `{` + ask + `,"reasoning_effort":"low"}`, want: `{"max_tokens":128000}`},
		{name: "A19 either name", in: `{` + ask + `,"max_completion_tokens":77}`, want: `{"max_tokens":77}`},
		{
			name: "A19 the budget stays below the limit", in: `{` + ask + `,"max_completion_tokens":3000,"reasoning":{"max_tokens":8000}}`,
			want: `{"max_tokens":3000,"thinking":{"type":"enabled","budget_tokens":1976}}`, losses: "reasoning.budget",
		},
		{
			name: "A19 no room to think", in: `{` + ask + `,"max_completion_tokens":2000,"reasoning_effort":"high"}`,
			want: `{"max_tokens":2000,"thinking":null}`, losses: "reasoning",
		},
		{name: "A20 stop sequences", in: `{` + ask + `,"stop":["X","\n"," "]}`, want: `{"stop_sequences":["X"]}`, losses: "stop[1],stop[2]"},
		{name: "A20 one", in: `{` + ask + `,"stop":"X"}`, want: `{"stop_sequences":["X"]}`},
		{name: "X28 knobs of an older model", in: `{` + ask + `,"temperature":1.5,"top_k":5}`, want: `{"temperature":1,"top_k":5}`, losses: "temperature"},
		{name: "X28 one of the two", in: `{` + ask + `,"temperature":0,"top_p":0.5}`, want: `{"temperature":0,"top_p":null}`, losses: "top_p"},
		{name: "X28 the other one, if the first says nothing", in: `{` + ask + `,"temperature":1,"top_p":0.5}`, want: `{"temperature":null,"top_p":0.5}`},
		{name: "X28 later models refuse them", model: "claude-opus-4-8", in: `{` + ask + `,"temperature":0.2,"top_p":1,"top_k":5}`, want: `{"temperature":null,"top_p":null,"top_k":null}`, losses: "temperature,top_k"},
		{name: "X28 but for the default", model: "claude-opus-4-8", in: `{` + ask + `,"temperature":1.0}`, want: `{"temperature":null}`},
		{name: "X28 none while it thinks", in: `{` + ask + `,"temperature":0.2,"top_p":0.97,"reasoning_effort":"medium"}`, want: `{"temperature":null,"top_p":0.97}`, losses: "reasoning.effort,temperature"},
		{
			name: "A37 a schema for the answer", in: `{` + ask + `,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"type":"integer","minimum":1}}}}}}`,
			want:   `{"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"integer","description":"(minimum: 1)"}},"additionalProperties":false}}}}`,
			losses: "output.schema.properties.a.minimum",
		},
		{name: "A37 a model without", model: "claude-opus-4-1", in: `{` + ask + `,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}`, want: `{"output_config":null}`, losses: "output.schema"},
		{name: "A37 any JSON", in: `{` + ask + `,"response_format":{"type":"json_object"}}`, want: `{"system":null,"output_config":null}`, losses: "output"},
		{name: "A38 what has no counterpart", in: `{` + ask + `,"n":2,"logprobs":true,"logit_bias":{"1":2},"seed":7,"frequency_penalty":1,"presence_penalty":0}`, want: `{"n":null}`, losses: "frequency_penalty,logit_bias,logprobs,n,seed"},
		{name: "A39 a user", in: `{` + ask + `,"user":"u-1"}`, want: `{"metadata":{"user_id":"u-1"}}`},
		{name: "A39 an address is nobody's business", in: `{` + ask + `,"user":"ann@e.example"}`, want: `{"metadata":{"user_id":"4c580bdb835c8dd1d4b22a8aef1f3b4c1651c9f17e6ad7bb3ea5a1f7e7f32e68"}}`},
		{name: "A39 a client's own stays", in: `{"max_tokens":1,` + ask + `,"metadata":{"user_id":"{\"session_id\":\"` + strings.Repeat("x", 200) + `\"}"}}`, want: `{"metadata":{"user_id":"{\"session_id\":\"` + strings.Repeat("x", 200) + `\"}"}}`},
		{name: "B10 effort without thinking", model: "claude-opus-4-6", in: `{"max_tokens":9,` + ask + `,"output_config":{"effort":"xhigh"}}`, want: `{"thinking":null,"output_config":{"effort":"high"}}`, losses: "reasoning.effort"},
		{name: "B11 to ask for a summary does not switch thinking on", in: `{` + ask + `,"reasoning":{"exclude":true}}`, want: `{"thinking":null}`},
		{name: "B26 B27 what only Anthropic knows goes back to it", in: `{"max_tokens":9,` + ask + `,"context_management":{"edits":[{"type":"compact_20260112"}]},"container":"c"}`, want: `{"context_management":{"edits":[{"type":"compact_20260112"}]},"container":"c"}`},
		{
			name: "B26 B27 and to no copy of its protocol", model: "~glm-5.3", in: `{"max_tokens":9,` + ask + `,"context_management":{"edits":[{"type":"compact_20260112"}]},"output_config":{"task_budget":{"total":1}},"service_tier":"standard_only","custom":1}`,
			want: `{"context_management":null,"output_config":null,"service_tier":null,"custom":1}`, losses: "context_management,output_config.task_budget,service_tier",
		},
		{
			name: "a copy gets a budget", model: "~glm-5.3", in: `{"max_tokens":10000,` + ask + `,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`,
			want: `{"thinking":{"type":"enabled","budget_tokens":8000},"output_config":null}`, losses: "reasoning.effort",
		},
		{name: "tiers", in: `{` + ask + `,"service_tier":"default"}`, want: `{"service_tier":"standard_only"}`},
		{name: "a tier that it does not have", in: `{` + ask + `,"service_tier":"flex"}`, want: `{"service_tier":null}`, losses: "service_tier"},
	})
}

// TestNoTokens: a client of another protocol that asks for no tokens would
// pay for a cache that is warmed, and get no answer.
func TestNoTokens(t *testing.T) {
	r := &llm.Request{Protocol: protocol.OpenAIChat, Sampling: llm.Sampling{MaxTokens: new(int64(0))}}
	if _, _, err := New().EncodeRequest(nil, r, &protocol.Fit{Model: "claude-opus-4-8", Native: true}); err == nil || !strings.Contains(err.Error(), "max_tokens") {
		t.Errorf("%v", err)
	}
}

// TestPlanOf is spec upstreams §2.3 for each generation.
func TestPlanOf(t *testing.T) {
	effort := func(s string) llm.Reason { return llm.Reason{Mode: llm.ReasonEffort, Effort: s} }
	off, auto, silent := llm.Reason{Mode: llm.ReasonOff}, llm.Reason{Mode: llm.ReasonAuto}, llm.Reason{}
	budget := func(n int64) llm.Reason { return llm.Reason{Mode: llm.ReasonBudget, Budget: n} }
	for _, tt := range []struct {
		model  string
		q      llm.Reason
		limit  int64
		forced bool
		want   plan
		losses int
	}{
		{"claude-3-5-haiku", effort("high"), 8192, false, plan{}, 1},
		{"claude-3-5-haiku", off, 8192, false, plan{}, 0},
		{"claude-sonnet-4-5", silent, 32000, false, plan{}, 0},
		{"claude-sonnet-4-5", off, 32000, false, plan{kind: "disabled"}, 0},
		{"claude-sonnet-4-5", effort("minimal"), 32000, false, plan{kind: "enabled", budget: 1024}, 1},
		{"claude-sonnet-4-5", effort("low"), 64000, false, plan{kind: "enabled", budget: 4096}, 1},
		{"claude-sonnet-4-5", effort("high"), 20000, false, plan{kind: "enabled", budget: 16000}, 1},
		{"claude-sonnet-4-5", effort("max"), 64000, false, plan{kind: "enabled", budget: 60800}, 1},
		{"claude-sonnet-4-5", auto, 20000, false, plan{kind: "enabled", budget: 10000}, 1},
		{"claude-sonnet-4-5", budget(5000), 20000, false, plan{kind: "enabled", budget: 5000}, 0},
		{"claude-sonnet-4-5", budget(10), 20000, false, plan{kind: "enabled", budget: 1024}, 1},
		{"claude-sonnet-4-5", budget(-1), 20000, false, plan{kind: "enabled", budget: 10000}, 1},
		{"claude-sonnet-4-5", budget(0), 20000, false, plan{kind: "disabled"}, 0},
		{"claude-sonnet-4-5", budget(5000), 20000, true, plan{budget: 5000}, 1},
		{"claude-opus-4-5", llm.Reason{Mode: llm.ReasonBudget, Budget: 2000, Effort: "max"}, 20000, false, plan{kind: "enabled", budget: 2000, effort: "high"}, 1},
		{"claude-opus-4-6", effort("xhigh"), 32000, false, plan{kind: "adaptive", effort: "high"}, 1},
		{"claude-opus-4-6", budget(5000), 32000, false, plan{kind: "enabled", budget: 5000}, 0},
		{"claude-opus-4-6", auto, 32000, true, plan{kind: "adaptive"}, 0},
		{"claude-opus-4-8", budget(5000), 32000, false, plan{kind: "adaptive", effort: "low"}, 1},
		{"claude-opus-4-8", budget(31999), 32000, false, plan{kind: "adaptive", effort: "xhigh"}, 1},
		{"claude-opus-4-8", effort("minimal"), 32000, false, plan{kind: "adaptive", effort: "low"}, 1},
		{"claude-opus-4-8", off, 32000, false, plan{kind: "disabled"}, 0},
		{"claude-opus-5", llm.Reason{Mode: llm.ReasonOff, Effort: "max"}, 32000, false, plan{kind: "disabled", effort: "high"}, 1},
		{"claude-sonnet-5-5", off, 32000, false, plan{kind: "between_tools"}, 1},
		{"claude-opus-5-5", off, 32000, false, plan{kind: "adaptive", effort: "low"}, 1},
		{"claude-opus-5-5", silent, 32000, false, plan{}, 0},
		{"claude-opus-5-5", llm.Reason{Show: llm.ShowSummary}, 32000, false, plan{kind: "adaptive"}, 0},
		{"claude-opus-4-8", llm.Reason{Show: llm.ShowSummary}, 32000, false, plan{}, 0},
	} {
		a := abilitiesOf(&protocol.Fit{Model: tt.model, Native: true})
		got := planOf(&tt.q, a, tt.limit, tt.forced)
		if got.kind != tt.want.kind || got.budget != tt.want.budget || got.effort != tt.want.effort || len(got.losses) != tt.losses {
			t.Errorf("%s, %+v of %d: %+v, want %+v and %d losses", tt.model, tt.q, tt.limit, got, tt.want, tt.losses)
		}
	}
}
