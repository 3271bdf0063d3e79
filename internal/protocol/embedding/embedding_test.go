package embedding

import (
	"encoding/json/jsontext"
	"errors"
	"strconv"
	"strings"
	"testing"

	"portico/internal/fault"
)

// list is a JSON array of n times s.
func list(n int, s string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(s+",", n), ",") + "]"
}

// TestRequests: what crosses is what was asked for, or a refusal that names the
// place.
func TestRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		google, many bool
		in, out      string
		param        string // of the refusal
		lost         int
	}{
		"one text":          {in: `{"model":"x","input":"a","user":"u"}`, out: `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}`},
		"null is unset":     {in: `{"input":"a","dimensions":null,"encoding_format":null}`, out: `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}`},
		"the last one":      {in: `{"input":"a","input":["b"]}`, out: `{"requests":[{"model":"models/m","content":{"parts":[{"text":"b"}]}}]}`},
		"unknown":           {in: `{"input":"a","task":"x","input_type":"y"}`, out: `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}`, lost: 2},
		"as many as can be": {in: `{"input":` + list(MaxTexts, `"a"`) + `}`, out: `{"requests":` + list(PerBatch, `{"model":"models/m","content":{"parts":[{"text":"a"}]}}`) + `}`},
		"one too many":      {in: `{"input":` + list(MaxTexts+1, `"a"`) + `}`, param: "input"},
		"tokens":            {in: `{"input":[[1,2]]}`, param: "input"},
		"a mix":             {in: `{"input":["a",null]}`, param: "input"},
		"no list":           {in: `{"input":{}}`, param: "input"},
		"an empty list":     {in: `{"input":[]}`, param: "input"},
		"a form":            {in: `{"input":"a","encoding_format":"int8"}`, param: "encoding_format"},
		"a size":            {in: `{"input":"a","dimensions":1.5}`, param: "dimensions"},
		"too large a size":  {in: `{"input":"a","dimensions":65537}`, param: "dimensions"},

		"Google's": {
			google: true, in: `{"model":"models/x","content":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"embedContentConfig":{"outputDimensionality":3,"taskType":"CLUSTERING","autoTruncate":true}}`,
			out: `{"model":"models/m","input":["a\nb"],"dimensions":3,"encoding_format":"float"}`, lost: 2,
		},
		"no task":       {google: true, in: `{"content":{"parts":[{"text":"a"}]},"task_type":"TASK_TYPE_UNSPECIFIED","title":null}`, out: `{"model":"models/m","input":["a"],"encoding_format":"float"}`},
		"one loss":      {google: true, many: true, in: `{"requests":` + list(3, `{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"}`) + `}`, out: `{"model":"models/m","input":["a","a","a"],"encoding_format":"float"}`, lost: 1},
		"no content":    {google: true, in: `{"taskType":"CLUSTERING"}`, param: "content"},
		"no parts":      {google: true, in: `{"content":{"parts":[]}}`, param: "content.parts"},
		"a picture":     {google: true, many: true, in: `{"requests":[{"content":{"parts":[{"text":"a"},{"inlineData":{}}]}}]}`, param: "requests[0].content.parts[1]"},
		"sizes":         {google: true, many: true, in: `{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":3},{"content":{"parts":[{"text":"a"}]}}]}`, param: "requests[1].outputDimensionality"},
		"an empty one":  {google: true, many: true, in: `{"requests":[]}`, param: "requests"},
		"no requests":   {google: true, many: true, in: `{"requests":{}}`, param: "requests"},
		"a large batch": {google: true, many: true, in: `{"requests":` + list(MaxTexts+1, `{"content":{"parts":[{"text":"a"}]}}`) + `}`, param: "requests"},
	} {
		var r *Request
		var err error
		if tt.google {
			r, err = FromGoogle([]byte(tt.in), tt.many)
		} else {
			r, err = FromOpenAI([]byte(tt.in))
		}
		if tt.param != "" {
			if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Param != tt.param || f.Class != fault.Malformed && f.Class != fault.Unsupported {
				t.Errorf("%s: %+v, want one about %s", name, err, tt.param)
			}
			continue
		}
		if err != nil || len(r.Losses) != tt.lost {
			t.Errorf("%s: %v, lost %v", name, err, r)
			continue
		}
		out := string(r.Google(0, "models/m"))
		if tt.google {
			out = string(r.OpenAI("models/m"))
		}
		if out != tt.out {
			t.Errorf("%s: got %.500s\nwant %.500s", name, out, tt.out)
		}
	}
}

