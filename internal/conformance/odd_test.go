package main

import (
	"bytes"
	"encoding/json/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	googles "portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/provider"
	"portico/internal/translate"
)

var translators = map[string]protocol.Translator{
	"openai-chat": openaichat.New(), "openai-responses": openairesponses.New(), "anthropic": anthropic.New(), "gemini": googles.New(),
}

// newest are models whose names say what they take.
var newest = map[string]string{"openai-chat": "gpt-5.1", "openai-responses": "gpt-5.1", "anthropic": "claude-opus-4-6", "gemini": "gemini-3-pro"}

// bridge is the way of a request of a client to an upstream. models are those of
// the newest vendors, and one that nobody knows.
func bridge(t *testing.T, client, upstream string, body []byte, model string, stream bool) (*translate.Bridge, []byte, []string) {
	t.Helper()
	b, err := translate.New(translators[client], translators[upstream], body, translate.Options{ID: "req_1", Model: "asked", Created: 1, Stream: stream})
	if err != nil {
		t.Errorf("to %s: %v", upstream, err)
		return nil, nil, nil
	}
	to := &translate.Upstream{Fit: &protocol.Fit{Model: model, Vendor: upstream, Native: true}, Quirks: &provider.None, Account: "one"}
	asked, lost, err := b.Request(to)
	if err != nil {
		t.Errorf("to %s: %v", upstream, err)
		return nil, nil, nil
	}
	var losses []string
	for _, l := range lost {
		losses = append(losses, l.Path+"="+l.Why)
	}
	return b, asked, losses
}

// TestOdd plays exchanges that no recording has, and that break translators:
// testdata/odd. Each file holds a request.P of a client, or an answer.P or
// stream.P of an upstream; it must come to all other protocols whole, or what
// does not must be named, and what is written must be lawful there.
func TestOdd(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "odd", "*.txtar"))
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			kind, protocol, _ := strings.Cut(f.Name, ".")
			protocol, _, _ = strings.Cut(protocol, " ") // what follows tells one from another
			body := bytes.TrimSpace(f.Data)
			for _, other := range tags {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+f.Name+"/"+other.protocol, func(t *testing.T) {
					switch kind {
					case "request":
						oddRequest(t, protocol, other.protocol, body, "m-1", newest[other.protocol])
					case "answer", "stream":
						oddAnswer(t, other.protocol, protocol, f.Data, kind == "stream")
					default:
						t.Fatalf("what is %s?", f.Name)
					}
				})
			}
		}
	}
}

func oddRequest(t *testing.T, client, upstream string, body []byte, models ...string) {
	t.Helper()
	want, err := readRequest(client, body)
	if err != nil {
		t.Fatal(err)
	}
	want.finish, want.in, want.out = "", 0, 0
	for _, model := range models {
		_, asked, losses := bridge(t, client, upstream, body, model, false)
		if asked == nil || client == upstream {
			continue // at home the bytes stay what they are
		}
		got, err := readRequest(upstream, asked)
		if err != nil {
			t.Fatal(err)
		}
		if differ, _ := compare(renamed(t, want, client, body, upstream, asked), got, losses); len(differ) > 0 {
			t.Errorf("%s\n%.3000s\nbecomes\n%.3000s\nlost: %s", strings.Join(differ, "\n"), body, asked, strings.Join(losses, "\n"))
			return
		}
	}
}

