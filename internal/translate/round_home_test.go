package translate

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/jsonw"
)

// verbatim are members whose values are the client's own, so that nothing is
// added to them; of those behind the first line each is a closed little object,
// of which the codecs keep what they know.
var verbatim = []string{
	"parameters", "input_schema", "parametersJsonSchema", "args", "arguments", "schema", "responseJsonSchema", "metadata", "logit_bias", "response", "tool_choice", "format", "stream_options",
	"input_audio", "response_format", "systemInstruction", "toolConfig",
}

// lone is a text that stands alone where it could be a list.
var lone = map[string]*regexp.Regexp{
	chat:      regexp.MustCompile(`"(content)":\[\{"type":"text","text":("(?:[^"\\]|\\.)*")\}\]`),
	responses: regexp.MustCompile(`"(output)":\[\{"type":"input_text","text":("(?:[^"\\]|\\.)*")\}\]`),
}

// novel is v with members that nobody has heard of in the objects that are the
// protocol's own, here and there.
func (m *maker) novel(v []byte, chance int) []byte {
	switch v[0] {
	case '{':
		out := []byte{'{'}
		kind := string(jsonedit.Get(v, "type"))
		for x, err := range jsonedit.Members(v) {
			if err != nil {
				continue
			}
			in := x.Value
			if name := string(x.Name); !slices.Contains(verbatim, name) && (name != "input" || kind != `"tool_use"`) {
				in = m.novel(in, chance)
			}
			out = jsonw.Raw(out, string(x.Name), in)
		}
		// To Google every unknown member of a tool is one that it runs.
		if m.one(chance) && jsonedit.Get(v, "functionDeclarations") == nil {
			out = jsonw.Raw(out, fmt.Sprint("novel_", m.IntN(9)), []byte(pickOf(m, `1.50`, `"é\u00e9"`, `{"a":[null,1e400]}`, `[]`)))
		}
		return append(out, '}')
	case '[':
		out := []byte{'['}
		for e, err := range jsonedit.Elements(v) {
			if err == nil {
				out = append(jsonw.Comma(out), m.novel(e, chance)...)
			}
		}
		return append(out, ']')
	}
	return v
}

// twice reports whether the model says two texts in a row.
func twice(r *llm.Request) bool {
	said := func(p llm.Part) bool {
		switch p.(type) {
		case *llm.Prose, *llm.Refusal:
			return true
		}
		return false
	}
	for i := range r.Messages {
		parts := r.Messages[i].Parts
		for j := 1; j < len(parts) && r.Messages[i].Role == llm.Assistant; j++ {
			if said(parts[j-1]) && said(parts[j]) {
				return true
			}
		}
	}
	return false
}

// TestHome: what is written again in its own protocol is what was read, members
// that nobody knows included.
func TestHome(t *testing.T) {
	for _, p := range translators {
		for seed := range uint64(100) {
			body := newMaker(seed).novel(bodyOf(t, p, seed), 6)
			r, err := p.DecodeRequest(body)
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := p.EncodeRequest(nil, r, &protocol.Fit{Model: r.Model, Vendor: p.Name(), Native: true})
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(body, []byte(`"reasoning":{}`)) {
				continue // which says nothing, and is left out
			}
			if p.Name() == responses && twice(r) { // two messages of the model without ids are one with two texts
				continue
			}
			if re := lone[p.Name()]; re != nil { // it is the same as a string and in a list
				body = re.ReplaceAll(body, []byte(`"$1":$2`))
			}
			if diff := codectest.Same(body, out); diff != "" {
				t.Fatalf("%s, seed %d: %s", p.Name(), seed, diff)
			}
		}
	}
}
