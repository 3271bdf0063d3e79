package simulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// A wants is a request without its dialect.
type wants struct {
	model  string // "simulator" if empty
	system string
	said   string // the user's turn
	before bool   // an exchange lies before it
	result string // of the call of a tool that the turn consists of instead
	tools  bool   // add and (where the dialect has custom tools) note
	choice string // "required", "none" or the name of a tool
	single bool
	think  string // "shown" or "hidden"
	schema string
	stop   string
	limit  int
	copies int
	image  bool // the user shows one
	marks  bool // Anthropic's marks of what to cache
}

const addSchema = `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}`

// pixel is the smallest image that a test sends, 68 bytes.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// members joins those that are not empty.
func members(list ...string) string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

func when(ok bool, format string, args ...any) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func (w wants) name() string {
	if w.model == "" {
		return "simulator"
	}
	return w.model
}

// limited is the limit on tokens, which Anthropic's protocol must have.
func (w wants) limited() int {
	if w.limit == 0 {
		return 4096
	}
	return w.limit
}

func (w wants) chat(stream bool) (path, body string) {
	var ms []string
	if w.system != "" {
		ms = append(ms, fmt.Sprintf(`{"role":"system","content":%q}`, w.system))
	}
	if w.before {
		ms = append(ms, `{"role":"user","content":"earlier [[say:no]]"}`, `{"role":"assistant","content":"yes"}`)
	}
	switch {
	case w.result != "":
		ms = append(ms, `{"role":"assistant","content":null,"tool_calls":[{"id":"call_9","type":"function","function":{"name":"add","arguments":"{}"}}]}`,
			fmt.Sprintf(`{"role":"tool","tool_call_id":"call_9","content":%q}`, w.result))
	case w.image:
		ms = append(ms, fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":%q},{"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}]}`, w.said, pixel))
	default:
		ms = append(ms, fmt.Sprintf(`{"role":"user","content":%q}`, w.said))
	}
	choice := fmt.Sprintf(`"tool_choice":%q`, w.choice)
	if w.choice == "add" {
		choice = `"tool_choice":{"type":"function","function":{"name":"add"}}`
	}
	return "/chat/completions", members(fmt.Sprintf(`"model":%q,"messages":[%s]`, w.name(), strings.Join(ms, ",")),
		when(stream, `"stream":true,"stream_options":{"include_usage":true}`),
		when(w.tools, `"tools":[{"type":"function","function":{"name":"add","description":"adds","parameters":%s}},{"type":"custom","custom":{"name":"note"}}]`, addSchema),
		when(w.choice != "", "%s", choice), when(w.single, `"parallel_tool_calls":false`),
		when(w.think != "", `"reasoning_effort":"high"`), when(w.schema != "", `"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":%s}}`, w.schema),
		when(w.stop != "", `"stop":%q`, w.stop), when(w.limit > 0, `"max_completion_tokens":%d`, w.limit), when(w.copies > 0, `"n":%d`, w.copies))
}

func (w wants) responses(stream bool) (path, body string) {
	var items []string
	if w.before {
		items = append(items, `{"role":"user","content":"earlier [[say:no]]"}`,
			`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"}`,
			`{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"yes","annotations":[]}]}`)
	}
	switch {
	case w.result != "":
		items = append(items, `{"type":"function_call","call_id":"call_9","name":"add","arguments":"{}"}`,
			fmt.Sprintf(`{"type":"function_call_output","call_id":"call_9","output":%q}`, w.result))
	case w.image:
		items = append(items, fmt.Sprintf(`{"role":"user","content":[{"type":"input_text","text":%q},{"type":"input_image","image_url":"data:image/png;base64,%s"}]}`, w.said, pixel))
	default:
		items = append(items, fmt.Sprintf(`{"type":"message","role":"user","content":[{"type":"input_text","text":%q}]}`, w.said))
	}
	choice := fmt.Sprintf(`"tool_choice":%q`, w.choice)
	if w.choice == "add" {
		choice = `"tool_choice":{"type":"function","name":"add"}`
	}
	summary := `"reasoning":{"effort":"high"}`
	if w.think == "shown" {
		summary = `"reasoning":{"effort":"high","summary":"auto"}`
	}
	return "/responses", members(fmt.Sprintf(`"model":%q,"input":[%s]`, w.name(), strings.Join(items, ",")), when(stream, `"stream":true`),
		when(w.system != "", `"instructions":%q`, w.system),
		when(w.tools, `"tools":[{"type":"function","name":"add","description":"adds","parameters":%s},{"type":"custom","name":"note"},`+
			`{"type":"web_search"},{"type":"namespace","name":"space","tools":[{"type":"function","name":"far"}]}]`, addSchema),
		when(w.choice != "", "%s", choice), when(w.single, `"parallel_tool_calls":false`),
		when(w.think != "", "%s", summary), when(w.schema != "", `"text":{"format":{"type":"json_schema","name":"x","schema":%s}}`, w.schema),
		when(w.limit > 0, `"max_output_tokens":%d`, w.limit))
}