// toolNames are the names of the tools that a request declares, in their order.
func toolNames(t *testing.T, protocol string, body []byte) (names []string) {
	t.Helper()
	v, err := tree(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range list(obj(v)["tools"]) {
		x := obj(y)
		if f := obj(pick(x, "function", "custom")); f != nil {
			x = f
		}
		if all := list(x["functionDeclarations"]); all != nil {
			for _, z := range all {
				names = append(names, str(obj(z)["name"]))
			}
			continue
		}
		if n := str(x["name"]); n != "" && (protocol != "anthropic" || x["input_schema"] != nil) {
			names = append(names, n)
		}
	}
	return names
}

// renamed is want with the names that the upstream's request has for its tools.
func renamed(t *testing.T, want *digest, client string, body []byte, upstream string, asked []byte) *digest {
	t.Helper()
	old, now := toolNames(t, client, body), toolNames(t, upstream, asked)
	if len(old) != len(now) {
		return want
	}
	own := *want
	own.calls, own.tools = slices.Clone(want.calls), slices.Clone(want.tools)
	change := func(all []string, open string) {
		for i, s := range all {
			for j, n := range old {
				if rest, ok := strings.CutPrefix(s, n+open); ok {
					all[i] = now[j] + open + rest
					break
				}
			}
		}
	}
	change(own.calls, "{")
	change(own.tools, "(")
	slices.Sort(own.tools)
	return &own
}

func oddAnswer(t *testing.T, client, upstream string, body []byte, streamed bool) {
	t.Helper()
	want, err := readAnswer(upstream, body, streamed)
	if err != nil {
		t.Fatal(err)
	}
	ask := minimal(client, callNames(want))
	if streamed && client != "gemini" {
		ask, _, _ = jsonedit.Replace(append([]byte(`{"stream":true,`), ask[1:]...), "model", []byte(`"asked"`))
	}
	b, _, _ := bridge(t, client, upstream, ask, "m-1", streamed)
	if b == nil || client == upstream {
		return
	}
	n := len(b.Losses())
	var told []byte
	if streamed {
		for _, e := range events(body) {
			if told, err = b.Frame(told, []byte(e.name), e.data); err != nil {
				t.Fatal(err)
			}
		}
		told = b.End(told)
	} else if told, err = b.Whole(body); err != nil {
		t.Fatal(err)
	}
	var losses []string
	for _, l := range b.Losses()[n:] {
		losses = append(losses, l.Path+"="+l.Why)
	}
	got, err := readAnswer(client, told, streamed)
	if err != nil {
		t.Fatalf("%v in\n%s", err, told)
	}
	want.bad = ""
	if differ, _ := compare(want, got, losses); len(differ) > 0 {
		t.Errorf("%s\n%.3000s\nbecomes\n%.6000s\nlost: %s", strings.Join(differ, "\n"), body, told, strings.Join(losses, "\n"))
	}
}

// TestHuge: a call with 3 MB of arguments, in a request and in the pieces of a
// stream, comes to other protocols as it is.
func TestHuge(t *testing.T) {
	args := `{"text":"` + strings.Repeat(`0123456789 \"quoted\" \\ é 😀 \u00e9`, 3<<20/40) + `","n":[1,2.50,-0]}`
	quoted := string(must(json.Marshal(args)))
	asked := map[string]string{
		"openai-chat": `{"model":"m","messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":` + quoted + `}}]},` +
			`{"role":"tool","tool_call_id":"a","content":"r"}],"tools":[{"type":"function","function":{"name":"f"}}]}`,
		"anthropic": `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"u"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":` + args + `}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`,
	}
	oddRequest(t, "openai-chat", "gemini", []byte(asked["openai-chat"]), "m-1")
	oddRequest(t, "anthropic", "openai-responses", []byte(asked["anthropic"]), "m-1")
	var stream strings.Builder
	chunk := func(delta object, finish any) {
		stream.WriteString("data: " + string(must(json.Marshal(object{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "x", "choices": []any{object{"index": 0, "delta": delta, "finish_reason": finish}}}))) + "\n\n")
	}
	for rest := args; rest != ""; {
		n := min(len(rest), 40_001)
		for n < len(rest) && rest[n]&0xC0 == 0x80 {
			n++
		}
		call := object{"index": 0, "function": object{"arguments": rest[:n]}}
		if len(rest) == len(args) {
			call = object{"index": 0, "id": "a", "type": "function", "function": object{"name": "f", "arguments": rest[:n]}}
		}
		chunk(object{"tool_calls": []any{call}}, nil)
		rest = rest[n:]
	}
	chunk(object{}, "tool_calls")
	stream.WriteString("data: [DONE]\n\n")
	for _, client := range []string{"anthropic", "gemini"} {
		oddAnswer(t, client, "openai-chat", []byte(stream.String()), true)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestStopsAcrossPieces: a stop sequence that the upstream does not know cuts the
// answer, in whichever pieces it comes.
func TestStopsAcrossPieces(t *testing.T) {
	const text = "one ENEND two EN three END four"
	asks := map[string]string{
		"openai-chat": `{"model":"m","stream":true,"stop":["END","<stop>"],"messages":[{"role":"user","content":"u"}]}`,
		"anthropic":   `{"model":"m","stream":true,"max_tokens":9,"stop_sequences":["END","<stop>"],"messages":[{"role":"user","content":"u"}]}`,
		"gemini":      `{"contents":[{"role":"user","parts":[{"text":"u"}]}],"generationConfig":{"stopSequences":["END","<stop>"]}}`,
	}
	for client, ask := range asks {
		for size := 1; size <= len(text); size++ {
			b, _, _ := bridge(t, client, "openai-responses", []byte(ask), "m-1", true)
			var told []byte
			var err error
			n := 0
			say := func(o object) {
				o["sequence_number"] = n
				n++
				if told, err = b.Frame(told, []byte(str(o["type"])), must(json.Marshal(o))); err != nil {
					t.Fatal(err)
				}
			}
			item := object{"type": "message", "id": "msg_0", "status": "completed", "role": "assistant", "content": []any{object{"type": "output_text", "text": text, "annotations": []any{}}}}
			say(object{"type": "response.created", "response": object{"id": "r", "status": "in_progress", "model": "x", "output": []any{}}})
			say(object{"type": "response.output_item.added", "output_index": 0, "item": object{"type": "message", "id": "msg_0", "role": "assistant", "content": []any{}}})
			for rest := text; rest != ""; {
				m := min(size, len(rest))
				say(object{"type": "response.output_text.delta", "item_id": "msg_0", "output_index": 0, "content_index": 0, "delta": rest[:m]})
				rest = rest[m:]
			}
			say(object{"type": "response.output_item.done", "output_index": 0, "item": item})
			say(object{"type": "response.completed", "response": object{"id": "r", "status": "completed", "model": "x", "output": []any{item}, "usage": object{"input_tokens": 1, "output_tokens": 9}}})
			got, err := readAnswer(client, b.End(told), true)
			if err != nil || got.bad != "" || got.assistant != "oneEN" || got.finish != "stop" {
				t.Fatalf("%s, pieces of %d: %q %s %s, %v", client, size, got.assistant, got.finish, got.bad, err)
			}
		}
	}
}
