package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json/jsontext"
	"math"
	"mime/multipart"
	"strings"
	"testing"

	"portico/internal/protocol"
)

func TestModels(t *testing.T) {
	for dialect, path := range map[string]string{protocol.OpenAIChat: "/models", protocol.OpenAIResponses: "/models", protocol.Anthropic: "/v1/models", protocol.Gemini: "/models"} {
		for _, m := range models {
			if r := send(t, fixed(), dialect, "GET "+path+"/"+m.id, ""); r.StatusCode != 200 || !strings.Contains(string(r.body), m.id+`"`) {
				t.Errorf("%s %s: %s", dialect, m.id, r.body)
			}
		}
		var all []protocol.Model
		for next, pages := "limit=2&pageSize=2", 0; next != ""; pages++ {
			r := send(t, fixed(), dialect, "GET "+path+"?limit=2&pageSize=2&"+next, "")
			ms, more, err := codecs[dialect].DecodeModels(r.body)
			if err != nil || pages > len(models) {
				t.Fatalf("%s: %v in %s", dialect, err, r.body)
			}
			all, next = append(all, ms...), more
		}
		if len(all) != len(models) {
			t.Errorf("%s lists %+v", dialect, all)
		}
		for i, m := range all {
			if m.ID != models[i].id || m.DisplayName != models[i].title || m.Context != contextWindow || m.MaxOutput != maxOutput {
				t.Errorf("%s: %+v", dialect, m)
			}
		}
	}
}

// TestCount: a count is what the answer bills, in every dialect.
func TestCount(t *testing.T) {
	for _, w := range []wants{
		{said: "hello"},
		{said: "hello", system: strings.Repeat("x", 999), tools: true, before: true, schema: addSchema},
		{said: "hello", image: true},
		{said: "[[fault:status:500]]"}, // a count answers nothing, so nothing fails
	} {
		for dialect, path := range map[string]string{
			protocol.OpenAIResponses: "/responses/input_tokens", protocol.Anthropic: "/v1/messages/count_tokens", protocol.Gemini: "/models/m:countTokens",
		} {
			_, body := w.build(dialect, false)
			if dialect == protocol.Gemini {
				body = `{"generateContentRequest":` + body + `}`
			}
			c := read[struct {
				Object string
				OpenAI int64 `json:"input_tokens"`
				Gemini int64 `json:"totalTokens"`
			}](t, send(t, fixed(), dialect, path, body).body)
			w.said = strings.Replace(w.said, "status:500", "delay:0.00", 1)
			path, body = w.build(dialect, false)
			u := judge(t, dialect, send(t, fixed(), dialect, path, body).body, false).Usage
			if got, want := c.OpenAI+c.Gemini, u.Total()-u.Output; got != want || (c.Object == "response.input_tokens") != (dialect == protocol.OpenAIResponses) {
				t.Errorf("%s counts %d for %+v, which is billed %d", dialect, got, w, want)
			}
		}
	}
	if r := send(t, fixed(), protocol.Anthropic, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"foo"}],"tools":[]}`); string(r.body) != `{"input_tokens":1}` {
		t.Errorf("without max_tokens: %s", r.body)
	}
	if r := send(t, fixed(), protocol.Gemini, "/models/m:countTokens", `{"contents":[{"parts":[{"text":"12345"}]}]}`); !strings.Contains(string(r.body), `"totalTokens":2`) {
		t.Errorf("bare contents: %s", r.body)
	}
}

func cosine(a, b []float32) (dot float64) {
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot
}

func TestEmbeddings(t *testing.T) {
	body := `{"model":"m","input":["the cat sat","a cat sat","stock market news",""],"dimensions":64}`
	floats := read[struct {
		Data []struct {
			Object    string
			Index     int
			Embedding []float32
		}
		Usage struct {
			In    int64 `json:"prompt_tokens"`
			Total int64 `json:"total_tokens"`
		}
	}](t, send(t, fixed(), protocol.OpenAIChat, "/embeddings", body).body)
	d := floats.Data
	if len(d) != 4 || d[3].Index != 3 || len(d[0].Embedding) != 64 || floats.Usage.In != 10 || floats.Usage.Total != 10 {
		t.Fatalf("%+v", floats)
	}
	for i := range d {
		if n := cosine(d[i].Embedding, d[i].Embedding); math.Abs(n-1) > 1e-5 {
			t.Errorf("vector %d has the length %f", i, n)
		}
	}
	if near, far := cosine(d[0].Embedding, d[1].Embedding), cosine(d[0].Embedding, d[2].Embedding); near < 0.5 || far > 0.4 {
		t.Errorf("alike: %f, unlike: %f", near, far)
	}
	coded := read[struct{ Data []struct{ Embedding string } }](t,
		send(t, fixed(), protocol.OpenAIChat, "/embeddings", strings.Replace(body, "{", `{"encoding_format":"base64",`, 1)).body)
	raw, err := base64.StdEncoding.DecodeString(coded.Data[1].Embedding)
	if err != nil || len(raw) != 4*64 || math.Float32frombits(binary.LittleEndian.Uint32(raw[4:])) != d[1].Embedding[1] {
		t.Errorf("%v, %d bytes", err, len(raw))
	}
	for in, want := range map[string]int{`"x"`: 1, `[1,2,3]`: 1, `[[1,2],[3]]`: 2, `["a","b"]`: 2} {
		r := send(t, fixed(), protocol.OpenAIChat, "/embeddings", `{"input":`+in+`}`)
		if n := strings.Count(string(r.body), `"object":"embedding"`); n != want {
			t.Errorf("%s gives %d vectors: %.200s", in, n, r.body)
		}
	}
	one := read[struct{ Embedding struct{ Values []float32 } }](t,
		send(t, fixed(), protocol.Gemini, "/models/m:embedContent", `{"content":{"parts":[{"text":"the cat sat"}]},"outputDimensionality":64}`).body)
	if cosine(one.Embedding.Values, d[0].Embedding) < 0.999 {
		t.Error("the same text has another vector in Gemini's protocol")
	}
	batch := read[struct{ Embeddings []struct{ Values []float32 } }](t,
		send(t, fixed(), protocol.Gemini, "/models/m:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}`).body)
	if len(batch.Embeddings) != 2 || len(batch.Embeddings[1].Values) != defaultDimensions {
		t.Errorf("%+v", batch)
	}
}