func (w wants) anthropic(stream bool) (path, body string) {
	var ms []string
	if w.before {
		ms = append(ms, `{"role":"user","content":"earlier [[say:no]]"}`, `{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"x"},{"type":"text","text":"yes"}]}`)
	}
	switch {
	case w.result != "":
		ms = append(ms, `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_9","name":"add","input":{}}]}`,
			fmt.Sprintf(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_9","content":[{"type":"text","text":%q}]}]}`, w.result))
	case w.image:
		ms = append(ms, fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":%q},{"type":"image","source":{"type":"base64","media_type":"image/png","data":%q}}]}`, w.said, pixel))
	default:
		ms = append(ms, fmt.Sprintf(`{"role":"user","content":[{"type":"text","text":"<system-reminder>"},{"type":"text","text":%q}]}`, w.said))
	}
	choice := fmt.Sprintf(`"type":%q`, map[string]string{"required": "any", "none": "none", "add": "tool"}[w.choice])
	if w.choice == "" {
		choice = `"type":"auto"`
	}
	display := "summarized"
	if w.think == "hidden" {
		display = "omitted"
	}
	mark := when(w.marks, `,"cache_control":{"type":"ephemeral"}`)
	return "/v1/messages?beta=true", members(fmt.Sprintf(`"model":%q,"max_tokens":%d,"messages":[%s]`, w.name(), w.limited(), strings.Join(ms, ",")), when(stream, `"stream":true`),
		when(w.system != "", `"system":[{"type":"text","text":%q%s}]`, w.system, mark),
		when(w.tools, `"tools":[{"type":"web_search_20260318","name":"web_search"},{"name":"add","description":"adds","input_schema":%s}]`, addSchema),
		when(w.choice != "" || w.single, `"tool_choice":%s`, members(choice, when(w.choice == "add", `"name":"add"`), when(w.single, `"disable_parallel_tool_use":true`))),
		when(w.think != "", `"thinking":{"type":"adaptive","display":%q}`, display), when(w.schema != "", `"output_config":{"format":{"type":"json_schema","schema":%s}}`, w.schema),
		when(w.stop != "", `"stop_sequences":[%q]`, w.stop))
}

func (w wants) gemini(stream bool) (path, body string) {
	var cs []string
	if w.before {
		cs = append(cs, `{"role":"user","parts":[{"text":"earlier [[say:no]]"}]}`, `{"role":"model","parts":[{"text":"yes"}]}`)
	}
	switch {
	case w.result != "":
		cs = append(cs, `{"role":"model","parts":[{"functionCall":{"name":"add","args":{}},"thoughtSignature":"eA=="}]}`,
			fmt.Sprintf(`{"role":"user","parts":[{"functionResponse":{"name":"add","response":{"output":%q}}}]}`, w.result))
	case w.image:
		cs = append(cs, fmt.Sprintf(`{"role":"user","parts":[{"text":%q},{"inline_data":{"mime_type":"image/png","data":%q}}]}`, w.said, pixel))
	default:
		cs = append(cs, fmt.Sprintf(`{"role":"user","parts":[{"text":%q}]}`, w.said))
	}
	calling := `"mode":"` + map[string]string{"required": "ANY", "none": "NONE", "add": "ANY"}[w.choice] + `"`
	config := members(when(w.think != "", `"thinkingConfig":{"thinkingBudget":1024,"includeThoughts":%v}`, w.think == "shown"),
		when(w.schema != "", `"responseMimeType":"application/json","responseSchema":%s`, w.schema),
		when(w.stop != "", `"stopSequences":[%q]`, w.stop), when(w.limit > 0, `"maxOutputTokens":"%d"`, w.limit), when(w.copies > 0, `"candidateCount":%d`, w.copies))
	path = "/models/" + w.name() + ":generateContent"
	if stream {
		path = "/models/" + w.name() + ":streamGenerateContent?alt=sse"
	}
	return path, members(fmt.Sprintf(`"contents":[%s],"generationConfig":%s`, strings.Join(cs, ","), config),
		when(w.system != "", `"system_instruction":{"parts":[{"text":%q}]}`, w.system),
		when(w.tools, `"tools":[{"functionDeclarations":[{"name":"add","description":"adds","parametersJsonSchema":%s}]}]`, addSchema),
		when(w.choice != "", `"toolConfig":{"functionCallingConfig":%s}`, members(calling, when(w.choice == "add", `"allowedFunctionNames":["add"]`))))
}

// build makes the request in a dialect.
func (w wants) build(dialect string, stream bool) (path, body string) {
	return map[string]func(bool) (string, string){
		protocol.OpenAIChat: w.chat, protocol.OpenAIResponses: w.responses, protocol.Anthropic: w.anthropic, protocol.Gemini: w.gemini,
	}[dialect](stream)
}

// judge reads an answer in a dialect; it returns its first copy.
func judge(t testing.TB, dialect string, body []byte, streamed bool) told {
	t.Helper()
	switch dialect {
	case protocol.OpenAIChat:
		return judgeChat(t, body, streamed, streamed)[0]
	case protocol.OpenAIResponses:
		return judgeResponses(t, body, streamed)
	case protocol.Anthropic:
		return judgeAnthropic(t, body, streamed)
	}
	return judgeGemini(t, body, streamed)[0]
}

// stops are the words of the dialects for the reasons to stop.
var stops = map[string]map[stop]string{
	protocol.OpenAIChat:      {stopEnd: "stop", stopSequence: "stop", stopLength: "length", stopCalls: "tool_calls"},
	protocol.OpenAIResponses: {stopEnd: "completed", stopLength: "max_output_tokens", stopCalls: "completed"},
	protocol.Anthropic:       {stopEnd: "end_turn", stopSequence: "stop_sequence", stopLength: "max_tokens", stopCalls: "tool_use"},
	protocol.Gemini:          {stopEnd: "STOP", stopSequence: "STOP", stopLength: "MAX_TOKENS", stopCalls: "STOP"},
}

// thought begins every simulated thought.
const thought = "This thought is simulated"

// TestAnswers asks for the same in every dialect, whole and streamed, and wants
// the same told.
func TestAnswers(t *testing.T) {
	hello := greeting + " You said: hello world"
	for name, c := range map[string]struct {
		in     wants
		text   string // "*": any
		calls  []string
		stop   stop
		images int
		think  string // "shown", "hidden"
		not    string // a dialect that cannot be asked for this
		only   string // the only one that can
	}{
		"quotes":          {in: wants{said: "hello world"}, text: hello},
		"long texts":      {in: wants{said: strings.Repeat("ä", 1000)}, text: greeting + " You said: " + strings.Repeat("ä", maxQuote/2) + "…"},
		"a fast model":    {in: wants{said: "hello world", model: modelFast}, text: hello},
		"any model":       {in: wants{said: "hello world", model: "gpt-9"}, text: hello},
		"history":         {in: wants{said: "hello world", system: "Be brief.", before: true}, text: hello},
		"say":             {in: wants{said: "x [[say:Just \"this\",\n世界 🌍.]] y"}, text: "Just \"this\",\n世界 🌍."},
		"say nothing":     {in: wants{said: "[[say:]]"}},
		"long":            {in: wants{said: "[[long:9]]"}, text: "This is Portico's simulator and no model was asked,"},
		"brackets":        {in: wants{said: "a [[b]] [[tool:]] c[["}, text: greeting + " You said: a [[b]] [[tool:]] c[["},
		"calls":           {in: wants{said: `[[tool:add {"a":1,"b":[2]}]] [[tool:add]]`, tools: true}, text: greeting + " It calls add. It calls add.", calls: []string{`add {"a":1,"b":[2]}`, `add {"a":1,"b":1}`}, stop: stopCalls},
		"one call":        {in: wants{said: `[[tool:add]] [[tool:add]]`, tools: true, single: true}, text: greeting + " It calls add.", calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls, not: protocol.Gemini},
		"a silent call":   {in: wants{said: `[[say:]][[tool:add]]`, tools: true}, calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls},
		"unknown tool":    {in: wants{said: `[[tool:none]]`, tools: true}, text: greeting + ` You asked for a call of "none", which the request does not offer.`},
		"custom tool":     {in: wants{said: `[[tool:note two words]][[tool:note]]`, tools: true}, text: "*", calls: []string{`note two words`, `note simulated input`}, stop: stopCalls, only: "openai"},
		"namespace":       {in: wants{said: `[[tool:far]]`, tools: true}, text: "*", calls: []string{`space/far {}`}, stop: stopCalls, only: protocol.OpenAIResponses},
		"required":        {in: wants{said: "x", tools: true, choice: "required"}, text: "*", calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls},
		"named":           {in: wants{said: "x", tools: true, choice: "add"}, text: "*", calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls},
		"no tools":        {in: wants{said: "[[tool:add]]", tools: true, choice: "none"}, text: greeting},
		"a tool's model":  {in: wants{said: "x", tools: true, model: modelTools}, text: "*", calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls},
		"a result":        {in: wants{result: "it is 3", tools: true, model: modelTools}, text: greeting + " add returned: it is 3"},
		"thought":         {in: wants{said: "hello world", think: "shown"}, text: hello, think: "shown"},
		"hidden thought":  {in: wants{said: "hello world", think: "hidden"}, text: hello, think: "hidden", not: protocol.OpenAIChat},
		"asked to think":  {in: wants{said: "[[think]] hello world", think: "hidden"}, text: hello, think: "shown"},
		"thinking model":  {in: wants{said: "hello world", model: modelThinking}, text: hello, think: "shown"},
		"think and call":  {in: wants{said: "[[tool:add]]", tools: true, think: "shown"}, text: "*", calls: []string{`add {"a":1,"b":1}`}, stop: stopCalls, think: "shown"},
		"image":           {in: wants{said: "[[image]] a cat"}, text: greeting + " You said: a cat The image is made up, too.", images: 1, not: protocol.Anthropic},
		"image model":     {in: wants{said: "[[say:]]", model: modelImage}, images: 1, not: protocol.Anthropic},
		"no seat":         {in: wants{said: "[[image]]"}, text: greeting + " You asked for an image, for which this protocol's answers have no seat.", only: protocol.Anthropic},
		"sees":            {in: wants{said: "look", image: true}, text: greeting + " You sent an image (image/png) of 70 bytes. You said: look"},
		"schema":          {in: wants{said: "x", schema: addSchema}, text: `{"a":1,"b":1}`},
		"stop sequence":   {in: wants{said: "[[say:one two three]]", stop: "two"}, text: "one ", stop: stopSequence, not: protocol.OpenAIResponses},
		"stops no call":   {in: wants{said: "[[say:one two]][[tool:add]]", stop: "two", tools: true}, text: "one ", stop: stopSequence, not: protocol.OpenAIResponses},
		"limit":           {in: wants{said: "[[say:0123456789]]", limit: 2}, text: "01234567", stop: stopLength},
		"limited call":    {in: wants{said: "[[say:0123]][[tool:add]]", limit: 3, tools: true}, text: "0123", stop: stopLength},
		"limited thought": {in: wants{said: "x", limit: 10, think: "shown"}, text: "", stop: stopLength, think: "shown"},
	} {
		for _, dialect := range speaks {
			if dialect == c.not || c.only != "" && !strings.HasPrefix(dialect, c.only) {
				continue
			}
			t.Run(name+"/"+dialect, func(t *testing.T) {
				var both [2]told
				for i, streamed := range []bool{false, true} {
					path, body := c.in.build(dialect, streamed)
					r := send(t, fixed(), dialect, path, body)
					if r.err != nil || r.StatusCode != 200 {
						t.Fatalf("%v %s for %s", r.err, r.body, body)
					}
					both[i] = judge(t, dialect, r.body, streamed)
				}
				if d := cmp.Diff(both[0], both[1]); d != "" {
					t.Errorf("whole and streamed differ:\n%s", d)
				}
				want := told{Text: c.text, Calls: c.calls, Images: c.images, Stop: stops[dialect][c.stop], Sealed: c.think != "" && dialect != protocol.OpenAIChat}
				got := both[0]
				if want.Text == "*" {
					want.Text = got.Text
				}
				if strings.HasPrefix(got.Thought, thought) == (c.think == "shown") {
					want.Thought = got.Thought
				}
				if (got.Usage.Reasoning > 0) != (c.think != "") || got.Usage.Input < 1 || got.Usage.Output < 1 {
					t.Errorf("the usage is %+v", got.Usage)
				}
				if d := cmp.Diff(want, got, cmpopts.IgnoreFields(told{}, "Usage"), cmpopts.EquateEmpty()); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		}
	}
}

// TestCopies asks for several answers at once.
func TestCopies(t *testing.T) {
	w := wants{said: "[[say:one two]] [[tool:add]]", tools: true, copies: 3}
	for _, streamed := range []bool{false, true} {
		path, body := w.chat(streamed)
		chat := judgeChat(t, send(t, fixed(), protocol.OpenAIChat, path, body).body, streamed, streamed)
		path, body = w.gemini(streamed)
		gemini := judgeGemini(t, send(t, fixed(), protocol.Gemini, path, body).body, streamed)
		for _, xs := range [][]told{chat, gemini} {
			if len(xs) != 3 || xs[0].Text != "one two" || len(xs[0].Calls) != 1 || !cmp.Equal(xs[0], xs[2]) {
				t.Errorf("the copies are %+v", xs)
			}
			if u := xs[0].Usage; u.Output != 3*(2+4) {
				t.Errorf("three copies of 2 and 4 tokens are %d", u.Output)
			}
		}
	}
}

// TestArray streams Gemini's answer as one JSON array.
func TestArray(t *testing.T) {
	path, body := wants{said: "[[say:one two]]"}.gemini(true)
	r := send(t, fixed(), protocol.Gemini, strings.TrimSuffix(path, "?alt=sse"), body)
	if r.Header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Error(r.Header)
	}
	if x := judgeGemini(t, r.body, true); x[0].Text != "one two" {
		t.Errorf("%+v of %s", x, r.body)
	}
}

// TestUsage checks the arithmetic of tokens: a quarter of the bytes, rounded
// up, and what comes from the cache.
func TestUsage(t *testing.T) {
	long := strings.Repeat("0123456789", 512)
	for name, c := range map[string]struct {
		in   wants
		want llm.Usage
		only string
	}{
		"small":             {wants{said: "[[say:0123456]]"}, llm.Usage{Input: 4, Output: 2}, "openai"},
		"small, of Claude":  {wants{said: "[[say:0123456]]"}, llm.Usage{Input: 8, Output: 2}, protocol.Anthropic}, // its turn holds a reminder
		"small, of Gemini":  {wants{said: "[[say:0123456]]"}, llm.Usage{Input: 4, Output: 2}, protocol.Gemini},
		"image":             {wants{said: "[[say:0123456]]", image: true}, llm.Usage{Input: 4 + blobTokens, Output: 2}, ""},
		"asked for":         {wants{said: "[[say:x]][[cached:100]]"}, llm.Usage{Input: 1, CacheRead: 100, Output: 1}, ""},
		"first is cold":     {wants{said: "[[say:x]]", system: long}, llm.Usage{Input: 1283, Output: 1}, "openai"},
		"then it is cached": {wants{said: "[[say:x]]", system: long, before: true}, llm.Usage{Input: 8, CacheRead: 1280, Output: 1}, "openai"},
		"marks write":       {wants{said: "[[say:x]]", system: long, marks: true}, llm.Usage{Input: 7, CacheWrite: 1280, Output: 1}, protocol.Anthropic},
		"marks read":        {wants{said: "[[say:x]]", system: long, marks: true, before: true}, llm.Usage{Input: 6, CacheRead: 1286, Output: 1}, protocol.Anthropic},
		"without marks":     {wants{said: "[[say:x]]", system: long, before: true}, llm.Usage{Input: 1292, Output: 1}, protocol.Anthropic},
	} {
		for _, dialect := range speaks {
			if !strings.HasPrefix(dialect, c.only) {
				continue
			}
			for _, streamed := range []bool{false, true} {
				path, body := c.in.build(dialect, streamed)
				if got := judge(t, dialect, send(t, fixed(), dialect, path, body).body, streamed).Usage; got != c.want {
					t.Errorf("%s in %s: got %+v, want %+v", name, dialect, got, c.want)
				}
			}
		}
	}
}
