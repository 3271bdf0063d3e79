package anthropic

import (
	"slices"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/wire"
)

// A trap is a request and what must become of it. Traps are named as in spec
// translation-traps.
type trap struct {
	name  string
	model string // of the upstream; "": claude-sonnet-4-5. With a "~" in front a copy of the protocol serves it
	in    string // a chat request, or one of this protocol if it has max_tokens
	// want is compared member by member; null: there is no such member.
	want   string
	losses string // the places of the losses, with commas
}

func (c *trap) fit() *protocol.Fit {
	model, copied := strings.CutPrefix(c.model, "~")
	if model == "" {
		model = "claude-sonnet-4-5"
	}
	fit := &protocol.Fit{Model: model, Native: !copied, Vendor: "anthropic"}
	if copied {
		fit.Vendor = "zai"
	}
	return fit
}

func (c *trap) decode(t *testing.T) *llm.Request {
	t.Helper()
	decode := openaichat.New().DecodeRequest
	if jsonedit.Get([]byte(c.in), "max_tokens") != nil {
		decode = New().DecodeRequest
	}
	r, err := decode([]byte(c.in))
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	return r
}

func spring(t *testing.T, traps []trap) {
	t.Helper()
	for _, c := range traps {
		t.Run(c.name, func(t *testing.T) {
			out, losses, err := New().EncodeRequest(nil, c.decode(t), c.fit())
			if err != nil {
				t.Fatal(err)
			}
			for m := range wire.Object([]byte(c.want)) {
				got := jsonedit.Get(out, string(m.Name))
				if string(m.Value) == "null" {
					if got != nil {
						t.Errorf("there is %s: %s", m.Name, got)
					}
				} else if got == nil {
					t.Errorf("there is no %s in %s", m.Name, out)
				} else if d := codectest.Same(got, m.Value); d != "" {
					t.Errorf("%s is\n%s\nwant\n%s", m.Name, got, m.Value)
				}
			}
			var at []string
			for _, l := range losses {
				at = append(at, l.Path)
			}
			slices.Sort(at)
			if got := strings.Join(slices.Compact(at), ","); got != c.losses {
				t.Errorf("losses at %q, want %q: %v", got, c.losses, losses)
			}
		})
	}
}