// TestEmbeddingBounds: a small request cannot ask for a large answer.
func TestEmbeddingBounds(t *testing.T) {
	many := func(n int) string { return `["x"` + strings.Repeat(`,"x"`, n-1) + `]` }
	for body, want := range map[string]int{
		`{"input":` + many(maxTexts) + `}`:                      200,
		`{"input":` + many(maxTexts+1) + `}`:                    400,
		`{"input":` + many(341) + `,"dimensions":3072}`:         200,
		`{"input":` + many(342) + `,"dimensions":3072}`:         400,
		`{"input":"x","dimensions":3073}`:                       400,
		`{"input":"` + strings.Repeat("word ", 1<<18) + `"}`:    200,
		`{"input":` + strings.Repeat("[", 1<<12) + `,"model":1`: 400,
	} {
		if r := send(t, fixed(), protocol.OpenAIChat, "/embeddings", body); r.StatusCode != want {
			t.Errorf("%.40s…: %d, want %d: %.100s", body, r.StatusCode, want, r.body)
		}
	}
}

func TestImages(t *testing.T) {
	type images struct {
		Data []struct {
			B64 string `json:"b64_json"`
			URL string
		}
		Usage struct {
			Total int64 `json:"total_tokens"`
		}
	}
	a := read[images](t, send(t, fixed(), protocol.OpenAIChat, "/images/generations", `{"prompt":"a cat","n":2}`).body)
	b, err := base64.StdEncoding.DecodeString(a.Data[1].B64)
	if len(a.Data) != 2 || err != nil || a.Usage.Total != 2+2*blobTokens {
		t.Errorf("%d images, %v, %d tokens", len(a.Data), err, a.Usage.Total)
	}
	isPNG(t, b)
	a = read[images](t, send(t, fixed(), protocol.OpenAIChat, "/images/generations", `{"prompt":"a cat","response_format":"url"}`).body)
	if !strings.HasPrefix(a.Data[0].URL, "data:image/png;base64,") {
		t.Errorf("%+v", a)
	}
}

func TestModerations(t *testing.T) {
	for in, want := range map[string]int{`"x"`: 1, `["x","y"]`: 2, `[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"https://x"}}]`: 1} {
		a := read[struct {
			ID, Model string
			Results   []struct {
				Flagged    *bool
				Categories map[string]bool
				Scores     map[string]float64 `json:"category_scores"`
			}
		}](t, send(t, fixed(), protocol.OpenAIChat, "/moderations", `{"input":`+in+`}`).body)
		if len(a.Results) != want || *a.Results[0].Flagged || len(a.Results[0].Categories) != len(harms) || len(a.Results[0].Scores) != len(harms) || a.ID == "" || a.Model == "" {
			t.Errorf("%s: %+v", in, a)
		}
	}
}

