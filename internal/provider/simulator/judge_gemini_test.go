package simulator

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"testing"

	"portico/internal/llm"
	"portico/internal/protocol"
)

type geminiAnswer struct {
	Candidates []struct {
		Content struct {
			Role  string
			Parts []struct {
				Text    *string
				Thought bool
				Seal    string `json:"thoughtSignature"`
				Inline  *struct {
					MIME string `json:"mimeType"`
					Data string
				} `json:"inlineData"`
				Call *struct {
					ID, Name string
					Args     jsontext.Value
				} `json:"functionCall"`
			}
		}
		Finish string `json:"finishReason"`
		Index  int
	}
	Usage *struct {
		In       int64 `json:"promptTokenCount"`
		Out      int64 `json:"candidatesTokenCount"`
		Thoughts int64 `json:"thoughtsTokenCount"`
		Cached   int64 `json:"cachedContentTokenCount"`
		Total    int64 `json:"totalTokenCount"`
	} `json:"usageMetadata"`
	Model string `json:"modelVersion"`
	ID    string `json:"responseId"`
}

// take adds what a chunk, or a whole answer, says.
func (a *geminiAnswer) take(t testing.TB, xs []told) []told {
	u := a.Usage
	if u == nil || a.Model == "" || a.ID == "" || u.In+u.Out+u.Thoughts != u.Total || u.Cached > u.In {
		t.Fatalf("a chunk is %+v, its usage %+v", a, u)
	}
	for _, c := range a.Candidates {
		if c.Index == len(xs) {
			xs = append(xs, told{})
		}
		x := &xs[c.Index]
		if c.Content.Role != "model" || x.Stop != "" {
			t.Errorf("a candidate is %+v", c)
		}
		for _, p := range c.Content.Parts {
			x.Sealed = x.Sealed || p.Seal != ""
			if _, err := base64.StdEncoding.DecodeString(p.Seal); err != nil {
				t.Errorf("the signature %q: %v", p.Seal, err)
			}
			switch {
			case p.Text != nil && p.Thought:
				x.Thought += *p.Text
			case p.Text != nil:
				x.Text += *p.Text
			case p.Inline != nil:
				b, err := base64.StdEncoding.DecodeString(p.Inline.Data)
				if err != nil || p.Inline.MIME != "image/png" {
					t.Error(p.Inline.MIME, err)
				}
				isPNG(t, b)
				x.Images++
			case p.Call != nil && p.Call.ID != "" && p.Call.Args.Kind() == '{':
				x.Calls = append(x.Calls, p.Call.Name+" "+string(p.Call.Args))
			default:
				t.Errorf("a part is %+v", p)
			}
		}
		x.Stop = c.Finish
	}
	for i := range xs {
		xs[i].Usage = llm.Usage{Input: u.In - u.Cached, CacheRead: u.Cached, Output: u.Out, Reasoning: u.Thoughts}
	}
	return xs
}

// judgeGemini reads an answer of generateContent: whole, as server-sent events,
// or as a JSON array.
func judgeGemini(t testing.TB, body []byte, streamed bool) (xs []told) {
	t.Helper()
	watch(t, protocol.Gemini, streamed, body)
	var chunks []jsontext.Value
	switch {
	case !streamed:
		chunks = []jsontext.Value{body}
	case body[0] == '[':
		chunks = read[[]jsontext.Value](t, body)
	default:
		for _, f := range cut(t, body) {
			if f.Event != nil {
				t.Errorf("the event %s has a name", f.Event)
			}
			chunks = append(chunks, f.Data)
		}
	}
	for _, c := range chunks {
		a := read[geminiAnswer](t, c)
		xs = a.take(t, xs)
	}
	for i := range xs {
		if xs[i].Stop == "" {
			t.Errorf("candidate %d never ends", i)
		}
	}
	return xs
}