// TestLossesAreBounded: a request cannot make a long list of them.
func TestLossesAreBounded(t *testing.T) {
	in := `{"input":"a"`
	for i := range 10 * maxLosses {
		in += `,"m` + strconv.Itoa(i) + `":1`
	}
	r, err := FromOpenAI([]byte(in + "}"))
	if err != nil || len(r.Losses) != maxLosses {
		t.Errorf("%v, %d", err, len(r.Losses))
	}
}

// TestAnswers: an answer is taken whole, or not at all.
func TestAnswers(t *testing.T) {
	r, err := FromOpenAI([]byte(`{"input":["a","b"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for in, ok := range map[string]bool{
		`{"embeddings":[{"values":[1]},{"values":[]}]}`:                true,
		`{"embeddings":[{"values":[1]}]}`:                              false,
		`{"embeddings":[{"values":[1]},{"values":[2]},{"values":[]}]}`: false,
		`{"embeddings":[{"values":[1]},{"values":["x"]}]}`:             false,
		`{"embeddings":[{"values":[1]},{"values":[[1]]}]}`:             false,
		`{"embeddings":[{"values":[1]},{"values":[1 2]}]}`:             false,
		`{"embeddings":[{"values":[1]},{"values":[true]}]}`:            false,
		`{"embeddings":[{"values":[1]},{"values":"AAAA"}]}`:            false,
		`{"embeddings":[{"values":[1]},{"values":"AADAfw=="}]}`:        false, // not a number
		`{"embeddings":[{"values":[1]},{}]}`:                           false,
		`{"embeddings":{}}`:                                            false,
		`[]`:                                                           false,
	} {
		a := r.NewAnswer()
		if err := a.Google(r, 0, []byte(in)); (err == nil) != ok || err != nil && (a.n != 0 || len(a.data) != 0) {
			t.Errorf("%s: %v, %d vectors", in, err, a.n)
		}
	}
	for in, ok := range map[string]bool{
		`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`: true,
		`{"data":[{"embedding":[1]},{"embedding":[2]}]}`:                     true,
		`{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}`: false,
		`{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[2]}]}`: false,
		`{"data":[{"index":0,"embedding":[1]},{"index":-1}]}`:                false,
		`{"data":[{"index":0,"embedding":[1]}]}`:                             false,
		`{"data":null}`:                                                      false,
	} {
		a := r.NewAnswer()
		if err := a.OpenAI(r, []byte(in)); (err == nil) != ok {
			t.Errorf("%s: %v", in, err)
		}
		if got := string(a.Body("m", 3)); ok && got != `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]},{"object":"embedding","index":1,"embedding":[2]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}` {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// FuzzRequest: any request is refused or makes sound ones.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"input":["a","b"],"dimensions":3,"encoding_format":"base64"}`))
	f.Add([]byte(`{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"X"}]}`))
	f.Add([]byte(`{"content":{"parts":[{"text":"a"},{"text":"b"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !jsontext.Value(body).IsValid() {
			return // the way in lets nothing else through
		}
		for _, read := range []func() (*Request, error){
			func() (*Request, error) { return FromOpenAI(body) },
			func() (*Request, error) { return FromGoogle(body, false) },
			func() (*Request, error) { return FromGoogle(body, true) },
		} {
			r, err := read()
			if err != nil {
				continue
			}
			if out := r.OpenAI("m"); !jsontext.Value(out).IsValid() {
				t.Errorf("%s", out)
			}
			for i := range r.Batches() {
				if out := r.Google(i, "models/m"); !jsontext.Value(out).IsValid() {
					t.Errorf("%s", out)
				}
			}
		}
	})
}

// FuzzAnswer: any answer is refused or makes a sound one.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"embeddings":[{"values":[1,2.5e3]}],"usageMetadata":{"promptTokenCount":3}}`))
	f.Add([]byte(`{"data":[{"index":0,"embedding":"AAAAPgAAgL8="}],"usage":{"prompt_tokens":3}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, in := range []string{`{"input":"a"}`, `{"input":"a","encoding_format":"base64"}`, ""} {
			r, err := FromOpenAI([]byte(in))
			if in == "" {
				r, err = FromGoogle([]byte(`{"content":{"parts":[{"text":"a"}]}}`), false)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, read := range []func(a *Answer) error{
				func(a *Answer) error { return a.Google(r, 0, body) },
				func(a *Answer) error { return a.OpenAI(r, body) },
			} {
				a := r.NewAnswer()
				if err := read(a); err != nil {
					continue
				}
				if out := a.Body("m", 1); !jsontext.Value(out).IsValid() {
					t.Errorf("%s", out)
				}
			}
		}
	})
}