func TestSpeech(t *testing.T) {
	r := send(t, fixed(), protocol.OpenAIChat, "/audio/speech", `{"input":"hello"}`)
	if r.Header.Get("Content-Type") != "audio/wav" || len(r.body) != 44+soundBytes || string(r.body[:4]) != "RIFF" || binary.LittleEndian.Uint32(r.body[40:]) != soundBytes {
		t.Errorf("%v, %d bytes", r.Header, len(r.body))
	}
	if r := send(t, fixed(), protocol.OpenAIChat, "/audio/speech", `{"input":"hello","response_format":"pcm"}`); len(r.body) != soundBytes || r.Header.Get("Content-Type") != "audio/pcm" {
		t.Errorf("%v, %d bytes", r.Header, len(r.body))
	}
}

func TestTranscription(t *testing.T) {
	for format, want := range map[string]string{"": `{"text":"`, "text": greeting, "srt": "1\n00:00:00,000 --> 00:00:01,000\n", "vtt": "WEBVTT\n\n00:00:00.000", "verbose_json": `{"task":"transcribe"`} {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", "a.wav")
		if err == nil {
			_, err = part.Write(make([]byte, 1000))
		}
		if err == nil {
			err = w.WriteField("response_format", format)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		r := send(t, fixed(), protocol.OpenAIChat, "/audio/transcriptions", b.String(), "Content-Type", w.FormDataContentType())
		if !strings.HasPrefix(string(r.body), want) || !strings.Contains(string(r.body), "1000 bytes") {
			t.Errorf("%q gives %s", format, r.body)
		}
	}
	many := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
	if r := send(t, fixed(), protocol.OpenAIChat, "/audio/transcriptions", strings.Repeat(many, maxForm+1)+"--x--", "Content-Type", "multipart/form-data; boundary=x"); r.StatusCode != 400 {
		t.Errorf("a form of %d members: %d", maxForm+1, r.StatusCode)
	}
}

func TestInvent(t *testing.T) {
	for schema, want := range map[string]string{
		``:                `null`,
		`{}`:              `"simulated"`,
		`{"type":"null"}`: `null`,
		`{"type":["null","integer"],"minimum":5}`:                                                     `5`,
		`{"type":"INTEGER","maximum":-3}`:                                                             `-3`,
		`{"type":"integer","multipleOf":7}`:                                                           `7`,
		`{"type":"number","exclusiveMinimum":1.5}`:                                                    `2.5`,
		`{"type":"integer","exclusiveMaximum":1}`:                                                     `0`,
		`{"type":"boolean"}`:                                                                          `true`,
		`{"enum":["b","a"]}`:                                                                          `"b"`,
		`{"const":{"b":1,"a":2}}`:                                                                     `{"a":2,"b":1}`,
		`{"type":"string","minLength":12}`:                                                            `"simulatedxxx"`,
		`{"type":"string","maxLength":3}`:                                                             `"sim"`,
		`{"type":"string","format":"date"}`:                                                           `"2026-01-01"`,
		`{"type":"array","items":{"type":"integer"},"minItems":3}`:                                    `[1,1,1]`,
		`{"type":"ARRAY","items":{"type":"STRING"},"minItems":"2"}`:                                   `["simulated","simulated"]`,
		`{"type":"array","maxItems":0,"items":{}}`:                                                    `[]`,
		`{"type":"array","prefixItems":[{"type":"integer"},{"type":"boolean"}]}`:                      `[1,true]`,
		`{"anyOf":[{"type":"null"},{"type":"integer"}]}`:                                              `1`,
		`{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"required":["b"]}]}`:     `{"a":1,"b":null}`,
		`{"$ref":"#/$defs/x","$defs":{"x":{"type":"integer"}}}`:                                       `1`,
		`{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"integer"}}}`:                                  `1`,
		`{"$ref":"https://elsewhere"}`:                                                                `null`,
		`{"required":["b","a","b"],"properties":{"a":{"type":"integer"},"b":{"enum":[null]},"c":{}}}`: `{"b":null,"a":1}`,
		`"not a schema"`: `null`,
	} {
		if got := string(invent(jsontext.Value(schema), false)); got != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
	if got := string(invent(jsontext.Value(`{"type":"string"}`), true)); got != `{}` {
		t.Errorf("arguments that are no object: %s", got)
	}
	for _, schema := range []string{
		`{"$ref":"#"}`, `{"type":"array","items":{"$ref":"#"},"minItems":1000}`, `{"type":"object","required":["a","b"],"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}`,
		`{"type":"array","minItems":1e300,"items":{"type":"string","minLength":1e300}}`,
	} {
		if v := invent(jsontext.Value(schema), false); len(v) > maxNodes*maxString || !v.IsValid() {
			t.Errorf("%s gives %d bytes", schema, len(v))
		}
	}
}
