package gemini

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"slices"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
)

func TestGeneration(t *testing.T) {
	for model, want := range map[string]generation{
		"gemini-2.5-pro": 25, "gemini-2.0-flash-lite-001": 20, "gemini-3-pro-preview": 30, "gemini-3.8-flash": 38, "gemini-4-argon": 40,
		"models/gemini-1.5-pro": 15, "google/gemini-2p5-flash": 25, "gemini-flash-latest": newest, "gemini-10-x": newest, "gemini-": newest,
		"gemma-3-27b": 0, "claude-sonnet-4-5": 0, "": 0,
	} {
		if got := generationOf(model); got != want {
			t.Errorf("%s: %d, want %d", model, got, want)
		}
	}
}

func TestCamel(t *testing.T) {
	for in, want := range map[string]string{"thought_signature": "thoughtSignature", "_responseJsonSchema": "responseJsonSchema", "response_json_schema": "responseJsonSchema", "topK": "topK", "a__b_": "aB", "": ""} {
		if got := string(camel([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestMalformed: what cannot be read is said, and where.
func TestMalformed(t *testing.T) {
	for _, c := range []struct{ body, param string }{
		{`{"contents":[{"role":"robot","parts":[]}]}`, "contents[0].role"},
		{`{"contents":[7]}`, "contents[0]"},
		{`{"contents":[{"parts":[7]}]}`, "contents[0].parts[0]"},
		{`{"tools":[7]}`, "tools[0]"},
		{`{"tools":[{"functionDeclarations":[7]}]}`, "tools[0].functionDeclarations[0]"},
		{`{"contents":[}`, ""},
		{`[]`, ""},
	} {
		_, err := New().DecodeRequest([]byte(c.body))
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Class != fault.Malformed || f.Param != c.param || f.Msg == "" {
			t.Errorf("%s: %v", c.body, err)
		}
	}
}

// TestDecodeChoice: every mode has a neutral reading.
func TestDecodeChoice(t *testing.T) {
	for _, c := range []struct {
		config string
		mode   llm.ChoiceMode
		must   bool
		names  int
	}{
		{`{"mode":"AUTO"}`, llm.ChoiceAuto, false, 0},
		{`{"mode":"none"}`, llm.ChoiceNone, false, 0},
		{`{"mode":"ANY"}`, llm.ChoiceRequired, false, 0},
		{`{"mode":"ANY","allowedFunctionNames":["a"]}`, llm.ChoiceNamed, false, 1},
		{`{"mode":"ANY","allowed_function_names":["a","b"]}`, llm.ChoiceAllowed, true, 2},
		{`{"mode":"VALIDATED","allowedFunctionNames":["a"]}`, llm.ChoiceAllowed, false, 1},
		{`{"mode":"VALIDATED"}`, llm.ChoiceAuto, false, 0},
		{`{"mode":"MODE_UNSPECIFIED"}`, llm.ChoiceUnset, false, 0},
	} {
		r, err := New().DecodeRequest([]byte(`{"toolConfig":{"functionCallingConfig":` + c.config + `}}`))
		if err != nil || r.Choice.Mode != c.mode || r.Choice.Must != c.must || len(r.Choice.Tools) != c.names {
			t.Errorf("%s: %v %+v", c.config, err, r.Choice)
		}
	}
}

// TestDecodeThinking: a budget of none is off, a negative one leaves it to the
// model, a level is an effort; a level that is none is not said.
func TestDecodeThinking(t *testing.T) {
	for _, c := range []struct {
		config string
		want   llm.Reason
	}{
		{`{"thinkingBudget":0}`, llm.Reason{Mode: llm.ReasonOff}},
		{`{"thinking_budget":-1,"includeThoughts":true}`, llm.Reason{Mode: llm.ReasonAuto, Show: llm.ShowSummary}},
		{`{"thinkingBudget":"8192","include_thoughts":false}`, llm.Reason{Mode: llm.ReasonBudget, Budget: 8192, Show: llm.ShowNone}},
		{`{"thinkingLevel":"HIGH"}`, llm.Reason{Mode: llm.ReasonEffort, Effort: "high"}},
		{`{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}`, llm.Reason{}},
	} {
		r, err := New().DecodeRequest([]byte(`{"generationConfig":{"thinkingConfig":` + c.config + `}}`))
		if got := r.Reason; err != nil || got.Mode != c.want.Mode || got.Budget != c.want.Budget || got.Effort != c.want.Effort || got.Show != c.want.Show {
			t.Errorf("%s: %v %+v", c.config, err, got)
		}
	}
}

// TestThinkingConfig: the table of spec upstreams §2.3.1, for the models that
// take budgets and for those that take levels.
func TestThinkingConfig(t *testing.T) {
	effort := func(s string) llm.Reason { return llm.Reason{Mode: llm.ReasonEffort, Effort: s} }
	budget := func(n int64) llm.Reason {
		return llm.Reason{Mode: llm.ReasonBudget, Budget: n, Show: llm.ShowNone}
	}
	for _, c := range []struct {
		model  string
		reason llm.Reason
		want   string // the thinkingConfig
		lost   bool
	}{
		{"gemini-2.5-pro", llm.Reason{Mode: llm.ReasonAuto}, `{"includeThoughts":true,"thinkingBudget":-1}`, false},
		{"gemini-2.5-pro", llm.Reason{Mode: llm.ReasonAuto, Effort: "low", Show: llm.ShowNone}, `{"thinkingBudget":2048}`, false},
		{"gemini-2.5-pro", llm.Reason{Mode: llm.ReasonBudget, Budget: 5000}, `{"includeThoughts":true,"thinkingBudget":5000}`, false},
		{"gemini-2.5-pro", effort("minimal"), `{"thinkingBudget":512}`, false},
		{"gemini-2.5-pro", effort("max"), `{"thinkingBudget":32768}`, false},
		{"gemini-2.5-flash", effort("low"), `{"thinkingBudget":1024}`, false},
		{"gemini-2.5-flash", effort("xhigh"), `{"thinkingBudget":24576}`, false},
		{"gemini-2.5-flash", llm.Reason{Mode: llm.ReasonOff}, `{"thinkingBudget":0}`, false},
		{"gemini-2.5-flash-lite", budget(100), `{"thinkingBudget":512}`, true},
		{"gemini-2.5-pro", budget(50000), `{"thinkingBudget":32768}`, true},
		{"gemini-2.5-pro", budget(5000), `{"thinkingBudget":5000}`, false},
		{"gemini-2.5-pro", effort("huge"), ``, true},
		{"gemini-3-flash-preview", llm.Reason{Mode: llm.ReasonOff}, `{"thinkingLevel":"MINIMAL"}`, true},
		{"gemini-3-pro-preview", effort("medium"), `{"thinkingLevel":"LOW"}`, true},
		{"gemini-3.1-pro", effort("minimal"), `{"thinkingLevel":"LOW"}`, true},
		{"gemini-3.1-pro", budget(20000), `{"thinkingLevel":"HIGH"}`, true},
		{"gemini-3.1-pro", llm.Reason{Mode: llm.ReasonAuto, Show: llm.ShowAll}, `{"includeThoughts":true}`, false},
		{"gemini-4-argon", effort("max"), `{"thinkingLevel":"HIGH"}`, true},
		{"gemini-2.0-flash", llm.Reason{Mode: llm.ReasonOff}, ``, false},
	} {
		out, losses, err := New().EncodeRequest(nil, &llm.Request{Reason: c.reason}, &protocol.Fit{Model: c.model, Native: true})
		if err != nil {
			t.Fatal(err)
		}
		losses = slices.DeleteFunc(losses, func(l llm.Loss) bool { return l.Path == "messages" })
		if got := string(jsonedit.Path(out, "generationConfig", "thinkingConfig")); got != c.want || len(losses) > 0 != c.lost {
			t.Errorf("%s, %+v: %s %v, want %s", c.model, c.reason, got, losses, c.want)
		}
	}
}

// TestResponses: what a function gave back comes through as it was (D18), also
// a text that looks like JSON.
func TestResponses(t *testing.T) {
	for _, c := range []struct {
		response, text string
		failed         bool
	}{
		{`{"output":"x"}`, "x", false},
		{`{"output":"{\"a\":1}"}`, `{"a":1}`, false},
		{`{"error":"no"}`, "no", true},
		{`{"error":{"code":1}}`, `{"error":{"code":1}}`, true},
		{`{"error":null,"a":1}`, `{"error":null,"a":1}`, false},
		{`{"result":"x"}`, `{"result":"x"}`, false},
		{`{"output":{"a":1.50}}`, `{"output":{"a":1.50}}`, false},
		{`{}`, "{}", false},
	} {
		body := `{"contents":[{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":` + c.response + `}}]}]}`
		r, err := New().DecodeRequest([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		p := r.Messages[0].Parts[0].(*llm.Result)
		text := ""
		for _, x := range p.Parts {
			text += x.(*llm.Prose).Text.String()
		}
		if text != c.text || p.Failed != c.failed {
			t.Errorf("%s: %q %v", c.response, text, p.Failed)
		}
		out, _, _ := New().EncodeRequest(nil, r, &protocol.Fit{Model: "gemini-3-pro"})
		if d := codectest.Same([]byte(body), out); d != "" {
			t.Errorf("%s: %s", c.response, d)
		}
	}
	for _, c := range []struct {
		name, text string
		failed     bool
		want       string
	}{
		{"a text", "x", false, `{"output":"x"}`},
		{"an object", ` {"a": 1}`, false, ` {"a": 1}`},
		{"nearly an object", `{"a":`, false, `{"output":"{\"a\":"}`},
		{"a list", `[1]`, false, `{"output":"[1]"}`},
		{"what is wrong", "no", true, `{"error":"no"}`},
		{"an object that says what is wrong", `{"error":"no"}`, true, `{"error":"no"}`},
		{"an object of what is wrong", `{"a":1}`, true, `{"error":{"a":1}}`},
	} {
		if got := string(response(nil, []llm.Text{llm.Plain(c.text)}, c.failed, false)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestMedia: types that nobody told, kinds by type, the alphabet for URLs.
func TestMedia(t *testing.T) {
	for _, c := range []struct {
		part string
		want llm.Blob
	}{
		{`{"inlineData":{"mimeType":"image/png","data":"_-8"}}`, llm.Blob{Kind: llm.Image, Type: "image/png", Data: llm.Plain("/+8=")}},
		{`{"inline_data":{"mime_type":"audio/wav","data":"AAAA"}}`, llm.Blob{Kind: llm.Audio, Type: "audio/wav", Data: llm.Plain("AAAA")}},
		{`{"inlineData":{"mimeType":"text/csv","data":"AAAA","displayName":"a.csv"}}`, llm.Blob{Kind: llm.Document, Type: "text/csv", Data: llm.Plain("AAAA"), Name: "a.csv"}},
		{`{"fileData":{"fileUri":"gs://b/c.mp4","mimeType":"video/mp4"}}`, llm.Blob{Kind: llm.Video, Type: "video/mp4", File: "gs://b/c.mp4"}},
		{`{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}`, llm.Blob{Kind: llm.Document, File: "https://generativelanguage.googleapis.com/v1beta/files/x"}},
		{`{"fileData":{"fileUri":"https://youtu.be/x"}}`, llm.Blob{Kind: llm.Video, URL: "https://youtu.be/x"}},
		{`{"fileData":{"fileUri":"https://x.test/a.webp?b"},"mediaResolution":{"level":"MEDIA_RESOLUTION_HIGH"}}`, llm.Blob{Kind: llm.Image, URL: "https://x.test/a.webp?b", Detail: "high"}},
		{`{"inlineData":{"mimeType":"image/png","data":"AAAA"},"mediaResolution":{"level":"MEDIA_RESOLUTION_MEDIUM"}}`, llm.Blob{Kind: llm.Image, Type: "image/png", Data: llm.Plain("AAAA")}},
	} {
		r, err := New().DecodeRequest([]byte(`{"contents":{"parts":[` + c.part + `]}}`))
		if err != nil {
			t.Fatal(err)
		}
		b := r.Messages[0].Parts[0].(*llm.Blob)
		if b.Kind != c.want.Kind || b.Type != c.want.Type || b.Data.String() != c.want.Data.String() || b.URL != c.want.URL || b.File != c.want.File || b.Name != c.want.Name || b.Detail != c.want.Detail {
			t.Errorf("%s: %+v", c.part, b)
		}
	}
	for _, c := range []struct {
		kind llm.BlobKind
		data string
		want string
	}{
		{llm.Image, "iVBORw0KGgo", "image/png"},
		{llm.Image, "UklGRgAA", "image/webp"},
		{llm.Audio, "UklGRgAA", "audio/wav"},
		{llm.Document, "JVBERi0x", "application/pdf"},
		{llm.Image, "", "image/jpeg"},
		{llm.Audio, "zzzz", "audio/wav"},
	} {
		if got := sniff(c.kind, llm.Plain(c.data)); got != c.want {
			t.Errorf("%s: %s, want %s", c.data, got, c.want)
		}
	}
}

// TestOwnTools: what Google runs stays as it was declared, and a count request
// is read like the request within.
func TestOwnTools(t *testing.T) {
	body := `{"generateContentRequest":{"model":"models/m","contents":[{"role":"user","parts":[{"text":"a"}]}],"tools":[{"googleSearch":{"timeRangeFilter":{"startTime":"x"}}},{"mcpServers":[{"name":"a"}]},{"newTool":{"x":1.50}}],"toolConfig":{"retrievalConfig":{"languageCode":"de"},"functionCallingConfig":{"mode":"VALIDATED","streamFunctionCallArguments":true}},"labels":{"a":"b"}}}`
	r, err := New().DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range r.Tools {
		names = append(names, tool.Server)
	}
	if got := strings.Join(names, " "); got != "web_search mcp newTool" || r.Model != "models/m" {
		t.Error(got, r.Model)
	}
	out, losses, _ := New().EncodeRequest(nil, r, &protocol.Fit{Model: "gemini-3-pro"})
	if d := differ("", tidyRequest(grow(t, []byte(body))), tidyRequest(grow(t, out))); d != "" || len(losses) > 0 {
		t.Error(d, losses)
	}
	if lost := llm.Foreign(r, "other"); len(lost) != 4 {
		t.Error("what others do not know is told once each:", lost)
	}
}

// TestMCP: a server of tools that Responses names is one that Gemini 3 calls.
func TestMCP(t *testing.T) {
	r := &llm.Request{Tools: []llm.Tool{{Kind: llm.Server, Server: "mcp", Config: []byte(`{"type":"mcp","server_label":"a","server_url":"https://x.test","headers":{"k":"v"}}`), Extra: llm.Extra{Protocol: "openai-responses"}}}}
	out, losses, _ := New().EncodeRequest(nil, r, &protocol.Fit{Model: "gemini-3-pro", Native: true})
	if got := string(jsonedit.Get(out, "tools")); got != `[{"mcpServers":[{"name":"a","streamableHttpTransport":{"url":"https://x.test","headers":{"k":"v"}}}]}]` || losses[0].Path != "tools[0]" {
		t.Error(got, losses)
	}
	if out, _, _ = New().EncodeRequest(nil, r, &protocol.Fit{Model: "gemini-2.5-pro", Native: true}); jsonedit.Get(out, "tools") != nil {
		t.Errorf("%s", out)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, s := range []string{
		`{"contents":[{"role":"user","parts":[{"text":"a"},{"inline_data":{"mime_type":"image/png","data":"_-8"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"s"},{"text":"t","thought":true}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"x"},"parts":[{"inlineData":{"data":"AAAA"}}]}}]}]}`,
		`{"system_instruction":"s","tools":{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT"}}],"googleSearch":{}},"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"thinkingConfig":{"thinkingBudget":1},"responseSchema":{"type":"STRING"}}}`,
		`{"generateContentRequest":{"generateContentRequest":{}}}`,
	} {
		f.Add([]byte(s))
	}
	fit := &protocol.Fit{Model: "gemini-3-pro-preview", Native: true}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !jsontext.Value(body).IsValid() {
			return
		}
		before := bytes.Clone(body)
		r, err := New().DecodeRequest(body)
		if err != nil {
			return
		}
		for range 2 { // once as it came, once as anybody else's
			out, _, err := New().EncodeRequest(nil, r, fit)
			if err != nil {
				t.Fatal(err)
			}
			if !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
				t.Fatalf("%s\nmakes %s", body, out)
			}
			if again, _, _ := New().EncodeRequest(nil, r, fit); !bytes.Equal(out, again) {
				t.Fatalf("%s\nmakes %s\nthen %s", body, out, again)
			}
			if _, err := New().DecodeRequest(out); err != nil {
				t.Fatalf("%s\nmakes %s\nwhich is not read: %v", body, out, err)
			}
			r.Protocol = "other"
		}
		if out, _, err := openaichat.New().EncodeRequest(nil, r, fit); err != nil || !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatalf("%s\nmakes for chat %s %v", body, out, err)
		}
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
	})
}

// FuzzAnswers: any answer, whole or as a stream of one chunk, is read or
// refused, and what is written of it is sound.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"s"},{"functionCall":{"name":"f"}},{"functionResponse":{"name":"f","response":{}}}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"endIndex":9},"groundingChunkIndices":[0]}]}}],"usageMetadata":{"promptTokenCount":1}}`,
		`{"candidates":[{"index":3,"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a[3].b","stringValue":"x"}]}}]}}]}`,
		`{"promptFeedback":{"blockReason":"SAFETY"}}`,
		`[{"candidates":[{"content":{"parts":[{"executableCode":{"code":"x"}},{"codeExecutionResult":{"output":"y"}},{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB"}}]},"logprobsResult":{"chosenCandidates":[{"token":"a"}]}}]}]`,
	} {
		f.Add([]byte(s))
	}
	echo := &protocol.Echo{ID: "id", Model: "m"}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !jsontext.Value(body).IsValid() {
			return
		}
		if r, err := New().DecodeResponse(body); err == nil {
			for _, c := range []protocol.Translator{New(), openaichat.New()} {
				out, _, err := c.EncodeResponse(nil, r, echo)
				if err != nil || !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true)) {
					t.Fatalf("%s\nmakes %s %v", body, out, err)
				}
			}
		}
		stream := append(append([]byte("data: "), bytes.ReplaceAll(body, []byte("\n"), nil)...), "\n\n"...)
		if _, err := codectest.Fold(New().NewDecoder(), stream); err != nil {
			if _, ok := errors.AsType[*fault.Fault](err); !ok {
				t.Fatalf("%s\nis unlawful: %v", body, err)
			}
			return
		}
		for _, f := range codectest.Frames(rewrite(t, New(), stream)) {
			if !jsontext.Value(f.Data).IsValid(jsontext.AllowDuplicateNames(true)) {
				t.Fatalf("%s\nmakes %s", body, f.Data)
			}
		}
	})
}

// BenchmarkRequest is a conversation of a megabyte from a chat client to
// Google: texts, calls, results.
func BenchmarkRequest(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"model":"m","messages":[{"role":"system","content":"Be brief."}`)
	text := strings.Repeat("The quick brown fox \\\"jumps\\\" over the lazy dog.\\n", 60)
	for i := 0; body.Len() < 1<<20; i++ {
		body.WriteString(`,{"role":"user","content":"` + text + `"},{"role":"assistant","content":"` + text + `","tool_calls":[{"id":"call_` + strings.Repeat("x", i%9) + `","type":"function","function":{"name":"f","arguments":"{\"path\":\"/tmp/a\"}"}}]},{"role":"tool","tool_call_id":"call_` + strings.Repeat("x", i%9) + `","content":"` + text + `"}`)
	}
	body.WriteString(`]}`)
	fit := &protocol.Fit{Model: "gemini-3-pro-preview", Native: true}
	out := make([]byte, 0, 2<<20)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := openaichat.New().DecodeRequest(body.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		if out, _, err = New().EncodeRequest(out[:0], r, fit); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChunk is a chunk of text from Google for a chat client.
func BenchmarkChunk(b *testing.B) {
	d, e := New().NewDecoder(), openaichat.New().NewEncoder(&protocol.Echo{Model: "m"})
	data := []byte(chunk(`{"text":"Hello, world"}`, "", counts))
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

// TestStops: every finish reason of Google's has a neutral one, and every
// neutral one a word of Google's (C14).
func TestStops(t *testing.T) {
	for _, c := range []struct {
		reason string
		want   llm.Stop
		back   string
	}{
		{`"STOP"`, llm.StopEnd, "STOP"},
		{`1`, llm.StopEnd, "STOP"},
		{`"MAX_TOKENS"`, llm.StopLength, "MAX_TOKENS"},
		{`2`, llm.StopLength, "MAX_TOKENS"},
		{`"SAFETY"`, llm.StopFilter, "SAFETY"},
		{`"RECITATION"`, llm.StopFilter, "SAFETY"},
		{`"LANGUAGE"`, llm.StopFilter, "SAFETY"},
		{`"BLOCKLIST"`, llm.StopFilter, "SAFETY"},
		{`"PROHIBITED_CONTENT"`, llm.StopFilter, "SAFETY"},
		{`"SPII"`, llm.StopFilter, "SAFETY"},
		{`"IMAGE_SAFETY"`, llm.StopFilter, "SAFETY"},
		{`11`, llm.StopFilter, "SAFETY"},
		{`"MALFORMED_FUNCTION_CALL"`, llm.StopMalformed, "MALFORMED_FUNCTION_CALL"},
		{`"UNEXPECTED_TOOL_CALL"`, llm.StopMalformed, "MALFORMED_FUNCTION_CALL"},
		{`"TOO_MANY_TOOL_CALLS"`, llm.StopPause, "OTHER"},
		{`"CONTINUATION"`, llm.StopPause, "OTHER"},
		{`"OTHER"`, llm.StopOther, "OTHER"},
		{`"A_NEW_ONE"`, llm.StopOther, "OTHER"},
		{`99`, llm.StopOther, "OTHER"},
		{`"NO_IMAGE"`, llm.StopOther, "OTHER"},
		{``, llm.StopUnset, "STOP"},
		{`"FINISH_REASON_UNSPECIFIED"`, llm.StopUnset, "STOP"},
	} {
		got := stopOf([]byte(c.reason), false)
		if got != c.want || finish(got) != c.back {
			t.Errorf("%s: %d, and back %s", c.reason, got, finish(got))
		}
	}
	for s, want := range map[llm.Stop]string{llm.StopCall: "STOP", llm.StopSequence: "STOP", llm.StopContext: "MAX_TOKENS", llm.StopRefusal: "SAFETY"} {
		if got := finish(s); got != want {
			t.Errorf("%d: %s, want %s", s, got, want)
		}
	}
}
