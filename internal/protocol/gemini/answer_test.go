package gemini

import (
	"bytes"
	"encoding/json/jsontext"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/wire"
)

// tidyAnswer puts an answer into the one form in which this package writes it:
// with an index and a content for each candidate, with all counts, without
// parts that hold nothing, and with a signature that stands alone on the text
// before it.
func tidyAnswer(x tree) tree {
	r, ok := tidy(x).(object)
	if !ok {
		return x
	}
	list, _ := r["candidates"].([]tree)
	for _, c := range list {
		c := c.(object)
		if c["index"] == nil {
			c["index"] = "0"
		}
		if n, ok := c["finishReason"].(string); ok && n == "1" {
			c["finishReason"] = `"STOP`
		}
		content, _ := c["content"].(object)
		parts, _ := content["parts"].([]tree)
		kept := []tree{}
		for _, p := range parts {
			p, ok := p.(object)
			if !ok {
				continue
			}
			if text, ok := p["text"]; ok && text == `"` {
				if p["thoughtSignature"] == nil {
					continue
				}
				if n := len(kept); n > 0 && p["thought"] == kept[n-1].(object)["thought"] {
					if last := kept[n-1].(object); last["text"] != nil && last["thoughtSignature"] == nil {
						last["thoughtSignature"] = p["thoughtSignature"]
						continue
					}
				}
			}
			kept = append(kept, p)
		}
		c["content"] = object{"parts": kept, "role": `"model`}
	}
	if len(list) == 0 {
		delete(r, "candidates")
	}
	if u, ok := r["usageMetadata"].(object); ok {
		for _, n := range []string{"promptTokenCount", "candidatesTokenCount"} {
			if u[n] == nil {
				u[n] = "0"
			}
		}
		for _, n := range []string{"cachedContentTokenCount", "thoughtsTokenCount"} {
			if u[n] == "0" {
				delete(u, n)
			}
		}
		delete(u, "totalTokenCount") // a sum, which old models left out
	}
	return r
}

func echoOf(body []byte) *protocol.Echo {
	if len(body) > 0 && body[0] == '[' {
		for e := range jsonedit.Elements(body) {
			return echoOf(e)
		}
	}
	return &protocol.Echo{ID: wire.Text(jsonedit.Get(body, "responseId")), Model: wire.Text(jsonedit.Get(body, "modelVersion"))}
}

// answers are the recorded answers that are such.
func answers(t *testing.T) map[string][]byte {
	t.Helper()
	all := recorded(t, "response.json")
	for name, body := range all {
		x := New().NewTap()
		if x.Body(body)&protocol.Failed != 0 || jsonedit.Get(body, "totalTokens") != nil || jsonedit.Get(body, "models") != nil || bytes.Contains(body, []byte(`"embedding`)) {
			delete(all, name)
		}
	}
	return all
}

// TestIdentityAnswers: an answer of a Gemini upstream reaches a Gemini client
// with the same members and the same values.
func TestIdentityAnswers(t *testing.T) {
	same, cases := 0, 0
	for name, body := range answers(t) {
		if body[0] == '[' {
			continue // a stream
		}
		cases++
		r, err := New().DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, losses, err := New().EncodeResponse(nil, r, echoOf(body))
		if err != nil || len(losses) > 0 || !jsontext.Value(out).IsValid() {
			t.Errorf("%s: %v %v\n%s", name, err, losses, out)
			continue
		}
		want, got := tidyAnswer(grow(t, body)), tidyAnswer(grow(t, out))
		for _, n := range []string{"modelVersion", "responseId"} {
			if want.(object)[n] == nil {
				delete(got.(object), n)
			}
		}
		if want.(object)["usageMetadata"] != nil && got.(object)["usageMetadata"] == nil {
			delete(want.(object), "usageMetadata") // all counts are zero
		}
		if d := differ("", want, got); d != "" {
			t.Errorf("%s: %.500s", name, d)
			continue
		}
		same++
	}
	t.Logf("%d of %d answers are the same", same, cases)
}

