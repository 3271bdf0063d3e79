package translate

import (
	"encoding/json/jsontext"
	"errors"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/protocol/codectest"
)

// sane reports whether v is JSON. The codecs look at structure only, so that
// what is none stays none.
func sane(v []byte) bool {
	return jsontext.Value(v).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// Whatever a client sends, it crosses as sound JSON or is refused.
func FuzzRequest(f *testing.F) {
	for i, t := range translators {
		f.Add(i, plain(t))
		f.Add(i, large(t)[:4000])
	}
	f.Add(0, []byte(`{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"a.b"}},{"id":"x","custom":{"name":"p","input":"i"}}]},{"role":"tool","tool_call_id":"y","content":[{"type":"text"}]}],"tools":[{"type":"custom","custom":{"name":"p"}}],"stop":["a","","b"],"n":3}`))
	f.Add(1, []byte(`{"input":[{"type":"reasoning","encrypted_content":"Zportic1e30="},{"type":"shell_call","action":{}},{"type":"function_call","namespace":"n","name":"f"}],"tools":[{"type":"namespace","name":"n","tools":[{"type":"custom","name":"f"}]},{"type":"shell"}]}`))
	f.Add(2, []byte(`{"system":"x-anthropic-billing-header: a","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"q","content":[{"type":"tool_reference","tool_name":"z"}]}]}],"tools":[{"type":"bash_20250124","name":"bash"}],"output_config":{"format":{"type":"json_schema","schema":{}}}}`))
	f.Add(3, []byte(`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"Zportic1e30="},{"thought":true,"text":"t"}]},{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`))
	f.Fuzz(func(t *testing.T, client int, body []byte) {
		if client < 0 || client >= len(translators) {
			return
		}
		for _, upstream := range translators {
			b, err := New(translators[client], upstream, body, Options{ID: "req_1", Model: "m", Recall: NewMemory(1<<16, time.Now)})
			if err == nil {
				var out []byte
				if out, _, err = b.Request(upstreamOf(upstream, "one")); err == nil {
					if sane(body) && !sane(out) {
						t.Errorf("%s→%s: no JSON: %s", translators[client].Name(), upstream.Name(), out)
					}
				}
			}
			if err != nil {
				if _, ok := errors.AsType[*fault.Fault](err); !ok {
					t.Errorf("%s→%s: %v", translators[client].Name(), upstream.Name(), err)
				}
			}
		}
	})
}

// Whatever an upstream streams, every client gets a lawful stream or an error.
func FuzzAnswer(f *testing.F) {
	for i, t := range translators {
		s := streams[t.Name()]
		f.Add(i, []byte(s[0]+s[1]+s[2]))
	}
	f.Add(0, []byte("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"r\",\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"},\"extra_content\":{\"google\":{\"thought_signature\":\"s\"}}}]}}]}\n\n"))
	f.Add(3, []byte("data: {\"candidates\":[{\"content\":{\"parts\":[{\"thought\":true,\"text\":\"t\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}},\"thoughtSignature\":\"s\"},{\"text\":\"\",\"thoughtSignature\":\"u\"}]},\"finishReason\":\"STOP\"}]}\n\n"))
	f.Fuzz(func(t *testing.T, upstream int, stream []byte) {
		if upstream < 0 || upstream >= len(translators) {
			return
		}
		up := translators[upstream]
		for _, client := range translators {
			b, err := New(client, up, plain(client), Options{ID: "req_1", Model: "m", Stream: true, Recall: NewMemory(1<<16, time.Now)})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := b.Request(upstreamOf(up, "one")); err != nil {
				t.Fatal(err)
			}
			var out []byte
			wild := false
			for _, frame := range codectest.Frames(stream) {
				wild = wild || string(frame.Data) != "[DONE]" && !sane(frame.Data)
				if out, err = b.Frame(out, frame.Event, frame.Data); err != nil {
					b.Fail(out, fault.New(fault.Broken, "%s", err), "req_1")
					break
				}
			}
			if err != nil {
				continue
			}
			out = b.End(out)
			for _, frame := range codectest.Frames(out) {
				if string(frame.Data) != "[DONE]" && !wild && !sane(frame.Data) {
					t.Fatalf("%s→%s: no JSON: %s", up.Name(), client.Name(), frame.Data)
				}
			}
		}
	})
}
