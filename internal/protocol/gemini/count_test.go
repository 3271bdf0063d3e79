package gemini

import (
	"strings"
	"testing"

	"portico/internal/tokens"
)

func TestCountText(t *testing.T) {
	for name, c := range map[string]struct {
		body, want string
		media      int
	}{
		"contents": {`{"contents":[{"role":"user","parts":[{"text":"hi\n"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}`, "user|hi||", 1},
		"snake case": {`{"system_instruction":{"parts":[{"text":"be"}]},"contents":[{"parts":[{"inline_data":{"data":"A"}},{"file_data":{"file_uri":"u"}},{"function_call":{"name":"f","args":{"a":1}}}]}],` +
			`"generation_config":{"response_schema":{"type":"OBJECT"}}}`, `be|f|{"a":1}|{"type":"OBJECT"}|`, 2},
		"whole request": {
			`{"generateContentRequest":{"model":"models/x","systemInstruction":{"role":"user","parts":[{"text":"be"}]},"contents":{"parts":{"text":"one"}},` +
				`"tools":[{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}],"generationConfig":{"temperature":1,"responseJsonSchema":{"type":"object"}}}}`,
			`user|be|one|{"functionDeclarations":[{"name":"f"}]}|{"googleSearch":{}}|{"type":"object"}|`, 0,
		},
		"whole request, snake case": {`{"generate_content_request":{"contents":[{"parts":[{"text":"one"}]}]}}`, "one|", 0},
		"calls": {
			`{"contents":[{"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"id":"1","name":"f","args":{"a":[]}},"thoughtSignature":"AAAA"},{"executableCode":{"language":"PYTHON","code":"x=1"}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"},"parts":[{"inlineData":{"data":"A"}}]}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"42"}},` +
				`{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{"q":1}}}]}]}`,
			`model|hm|f|{"a":[]}|x=1|user|f|{"output":"ok"}|42|GOOGLE_SEARCH_WEB|{"q":1}|`, 1,
		},
		"a text to embed":    {`{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY"}`, "a|", 0},
		"a batch":            {`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}`, "a|b|", 0},
		"strings for parts":  {`{"contents":"one","systemInstruction":"be"}`, "one|be|", 0},
		"what is none of it": {`{"contents":[7,{"parts":[7,{"text":8,"functionCall":9}]}],"tools":{},"generationConfig":[]}`, "", 0},
	} {
		got, media, err := New().CountText([]byte(">"), []byte(c.body))
		if s := strings.ReplaceAll(string(got), "\n", "|"); err != nil || s != ">"+c.want || media != c.media {
			t.Errorf("%s: got %s and %d media, %v", name, s, media, err)
		}
	}
	for _, body := range []string{``, `[]`, `{"contents":[`} {
		if _, _, err := New().CountText(nil, []byte(body)); err == nil {
			t.Errorf("%q was counted", body)
		}
	}
	if got := string(New().EncodeCount(31)); got != `{"totalTokens":31}` {
		t.Errorf("the count is %s", got)
	}
	text, media, _ := New().CountText(nil, []byte(`{"contents":[]}`))
	if n := tokens.Estimate(text, media, "gemini-2.5-pro"); n < 1 {
		t.Errorf("nothing is %d tokens", n)
	}
}

func FuzzCountText(f *testing.F) {
	f.Add([]byte(`{"contents":[{"parts":[{"text":"\ud800"},{"functionResponse":{"parts":[{"fileData":{}}]}}]}]}`))
	f.Add([]byte(`{"generateContentRequest":{"tools":[{}],"contents":{"parts":{"text":"a"}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		text, media, err := New().CountText([]byte("x"), body)
		if err == nil && (len(text) < 1 || text[0] != 'x' || media < 0 || len(text) > 8*len(body)+1) {
			t.Errorf("%q: %d bytes, %d media", body, len(text), media)
		}
	})
}
