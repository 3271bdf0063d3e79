package anthropic

import (
	"strings"
	"testing"
)

func TestCountText(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		want  string // lines joined by |
		media int
	}{
		"strings": {
			`{"model":"m","max_tokens":5,"system":"be kind","messages":[{"role":"user","content":"say \"hi\"\n"}]}`, "be kind|user|say \"hi\"\n", 0,
		},
		"blocks": {
			`{"system":[{"type":"text","text":"be kind","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"system","content":"c"}]}`,
			"be kind|user|a|b|system|c", 0,
		},
		"thinking without its seal": {
			`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"EqQBAAAA"},{"type":"redacted_thinking","data":"EqQBBBBB"}]}]}`, "assistant|hm", 0,
		},
		"a call and its result": {
			`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}},{"type":"tool_use","id":"t","name":"g","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":"bad"},{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}},{"type":"tool_reference","tool_name":"WebFetch"}]}]}]}`,
			`assistant|f|{"a": 1}|g|user|bad|x|WebFetch`, 1,
		},
		"media": {
			`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}},{"type":"image","source":{"type":"file","file_id":"file_1"}},{"type":"document","title":"T","context":"C","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"}}]}]}`,
			"user|T|C", 3,
		},
		"documents of text": {
			`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"plain"}},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"part"},{"type":"image","source":{"type":"base64","data":"iVBO"}}]}}]}]}`,
			"user|plain|part", 1,
		},
		"what hosted tools found": {
			`{"messages":[{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"u","title":"t","encrypted_content":"AAAA"}]},{"type":"bash_code_execution_tool_result","content":{"type":"bash_code_execution_result","stdout":"out","stderr":"","return_code":0,"content":[]}},{"type":"web_fetch_tool_result","content":{"type":"web_fetch_result","url":"v","content":{"type":"document","title":"d","source":{"type":"text","data":"page"}}}},{"type":"compaction","content":"summary","encrypted_content":"BBBB"}]},{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]}]}`,
			`assistant|web_search|{"query":"q"}|u|t|out||v|d|page|summary|user|s|t|x`, 0,
		},
		"tools": {
			`{"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}},{"name":"g","defer_loading":true,"input_schema":{}}],"messages":[]}`,
			`{"name":"f","description":"d","input_schema":{"type":"object"}}`, 0,
		},
		"the schema of the answer": {
			`{"output_config":{"effort":"high","format":{"type":"json_schema","schema":{"a":1}}},"output_format":{"schema":{"b":2}}}`, `{"a":1}|{"b":2}`, 0,
		},
		"nothing":    {`{}`, "", 0},
		"odd shapes": {`{"system":7,"messages":[1,null,{"role":5,"content":{"text":["x"]}},{"content":[[{"type":"text","text":"x"}],3]}],"tools":{"a":1}}`, "", 0},
		"unknown":    {`{"messages":[{"role":"user","content":[{"type":"hologram","rays":"AAAA","text":"t"}]}],"mcp_servers":[{"name":"x"}]}`, "user|t", 0},
	} {
		text, media, err := New().CountText([]byte("<"), []byte(c.body))
		want := "<"
		if c.want != "" {
			want += strings.ReplaceAll(c.want, "|", "\n") + "\n"
		}
		if err != nil || string(text) != want || media != c.media {
			t.Errorf("%s: got %q, %d, %v\nwant %q, %d", name, text, media, err, want, c.media)
		}
	}
	for _, body := range []string{``, `[]`, `{"messages":[{"role":"user"`, `{"messages":[{"role":"\x"}]}`, `{"messages":[{"role":"user" "content":"x"}]}`} {
		if _, _, err := New().CountText(nil, []byte(body)); err == nil {
			t.Errorf("%q was counted", body)
		}
	}
}

// TestCountTextNested keeps content within content within content from being
// read again at every level.
func TestCountTextNested(t *testing.T) {
	nest := func(n int, inner string) []byte {
		return []byte(`{"messages":[{"role":"","content":` + strings.Repeat(`[{"content":`, n) + inner + strings.Repeat(`}]`, n) + `}]}`)
	}
	for n, want := range map[int]string{maxNesting - 1: "\nx\n", maxNesting: "\n"} {
		if text, _, err := New().CountText(nil, nest(n, `"x"`)); err != nil || string(text) != want {
			t.Errorf("%d levels: %q, %v; want %q", n, text, err, want)
		}
	}
}

func TestEncodeCount(t *testing.T) {
	if got := string(New().EncodeCount(12)); got != `{"input_tokens":12}` {
		t.Errorf("got %s", got)
	}
}

func FuzzCountText(f *testing.F) {
	f.Add([]byte(`{"system":[{"type":"text","text":"a"}],"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"source":{"type":"content","content":"x"}}]}]}],"tools":[{}]}`))
	f.Add([]byte(`{"messages":[{"content":{"source":{"type":"text","data":"\ud83d\ude00"}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		text, media, err := New().CountText(nil, body)
		if err != nil {
			return
		}
		// Texts are unquoted, never longer than they are written, and
		// each costs a line end for its quotes.
		if len(text) > len(body)+maxNesting || media < 0 || media > len(body) {
			t.Errorf("%d bytes and %d media of %d bytes", len(text), media, len(body))
		}
	})
}
