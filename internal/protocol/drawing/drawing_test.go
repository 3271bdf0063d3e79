package drawing

import (
	"encoding/json/jsontext"
	"errors"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/llm"
)

// TestRequests: what the model is asked, and what is refused or lost.
func TestRequests(t *testing.T) {
	const head = `{"contents":[{"role":"user","parts":[{"text":"a \\"cat\\""}]}],"generationConfig":{"responseModalities":["TEXT","IMAGE"]`
	for name, tt := range map[string]struct {
		in, model, config string
		param             string // of the refusal
		lost              string
	}{
		"plain":           {in: `"size":null`, model: "gemini-3-pro-image", config: ""},
		"a square":        {in: `"size":"1024x1024"`, model: "m", config: `,"imageConfig":{"aspectRatio":"1:1"}`},
		"wide":            {in: `"size":"1792x1024"`, model: "m", config: `,"imageConfig":{"aspectRatio":"16:9"}`},
		"a ratio":         {in: `"size":"9:16"`, model: "m", config: `,"imageConfig":{"aspectRatio":"9:16"}`},
		"any size":        {in: `"size":"auto"`, model: "m", config: ""},
		"large":           {in: `"quality":"hd"`, model: "gemini-3-pro-image", config: `,"imageConfig":{"imageSize":"4K"}`},
		"exactly":         {in: `"quality":"hd","imageSize":"2k"`, model: "gemini-3-pro-image", config: `,"imageConfig":{"imageSize":"2K"}`},
		"of one size":     {in: `"quality":"hd"`, model: "gemini-2.5-flash-image", config: "", lost: "quality"},
		"any quality":     {in: `"quality":"auto"`, model: "gemini-2.5-flash-image", config: ""},
		"another form":    {in: `"output_format":"webp"`, model: "m", config: "", lost: "output_format"},
		"unknown":         {in: `"background":"transparent"`, model: "m", config: "", lost: "background"},
		"no size":         {in: `"size":"big"`, param: "size"},
		"nothing by much": {in: `"size":"0x10"`, param: "size"},
		"too many":        {in: `"n":11`, param: "n"},
		"no prompt":       {in: `"prompt":""`, param: "prompt"},
		"in pieces":       {in: `"stream":true`, param: "stream"},
	} {
		r, err := FromOpenAI([]byte(`{"model":"x","prompt":"a \"cat\"",` + tt.in + `}`))
		if tt.param != "" {
			if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Param != tt.param {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r.Google(tt.model)
		if got := string(r.Google(tt.model)); got != strings.ReplaceAll(head, `\\`, `\`)+tt.config+"}}" {
			t.Errorf("%s: %s", name, got)
		}
		if (tt.lost == "") != (len(r.Losses) == 0) || tt.lost != "" && (len(r.Losses) != 1 || r.Losses[0].Path != tt.lost) {
			t.Errorf("%s: lost %v", name, r.Losses)
		}
	}
}

// TestAnswers: pictures are gathered; a model that drew none is quoted.
func TestAnswers(t *testing.T) {
	drawn := func(kind string) *llm.Response {
		return &llm.Response{Usage: llm.Usage{Input: 3, Output: 5}, Answers: []llm.Answer{{Parts: []llm.Part{&llm.Prose{Text: llm.Plain("Here.")}, &llm.Blob{Type: kind, Data: llm.Plain("aGk=")}}, Stop: llm.StopEnd}}}
	}
	a := (&Request{}).NewAnswer()
	if err := errors.Join(a.Add(drawn("image/png")), a.Add(drawn(`image/"x`))); err != nil {
		t.Fatal(err)
	}
	const want = `{"created":9,"data":[{"b64_json":"aGk="},{"b64_json":"aGk="}],"output_format":"png","usage":{"input_tokens":6,"input_tokens_details":{"text_tokens":6,"image_tokens":0},"output_tokens":10,"total_tokens":16}}`
	if got := string(a.Body(9)); got != want {
		t.Errorf("got %s", got)
	}
	a = (&Request{url: true}).NewAnswer()
	if err := a.Add(drawn("image/jpeg")); err != nil || !strings.Contains(string(a.Body(9)), `"data":[{"url":"data:image/jpeg;base64,aGk="}],"output_format":"jpeg"`) || !jsontext.Value(a.Body(9)).IsValid() {
		t.Errorf("%v, %s", err, a.Body(9))
	}
	for stop, class := range map[llm.Stop]fault.Class{llm.StopEnd: fault.Broken, llm.StopRefusal: fault.ContentFiltered, llm.StopFilter: fault.ContentFiltered} {
		err := a.Add(&llm.Response{Answers: []llm.Answer{{Parts: []llm.Part{&llm.Prose{Text: llm.Plain("I cannot." + strings.Repeat("x", 1000))}}, Stop: stop}}})
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Class != class || !strings.Contains(f.Msg, "I cannot.") || len(f.Msg) > 500 {
			t.Errorf("%v", err)
		}
	}
}

// FuzzRequest: any request is refused or makes a sound one.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"prompt":"a","size":"1x2","quality":"hd","image_size":"2k","n":3}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !jsontext.Value(body).IsValid() {
			return // the way in lets nothing else through
		}
		r, err := FromOpenAI(body)
		if err != nil {
			return
		}
		if out := r.Google("m"); !jsontext.Value(out).IsValid() || r.N < 1 || r.N > MaxPictures || len(r.Losses) > maxLosses {
			t.Errorf("%d, %s", r.N, out)
		}
	})
}