// streams are the recorded streams in either framing, as events.
func streams(t *testing.T) map[string][]byte {
	t.Helper()
	all := recorded(t, "response.sse")
	for name, body := range answers(t) {
		if body[0] != '[' {
			continue
		}
		var sse []byte
		for e := range jsonedit.Elements(body) {
			v := jsontext.Value(bytes.Clone(e))
			if err := v.Compact(); err != nil {
				t.Fatal(err)
			}
			sse = append(append(append(sse, "data: "...), v...), "\n\n"...)
		}
		all[name] = sse
	}
	for name, body := range all {
		x := New().NewTap()
		for _, f := range codectest.Frames(body) {
			x.Frame(f.Event, f.Data)
		}
		if s := x.Seen(); s.Error != nil || !s.Finished {
			delete(all, name)
		}
	}
	return all
}

// TestStreamIsWhole: the events of a recorded stream, folded, are the answer
// that its chunks are when they are read as a whole; and so is the stream that
// is written of them, in either framing.
func TestStreamIsWhole(t *testing.T) {
	n := 0
	for name, stream := range streams(t) {
		one, err := codectest.Fold(New().NewDecoder(), stream)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		array := []byte{'['}
		for i, f := range codectest.Frames(stream) {
			if i > 0 {
				array = append(array, ',')
			}
			array = append(array, f.Data...)
		}
		array = append(array, ']')
		whole, err := New().DecodeResponse(array)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := diff(one, whole, true); d != "" {
			t.Errorf("%s: (-stream +whole)\n%.2000s", name, d)
			continue
		}
		if bytes.Contains(stream, []byte(`"functionResponse"`)) {
			n++ // written again, nothing would tell that Google made the call
			continue
		}
		sse := rewrite(t, New(), stream)
		lawful(t, name, sse)
		two, err := codectest.Fold(New().NewDecoder(), sse)
		if err != nil {
			t.Errorf("%s, written again: %v", name, err)
			continue
		}
		if d := diff(one, two, false); d != "" {
			t.Errorf("%s, written again: (-first +again)\n%.2000s", name, d)
			continue
		}
		three, err := New().DecodeResponse(rewrite(t, NewArray(), stream))
		if err != nil {
			t.Errorf("%s, as an array: %v", name, err)
			continue
		}
		if d := diff(one, three, false); d != "" {
			t.Errorf("%s, as an array: (-first +again)\n%.2000s", name, d)
			continue
		}
		n++
	}
	t.Logf("%d streams", n)
}

// diff compares the neutral parts of two answers: what only Google tells stays
// out. Ids are the same only if the answer's own id is.
func diff(a, b *llm.Response, ids bool) string {
	clean := func(r *llm.Response) *llm.Response {
		out := &llm.Response{Usage: r.Usage}
		for _, a := range r.Answers {
			a.Extra, a.Logprobs = llm.Extra{}, nil
			parts := []llm.Part{}
			for _, p := range a.Parts {
				switch p := p.(type) {
				case *llm.ServerCall:
					if p.Name == "web_search" || p.Name == "web_fetch" || p.Name == "file_search" {
						continue // Google's metadata, which a stream does not repeat verbatim
					}
					q := *p
					q.ID, q.Input = "", compact(p.Input)
					parts = append(parts, &q)
				case *llm.ServerResult:
					if p.Name == "web_search" || p.Name == "web_fetch" || p.Name == "file_search" {
						continue
					}
					q := *p
					q.CallID, q.Raw = "", compact(p.Raw)
					parts = append(parts, &q)
				case *llm.Prose:
					q := *p
					q.Cites = nil
					for _, c := range p.Cites {
						if c.End == 0 { // the whole text
							c.End = p.Text.Runes()
						}
						q.Cites = append(q.Cites, llm.Citation{URL: c.URL, Title: c.Title, Start: c.Start, End: c.End})
					}
					parts = append(parts, &q)
				case *llm.Call:
					q := *p
					if !ids && minted(q.ID) {
						q.ID = ""
					}
					parts = append(parts, &q)
				default:
					parts = append(parts, p)
				}
			}
			a.Parts = parts
			out.Answers = append(out.Answers, a)
		}
		return out
	}
	return cmp.Diff(clean(a), clean(b), cmpopts.EquateEmpty(), cmp.Transformer("text", func(t llm.Text) string { return t.String() }))
}

func compact(v jsontext.Value) jsontext.Value {
	v = bytes.Clone(v)
	if v.Compact() != nil {
		return nil
	}
	return v
}

