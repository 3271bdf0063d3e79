package candidates

import (
	"strings"
	"testing"

	"portico/internal/jsonedit"
)

// TestOne is what a request for one candidate of several looks like.
func TestOne(t *testing.T) {
	for _, tt := range []struct {
		d      *Dialect
		body   string
		wanted int
		seeded bool
		i      int
		want   string
	}{
		{OpenAI, `{"model":"m","n":3,"messages":[]}`, 3, false, 0, `{"model":"m","messages":[]}`},
		{OpenAI, `{"model":"m","messages":[]}`, 0, false, 2, `{"model":"m","messages":[]}`},
		{OpenAI, `{"n":null,"seed":null}`, 0, false, 2, `{"seed":null}`},
		{OpenAI, `{"n":"2"}`, 0, false, 1, `{}`},
		{OpenAI, `{"n":-4}`, 0, false, 1, `{}`},
		{OpenAI, `{"n":1e300}`, 0, false, 1, `{}`},
		{OpenAI, `{"n":99999999}`, 1 << 16, false, 1, `{}`},
		{OpenAI, `{"n":2,"n":3,"seed":7}`, 3, true, 0, `{"seed":7}`},
		{OpenAI, `{"n":2,"seed":7,"user":"u"}`, 2, true, 1, `{"seed":8,"user":"u"}`},
		{OpenAI, `{"prompt":["a","b"],"n":2,"best_of":4,"logprobs":1}`, 2, false, 1, `{"prompt":["a","b"],"logprobs":1}`},
		{OpenAI, `{"n":2,"seed":4611686018427387904}`, 2, true, 7, `{"seed":4611686018427387895}`},
		{OpenAI, `{"n":2,"seed":1e99}`, 2, false, 7, `{"seed":1e99}`},
		{OpenAI, `{"n":2,"seed":1.5}`, 2, false, 1, `{"seed":1.5}`},
		{Gemini, `{"contents":[],"generationConfig":{"candidateCount":3,"seed":7,"topK":1}}`, 3, true, 2, `{"contents":[],"generationConfig":{"seed":9,"topK":1}}`},
		{Gemini, `{"contents":[],"generation_config":{"candidate_count":3}}`, 3, false, 2, `{"contents":[],"generation_config":{}}`},
		{Gemini, `{"generationConfig":{"seed":2147483647,"candidateCount":8}}`, 8, true, 7, `{"generationConfig":{"seed":2147483638}}`},
		{Gemini, `{"generationConfig":{"seed":2147483639,"candidateCount":8}}`, 8, true, 7, `{"generationConfig":{"seed":2147483646}}`},
		{Gemini, `{"generationConfig":[],"candidateCount":2}`, 0, false, 1, `{"generationConfig":[],"candidateCount":2}`},
		{Gemini, `{}`, 0, false, 1, `{}`},
	} {
		if n := tt.d.Wanted([]byte(tt.body)); n != tt.wanted {
			t.Errorf("%s wants %d, want %d", tt.body, n, tt.wanted)
		}
		if got := tt.d.Seeded([]byte(tt.body)); got != tt.seeded {
			t.Errorf("%s is seeded: %t", tt.body, got)
		}
		got, err := tt.d.One([]byte(tt.body), tt.i)
		if err != nil || string(got) != tt.want {
			t.Errorf("%d of %s: %v\n%s, want\n%s", tt.i, tt.body, err, got, tt.want)
		}
	}
}

// TestBlames: a refusal of several candidates is known by the parameter that it
// blames.
func TestBlames(t *testing.T) {
	for _, tt := range []struct {
		d     *Dialect
		param string
		want  bool
	}{
		{OpenAI, "n", true},
		{OpenAI, "messages", false},
		{OpenAI, "", false},
		{Gemini, "candidateCount", true},
		{Gemini, "candidate_count", true},
		{Gemini, "n", false},
	} {
		if got := tt.d.Blames(tt.param); got != tt.want {
			t.Errorf("%q: %t", tt.param, got)
		}
	}
}

// TestSum: usages are added member by member.
func TestSum(t *testing.T) {
	for _, tt := range []struct {
		usages []string
		want   string
	}{
		{[]string{"", "null", ""}, ""},
		{[]string{"", `{"a":1}`}, `{"a":1}`},
		{[]string{`{"a":1,"b":2}`, `{"b":3,"c":4}`, `{"a":1}`}, `{"a":2,"b":5,"c":4}`},
		{[]string{`{"details":{"cached_tokens":5,"audio":null}}`, `{"details":{"cached_tokens":2,"audio":1}}`}, `{"details":{"cached_tokens":7,"audio":1}}`},
		{[]string{`{"cost":0.25}`, `{"cost":0.5}`}, `{"cost":0.75}`},
		{[]string{`{"cost":1}`, `{"cost":0.5}`}, `{"cost":1.5}`},
		{[]string{`{"tier":"a","ok":true}`, `{"tier":"b","ok":false}`}, `{"tier":"a","ok":true}`},
		{[]string{`{"a":1}`, `{"a":"x"}`}, `{"a":1}`},
		{[]string{`{"a":9223372036854775807}`, `{"a":9223372036854775807}`}, `{"a":1.8446744073709552e+19}`},
		{[]string{`{"a":1e308}`, `{"a":1e308}`}, `{"a":1e308}`},
		{[]string{`{"a":-5}`, `{"a":3}`}, `{"a":-2}`},
		{
			[]string{`{"promptTokensDetails":[{"modality":"TEXT","tokenCount":5},{"modality":"IMAGE","tokenCount":1}]}`, `{"promptTokensDetails":[{"modality":"IMAGE","tokenCount":2},{"modality":"AUDIO","tokenCount":3}]}`},
			`{"promptTokensDetails":[{"modality":"TEXT","tokenCount":5},{"modality":"IMAGE","tokenCount":3},{"modality":"AUDIO","tokenCount":3}]}`,
		},
		{[]string{`{"a":[1]}`, `{"a":[2]}`}, `{"a":[1]}`},
		{[]string{`{"a":1`, `{"a":1}`}, `{"a":1`},
		{[]string{deep(20), deep(20)}, deep(20)},
		{[]string{deep(3), deep(3)}, strings.Replace(deep(3), "1", "2", 1)},
	} {
		var in [][]byte
		for _, u := range tt.usages {
			in = append(in, []byte(u))
		}
		if got := sum(in...); string(got) != tt.want {
			t.Errorf("%q: %s, want %s", tt.usages, got, tt.want)
		}
	}
}

// deep is a count that is nested n times.
func deep(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

// FuzzOne: whatever a body is, what asks for one candidate is a body of the same
// kind that asks for no more.
func FuzzOne(f *testing.F) {
	f.Add([]byte(`{"model":"m","n":3,"messages":[],"seed":5}`))
	f.Add([]byte(`{"contents":[],"generationConfig":{"candidateCount":3,"seed":7}}`))
	f.Add([]byte(`{"generation_config":{"candidate_count":3},"generationConfig":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range []*Dialect{OpenAI, Gemini} {
			out, err := d.One(body, 3)
			if err != nil {
				continue
			}
			if d.Wanted(out) != 0 {
				t.Errorf("%s\nstill wants %d:\n%s", body, d.Wanted(out), out)
			}
			if _, err := jsonedit.Skip(body, 0); err == nil {
				if _, err := jsonedit.Skip(out, 0); err != nil {
					t.Errorf("%s\nbecame\n%s: %v", body, out, err)
				}
			}
		}
	})
}
