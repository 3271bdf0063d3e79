package wire

import (
	"strings"
	"testing"
)

func begins(t testing.TB, body string) uint64 {
	t.Helper()
	p, err := Peek([]byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Begins
}

// TestBegins: the turns of one conversation begin alike, in every protocol,
// and other conversations do not.
func TestBegins(t *testing.T) {
	for name, same := range map[string][]string{
		"chat": {
			`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"}]}`,
			`{"temperature":1,"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"},{"role":"assistant","content":"yes"},{"role":"user","content":"two"}]}`,
		},
		"Messages, whose marks move": {
			`{"system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"one","cache_control":{"type":"ephemeral"}}]}]}`,
			`{"system":[{"type":"text","text":"be brief"}],"messages":[{"role":"user","content":[{"type":"text","text":"one"}]},{"role":"assistant","content":"yes"},{"role":"user","content":[{"type":"text","text":"two","cache_control": {"type":"ephemeral","ttl":"1h"} }]}]}`,
		},
		"Responses": {
			`{"instructions":"be brief","input":[{"role":"user","content":"one"}]}`,
			`{"instructions":"be brief","input":[{"role":"user","content":"one"},{"type":"reasoning"},{"role":"user","content":"two"}]}`,
		},
		"Gemini, where no role is the user's": {
			`{"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"parts":[{"text":"one"}]}]}`,
			`{"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"parts":[{"text":"one"}]},{"role":"model","parts":[]}]}`,
		},
	} {
		first := begins(t, same[0])
		if first == 0 {
			t.Errorf("%s: it is not known", name)
		}
		if got := begins(t, same[1]); got != first {
			t.Errorf("%s: a later turn begins otherwise", name)
		}
		for what, other := range map[string]string{"instructions": "be brief", "the first turn": "one"} {
			if begins(t, strings.ReplaceAll(same[0], other, other+"!")) == first {
				t.Errorf("%s: with other %s it begins alike", name, what)
			}
		}
	}
	for name, body := range map[string]string{
		"nothing": `{}`, "no turns": `{"system":"x","messages":[]}`, "no turn of the user's": `{"messages":[{"role":"system","content":"x"}]}`,
		"turns that are none": `{"messages":{"role":"user"}}`, "many before it": `{"messages":[` + strings.Repeat(`{"role":"system"},`, maxLead) + `{"role":"user"}]}`,
	} {
		if got := begins(t, body); got != 0 {
			t.Errorf("%s: %x", name, got)
		}
	}
	if begins(t, `{"input":"one"}`) == 0 || begins(t, `{"input":"one"}`) == begins(t, `{"input":"two"}`) {
		t.Error("a text alone")
	}
	if p, _ := Peek([]byte(`{"key":"k","messages":[{"role":"user","content":"one"}]}`), []SessionAt{{Name: "key"}}); p.Begins != 0 {
		t.Error("it was made though the conversation has a name")
	}
	if p, _ := Peek([]byte(`{"user":"joe","messages":[{"role":"user","content":"one"}]}`), []SessionAt{{Name: "user", Person: true}}); p.Begins == 0 || p.Session != "joe" {
		t.Error("a person may hold several")
	}
}

func FuzzBegins(f *testing.F) {
	f.Add(`{"system":"\"cache_control\"","messages":[{"role":"user","cache_control":`)
	f.Add(`{"messages":[{"cache_control":{},"role":"user"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		p, err := Peek([]byte(body), nil)
		again, _ := Peek([]byte(body), nil)
		if err == nil && p != again {
			t.Errorf("%v and %v", p, again)
		}
		var h Head
		h.turns, h.system = []byte(body), []byte(body)
		h.Hash()
	})
}

// BenchmarkBegins is the cost for a long system prompt.
func BenchmarkBegins(b *testing.B) {
	var h Head
	h.system = []byte(`"` + strings.Repeat("instructions ", 5000) + `"`)
	h.turns = []byte(`[{"role":"user","content":"one"},{"role":"assistant","content":"` + strings.Repeat("x", 1<<20) + `"}]`)
	b.ReportAllocs()
	for b.Loop() {
		h.Hash()
	}
}