// rewrite writes a recorded stream again.
func rewrite(t *testing.T, c *Codec, stream []byte) (out []byte) {
	t.Helper()
	d := c.NewDecoder()
	e := c.NewEncoder(&protocol.Echo{Model: "m", ID: "id"})
	var events []llm.Event
	for _, f := range codectest.Frames(stream) {
		var err error
		data := bytes.Clone(f.Data)
		if events, err = d.Feed(events[:0], f.Event, data); err != nil {
			t.Fatal(err)
		}
		for i := range events {
			out = e.Feed(out, &events[i])
		}
		for i := range data { // texts are only valid until the next call
			data[i] = 'x'
		}
	}
	events = d.End(events[:0])
	for i := range events {
		out = e.Feed(out, &events[i])
	}
	out = e.End(out)
	if n := len(out); len(e.End(out)) != n {
		t.Error("the second end writes something")
	}
	return out
}

// lawful checks a stream chunk by chunk: each has a candidate with a role and
// at least one part, a model and an id, always the same; finish reasons and
// usage come with the last one, and each call is whole.
func lawful(t *testing.T, name string, stream []byte) {
	t.Helper()
	frames := codectest.Frames(stream)
	id := ""
	for i, f := range frames {
		if !jsontext.Value(f.Data).IsValid() || f.Event != nil {
			t.Fatalf("%s: chunk %d: %s", name, i, f.Data)
		}
		if got := wire.Text(jsonedit.Get(f.Data, "responseId")); got == "" || i > 0 && got != id {
			t.Errorf("%s: chunk %d has the id %q", name, i, got)
		} else {
			id = got
		}
		if wire.Text(jsonedit.Get(f.Data, "modelVersion")) != "m" {
			t.Errorf("%s: chunk %d has no model", name, i)
		}
		candidates := 0
		for c := range jsonedit.Elements(jsonedit.Get(f.Data, "candidates")) {
			candidates++
			n := 0
			for p := range jsonedit.Elements(jsonedit.Path(c, "content", "parts")) {
				n++
				if call := jsonedit.Get(p, "functionCall"); call != nil && (jsonedit.Get(call, "name") == nil || jsonedit.Get(call, "willContinue") != nil) {
					t.Errorf("%s: chunk %d has half a call: %s", name, i, call)
				}
			}
			last := i == len(frames)-1
			if n == 0 || wire.Text(jsonedit.Path(c, "content", "role")) != "model" || jsonedit.Get(c, "index") == nil {
				t.Errorf("%s: chunk %d has an empty candidate: %s", name, i, c)
			}
			if stopped := jsonedit.Get(c, "finishReason") != nil; stopped != last {
				t.Errorf("%s: chunk %d of %d stops or does not: %s", name, i, len(frames), c)
			}
		}
		if candidates == 0 {
			t.Errorf("%s: chunk %d has no candidate", name, i)
		}
	}
	if strings.Contains(string(stream), "[DONE]") {
		t.Errorf("%s: it ends like another protocol's", name)
	}
}

// TestChunkAllocates: a chunk of text costs no allocation, from Google to a
// client of chat or its own, and to a client of Google's from chat.
func TestChunkAllocates(t *testing.T) {
	echo := &protocol.Echo{Model: "m"}
	googles := []byte(chunk(`{"text":"Hello"}`, "", counts))
	chats := []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}`)
	for _, c := range []struct {
		name     string
		from, to protocol.Translator
		data     []byte
	}{
		{"gemini to gemini", New(), New(), googles},
		{"gemini to chat", New(), openaichat.New(), googles},
		{"chat to gemini", openaichat.New(), New(), chats},
	} {
		d, e := c.from.NewDecoder(), c.to.NewEncoder(echo)
		events := make([]llm.Event, 0, 8)
		out := make([]byte, 0, 4096)
		feed := func() {
			events, _ = d.Feed(events[:0], nil, c.data)
			out = out[:0]
			for i := range events {
				out = e.Feed(out, &events[i])
			}
		}
		feed()
		if n := testing.AllocsPerRun(1000, feed); n > 0 {
			t.Errorf("%s: %v allocations for a chunk of text", c.name, n)
		}
	}
}
