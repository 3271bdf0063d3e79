package openaichat

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/llm"
	"portico/internal/protocol"
)

// TestHome: what a client says in this protocol comes out of it as it was said,
// at OpenAI and at the copies of its protocol, with nothing invented.
func TestHome(t *testing.T) {
	for name, body := range map[string]string{
		"who asks":                 `{"model":"m","user":"u1","messages":[{"role":"user","content":"x"}]}`,
		"text that is empty":       `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":""},{"role":"user","content":"y"}]}`,
		"no content":               `{"model":"m","messages":[{"role":"user","content":null}]}`,
		"a schema without a name":  `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}}`,
		"a result with a name":     `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","name":"f","content":"r"}]}`,
		"reasoning without a word": `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","reasoning_details":[{"type":"reasoning.text","format":"unknown"}]}]}`,
	} {
		for _, fit := range []*protocol.Fit{{Model: "m", Native: true}, {Model: "m", Vendor: "openrouter"}} {
			first, err := New().DecodeRequest([]byte(body))
			if err != nil {
				t.Fatal(name, err)
			}
			out, losses, err := New().EncodeRequest(nil, first, fit)
			if err != nil || len(losses) > 0 {
				t.Errorf("%s: %v, %v", name, losses, err)
			}
			again, err := New().DecodeRequest(out)
			if err != nil {
				t.Fatal(name, err)
			}
			if d := cmp.Diff(first, again, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s, native %t: %s (-first +again)\n%s", name, fit.Native, out, d)
			}
		}
	}
}

// TestSoundIsBounded: sound that is heard for long comes in parts, none of which
// is much larger than the bound, and none of it is lost.
func TestSoundIsBounded(t *testing.T) {
	const each, pieces = 1 << 20, 9
	data := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", each)))
	d := New().NewDecoder()
	var events []llm.Event
	var err error
	for range pieces {
		if events, err = d.Feed(events, nil, []byte(`{"id":"c1","choices":[{"index":0,"delta":{"audio":{"data":"`+data+`"}}}]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if events, err = d.Feed(events, nil, []byte(`{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`)); err != nil {
		t.Fatal(err)
	}
	heard, parts := 0, 0
	for i := range events {
		b, ok := events[i].What.(*llm.Blob)
		if !ok {
			continue
		}
		parts++
		raw, err := base64.StdEncoding.DecodeString(b.Data.String())
		if err != nil || len(raw) > maxSound+each {
			t.Errorf("part %d: %d bytes, %v", parts, len(raw), err)
		}
		heard += len(raw)
	}
	if want := (pieces*each + maxSound - 1) / maxSound; parts != want || heard != pieces*each {
		t.Errorf("%d bytes in %d parts, want %d in %d", heard, parts, pieces*each, want)
	}
}