// Instructions and turns.
func TestTrapsOfTurns(t *testing.T) {
	spring(t, []trap{
		{
			name: "A1 one instruction is a string", in: `{"messages":[{"role":"system","content":"S"},{"role":"user","content":"u"}]}`,
			want: `{"system":"S","messages":[{"role":"user","content":"u"}]}`,
		},
		{
			name: "A1 several are blocks, with their breakpoints", in: `{"messages":[{"role":"system","content":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"developer","content":"D"},{"role":"user","content":"u"}]}`,
			want: `{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"D"}]}`,
		},
		{
			name: "A1 as they came", in: `{"max_tokens":1,"system":[{"type":"text","text":"S"}],"messages":[{"role":"user","content":[{"type":"text","text":"u"}]}]}`,
			want: `{"system":[{"type":"text","text":"S"}],"messages":[{"role":"user","content":[{"type":"text","text":"u"}]}]}`,
		},
		{
			name: "A2 an instruction in between is the user's, before Claude 4.7", in: `{"messages":[{"role":"user","content":"u"},{"role":"system","content":"S"},{"role":"user","content":"v"}]}`,
			want: `{"system":null,"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"text","text":"S"},{"type":"text","text":"v"}]}]}`, losses: "messages[1]",
		},
		{
			name: "A2 B28 it keeps its role since, behind the user", model: "claude-opus-4-8", in: `{"messages":[{"role":"user","content":"u"},{"role":"system","content":"S"},{"role":"user","content":"v"},{"role":"assistant","content":"a"},{"role":"user","content":"w"}]}`,
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"text","text":"v"}]},{"role":"system","content":"S"},{"role":"assistant","content":"a"},{"role":"user","content":"w"}]}`, losses: "messages[1].content[0]",
		},
		{
			name: "A2 it does not part a call from its result", model: "claude-opus-4-8", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"system","content":"S"},{"role":"tool","tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"}]},{"role":"system","content":"S"}]}`,
		},
		{
			name: "A3 instructions alone", in: `{"messages":[{"role":"system","content":"S"}]}`,
			want: `{"system":"S","messages":[{"role":"user","content":"."}]}`, losses: "messages",
		},
		{
			name: "A4 results stand together, first, and in the order of the calls", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"a","content":"A"},{"role":"user","content":"v"},{"role":"user","content":"w"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"},{"type":"tool_result","tool_use_id":"b","content":"B"},{"type":"text","text":"v"},{"type":"text","text":"w"}]}]}`,
		},
		{
			name: "C2 the user speaks first", in: `{"messages":[{"role":"assistant","content":"a"},{"role":"user","content":"u"}]}`,
			want: `{"messages":[{"role":"user","content":"."},{"role":"assistant","content":"a"},{"role":"user","content":"u"}]}`, losses: "messages",
		},
		{
			name: "B1 C3 a call without a result, and a result without a call", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"x","content":"X"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
			want:   `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"The result of this call is missing.","is_error":true},{"type":"text","text":"[What a tool answered to a call that is not part of this conversation]"},{"type":"text","text":"X"}]}]}`,
			losses: "messages[1].content[0],messages[2].content[0]",
		},
		{
			name: "B1 a result that comes late", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"well?"},{"role":"assistant","content":"wait"},{"role":"tool","tool_call_id":"a","content":"A"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
			want:   `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"},{"type":"text","text":"well?"}]},{"role":"assistant","content":"wait"},{"role":"user","content":"."}]}`,
			losses: "messages,messages[4].content[0]",
		},
		{
			name: "A34 empty texts", in: `{"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"text","text":"","cache_control":{"type":"ephemeral"}}]},{"role":"assistant","content":""},{"role":"user","content":"  "}]}`,
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"u","cache_control":{"type":"ephemeral"}}]}]}`,
		},
		{
			name: "A34 a turn of the user that says nothing", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":""}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"."}]}`, losses: "messages",
		},
		{
			name: "the beginning of an answer", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"it is: "}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"it is:"}]}`, losses: "messages[1].content[0]",
		},
		{
			name: "the beginning of an answer that the model does not take", model: "claude-opus-4-6", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"it is:"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"it is:"},{"role":"user","content":"Continue your last message exactly where it stops. Repeat nothing of it."}]}`, losses: "messages[1].content[0]",
		},
		{
			name: "B30 a refusal in the history is text", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"v"}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"no"},{"role":"user","content":"v"}]}`,
		},
		{
			name: "A42 Claude Code's attribution stays with Anthropic", in: `{"max_tokens":1,"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=1;"},{"type":"text","text":"S"}],"messages":[{"role":"user","content":"u"}]}`,
			want: `{"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=1;"},{"type":"text","text":"S"}]}`,
		},
		{
			name: "A42 and goes to no copy of its protocol", model: "~glm-5.3", in: `{"max_tokens":1,"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=1;"},{"type":"text","text":"S"}],"messages":[{"role":"user","content":"u"}]}`,
			want: `{"system":[{"type":"text","text":"S"}]}`,
		},
		{
			name: "X2 nothing is escaped that need not be", in: `{"messages":[{"role":"user","content":"<a href=\"x\">&\u00e9"}]}`,
			want: `{"messages":[{"role":"user","content":"<a href=\"x\">&é"}]}`,
		},
	})
}

// Tools, calls and results.
func TestTrapsOfTools(t *testing.T) {
	const ask = `"messages":[{"role":"user","content":"u"}]`
	const f = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]`
	spring(t, []trap{
		{
			name: "A8 a result without content", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":""}],` + f + `}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]}]}`,
		},
		{
			name: "A9 a failed tool shows nothing in its result", model: "~glm-5.3", in: `{"max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"text","text":"no"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]}]}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"text","text":"no"}]},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]}]}`, losses: "messages[2].content[0]",
		},
		{
			name: "A12 A13 arguments that are no object stand in one, word by word", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}},{"id":"b","type":"function","function":{"name":"f","arguments":"[1.50]"}},{"id":"c","type":"function","function":{"name":"f","arguments":""}},{"id":"d","type":"function","function":{"name":"f","arguments":"{\"n\":1e400}"}}]},{"role":"tool","tool_call_id":"a","content":"A"},{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"c","content":"C"},{"role":"tool","tool_call_id":"d","content":"D"}],` + f + `}`,
			want:   `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"arguments":"{\"x\":"}},{"type":"tool_use","id":"b","name":"f","input":{"arguments":[1.50]}},{"type":"tool_use","id":"c","name":"f","input":{}},{"type":"tool_use","id":"d","name":"f","input":{"n":1e400}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"},{"type":"tool_result","tool_use_id":"b","content":"B"},{"type":"tool_result","tool_use_id":"c","content":"C"},{"type":"tool_result","tool_use_id":"d","content":"D"}]}]}`,
			losses: "messages[1].content[0],messages[1].content[1]",
		},
		{
			name: "A13 an input that is no object stays as it is", in: `{"max_tokens":1,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":[1,"x"]}]}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":[1,"x"]}]}]}`,
		},
		{
			name: "A14 a missing schema, and one without properties", in: `{` + ask + `,"tools":[{"type":"function","function":{"name":"f","description":"d"}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}]}`,
			want: `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}},{"name":"g","input_schema":{"type":"object","properties":{}}}]}`,
		},
		{
			name: "A15 a union at the root of a schema", in: `{` + ask + `,"tools":[{"type":"function","function":{"name":"f","parameters":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}}]}}}]}`,
			want: `{"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}]}`, losses: "tools[0].parameters.anyOf",
		},
		{
			name: "A17 a tool is demanded where there is none", in: `{` + ask + `,"tool_choice":"required"}`,
			want: `{"tool_choice":null,"tools":null}`, losses: "tool_choice",
		},
		{
			name: "A16 required", in: `{` + ask + `,` + f + `,"tool_choice":"required","parallel_tool_calls":false}`,
			want: `{"tool_choice":{"type":"any","disable_parallel_tool_use":true}}`,
		},
		{
			name: "A16 named", in: `{` + ask + `,` + f + `,"tool_choice":{"type":"function","function":{"name":"g"}},"parallel_tool_calls":true}`,
			want: `{"tool_choice":{"type":"tool","name":"g"}}`,
		},
		{
			name: "A16 none", in: `{` + ask + `,` + f + `,"tool_choice":"none","parallel_tool_calls":false}`,
			want: `{"tool_choice":{"type":"none"}}`,
		},
		{
			name: "A16 one at a time, whatever is chosen", in: `{` + ask + `,` + f + `,"parallel_tool_calls":false}`,
			want: `{"tool_choice":{"type":"auto","disable_parallel_tool_use":true}}`,
		},
		{
			name: "A16 some of them", in: `{` + ask + `,` + f + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}}`,
			want: `{"tools":[{"name":"g","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"any"}}`, losses: "tool_choice",
		},
		{
			name: "A17 a choice of an unknown tool", in: `{` + ask + `,` + f + `,"tool_choice":{"type":"function","function":{"name":"x"}}}`,
			want: `{"tool_choice":null}`, losses: "tool_choice",
		},
		{
			name: "A17 a choice without tools", in: `{` + ask + `,"tool_choice":"auto","parallel_tool_calls":false}`,
			want: `{"tools":null,"tool_choice":null}`,
		},
		{
			name: "a model that refuses to be forced is told in words", model: "claude-opus-5-5", in: `{` + ask + `,` + f + `,"tool_choice":{"type":"function","function":{"name":"g"}}}`,
			want: `{"tool_choice":{"type":"auto"},"messages":[{"role":"user","content":[{"type":"text","text":"u"},{"type":"text","text":"Call the tool g now."}]}]}`, losses: "tool_choice",
		},
		{
			name: "A18 calls in the history and no tools", model: "~glm-5", in: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`,
			want: `{"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"none"}}`, losses: "tools",
		},
		{
			name: "strict where the schema can be held", in: `{` + ask + `,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},{"type":"function","function":{"name":"g","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string","minLength":3}},"required":["a"],"additionalProperties":false}}}]}`,
			want:   `{"tools":[{"name":"f","strict":true,"input_schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}},{"name":"g","input_schema":{"type":"object","properties":{"a":{"type":"string","minLength":3}},"required":["a"],"additionalProperties":false}}]}`,
			losses: "tools[1].strict",
		},
		{
			name: "A35 four breakpoints, the last ones, and none on a deferred tool", in: `{"messages":[{"role":"system","content":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral"}},{"type":"text","text":"2","cache_control":{"type":"ephemeral"}},{"type":"text","text":"3","cache_control":{"type":"ephemeral"}},{"type":"text","text":"4","cache_control":{"type":"ephemeral"}}]}]}`,
			want:   `{"system":[{"type":"text","text":"S"}],"messages":[{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral"}},{"type":"text","text":"2","cache_control":{"type":"ephemeral"}},{"type":"text","text":"3","cache_control":{"type":"ephemeral"}},{"type":"text","text":"4","cache_control":{"type":"ephemeral"}}]}]}`,
			losses: "cache_control",
		},
		{
			name: "A36 an hour crosses, but not behind a shorter one", in: `{"messages":[{"role":"system","content":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"12h"}}]},{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral","ttl":"30m"}},{"type":"text","text":"2","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}`,
			want:   `{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral"}},{"type":"text","text":"2","cache_control":{"type":"ephemeral"}}]}]}`,
			losses: "cache_control",
		},
		{
			name: "a web search of another protocol", in: `{` + ask + `,"web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"country":"DE","city":"Bonn"}}}}`,
			want: `{"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":5,"user_location":{"type":"approximate","country":"DE","city":"Bonn"}}]}`, losses: "tools[0].search_context_size",
		},
		{
			name: "B17 deferred tools where nobody can search", model: "~glm-5.3", in: `{"max_tokens":9,` + ask + `,"tools":[{"name":"f","defer_loading":true,"input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}]}`,
			want: `{"tools":[{"name":"f","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}}]}`, losses: "tools[0].defer_loading",
		},
		{
			name: "A7 what a tool returned beside text, and a copy cannot read", model: "~glm-5.3", in: `{"max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"tool_reference","tool_name":"WebFetch"},{"type":"search_result","source":"https://e.example","title":"T","content":[{"type":"text","text":"x"}]}]}]}]}`,
			want: `{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"[Tool loaded: WebFetch]"},{"type":"text","text":"T\nhttps://e.example\nx"}]}]}]}`, losses: "messages[2].content[0]",
		},
	})
}
