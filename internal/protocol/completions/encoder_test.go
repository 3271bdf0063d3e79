package completions

import (
	"encoding/json/jsontext"
	"strings"
	"testing"
)

func decoded(t *testing.T, body string) *Request {
	t.Helper()
	r, err := Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	head  = `"id":"cmpl-1","object":"text_completion","created":9,"model":"m"`
	usage = `"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}`
)

// TestAnswers: whole chats make one completion.
func TestAnswers(t *testing.T) {
	const taken = `"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}`
	chat := func(choices string) string {
		return `{"id":"chatcmpl-1","object":"chat.completion","created":9,"model":"m","choices":[` + choices + `],` + taken + `}`
	}
	for _, tt := range []struct {
		name, request string
		chats         []string
		want          string
	}{
		{
			"text", `{"model":"m","prompt":"a"}`,
			[]string{chat(`{"index":0,"message":{"role":"assistant","content":"b","reasoning_content":"hm"},"finish_reason":"stop"}`)},
			`{` + head + `,"choices":[{"text":"b","index":0,"logprobs":null,"finish_reason":"stop"}],` + usage + `}`,
		},
		{
			"parts", `{"model":"m","prompt":"a"}`,
			[]string{chat(`{"index":0,"message":{"content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},"finish_reason":"length"}`)},
			`{` + head + `,"choices":[{"text":"bc","index":0,"logprobs":null,"finish_reason":"length"}],` + usage + `}`,
		},
		{
			"a refusal", `{"model":"m","prompt":"a"}`,
			[]string{chat(`{"index":0,"message":{"content":null,"refusal":"no"},"finish_reason":"content_filter"}`)},
			`{` + head + `,"choices":[{"text":"no","index":0,"logprobs":null,"finish_reason":"content_filter"}],` + usage + `}`,
		},
		{
			"two prompts, two choices, in any order", `{"model":"m","prompt":["a","A"],"n":2,"echo":true}`,
			[]string{
				chat(`{"index":1,"message":{"content":"c"},"finish_reason":"stop"},{"index":0,"message":{"content":"b"},"finish_reason":"stop"}`),
				chat(`{"index":0,"message":{"content":"B"},"finish_reason":"tool_calls"}`),
			},
			`{` + head + `,"choices":[{"text":"ab","index":0,"logprobs":null,"finish_reason":"stop"},{"text":"ac","index":1,"logprobs":null,"finish_reason":"stop"},` +
				`{"text":"AB","index":2,"logprobs":null,"finish_reason":"stop"}],` +
				`"usage":{"prompt_tokens":8,"completion_tokens":4,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":2}}}`,
		},
		{
			"logprobs", `{"model":"m","prompt":"é","logprobs":2,"echo":true}`,
			[]string{chat(`{"index":0,"message":{"content":"bc"},"logprobs":{"content":[{"token":"b","logprob":-1e-1,"top_logprobs":[{"token":"b","logprob":-0.1},{"token":"b","logprob":-3},{"token":"x","logprob":-9999}]},{"token":"c","logprob":null}]},"finish_reason":"stop"}`)},
			`{` + head + `,"choices":[{"text":"ébc","index":0,"logprobs":{"tokens":["b","c"],"token_logprobs":[-0.1,null],"top_logprobs":[{"b":-0.1,"x":-9999},null],"text_offset":[1,2]},"finish_reason":"stop"}],` + usage + `}`,
		},
		{
			"the best", `{"model":"m","prompt":"a","best_of":3}`,
			[]string{chat(`{"index":0,"message":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-2}]},"finish_reason":"stop"},` +
				`{"index":1,"message":{"content":"cc"},"logprobs":{"content":[{"token":"c","logprob":-1},{"token":"c","logprob":-2}]},"finish_reason":"stop"},` +
				`{"index":2,"message":{"content":""},"logprobs":{"content":[]},"finish_reason":"stop"}`)},
			`{` + head + `,"choices":[{"text":"cc","index":0,"logprobs":null,"finish_reason":"stop"}],` + usage + `}`,
		},
	} {
		e := decoded(t, tt.request).NewEncoder()
		for i, c := range tt.chats {
			e.Prompt(i)
			if err := e.Answer([]byte(c)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if got, judged, err := e.Body(); string(got) != tt.want || !judged || err != nil {
			t.Errorf("%s: %t, %v\n%s\nwant\n%s", tt.name, judged, err, got, tt.want)
		}
	}
	e := decoded(t, `{"model":"m","prompt":"a"}`).NewEncoder()
	for _, bad := range []string{`{"id":"x"}`, `{"error":{"message":"no"}}`, `{"choices":{}}`, `{`} {
		if e.Answer([]byte(bad)) == nil {
			t.Errorf("%s is an answer", bad)
		}
	}
}

// TestPick: the best of each prompt, and what becomes of choices of which
// nobody knows how good they are.
func TestPick(t *testing.T) {
	choice := func(index, text, probs string) string {
		if probs != "null" {
			probs = `{"token_logprobs":` + probs + `}`
		}
		return `{"text":"` + text + `","index":` + index + `,"logprobs":` + probs + `}`
	}
	for _, tt := range []struct {
		name   string
		best   Best
		given  []string
		want   []string
		judged bool
	}{
		{
			"of two prompts",
			Best{N: 2, Of: 3, Logprobs: true},
			[]string{choice("5", "f", "[-1]"), choice("0", "a", "[-3]"), choice("1", "b", "[-1,-2]"), choice("2", "c", "[null,-1]"), choice("3", "d", "[-9]"), choice("4", "e", "[-1]")},
			[]string{choice("0", "c", "[null,-1]"), choice("1", "b", "[-1,-2]"), choice("2", "f", "[-1]"), choice("3", "e", "[-1]")},
			true,
		},
		{
			"the mean, not the sum",
			Best{N: 1, Of: 2},
			[]string{choice("0", "a", "[-0.5,-0.5,-0.5]"), choice("1", "b", "[-1]")},
			[]string{choice("0", "a", "null")},
			true,
		},
		{
			"some unknown",
			Best{N: 2, Of: 3},
			[]string{choice("0", "a", "null"), choice("1", "b", "[-7]"), choice("2", "c", "null")},
			[]string{choice("0", "b", "null"), choice("1", "a", "null")},
			false,
		},
		{
			"fewer than wanted",
			Best{N: 2, Of: 3},
			[]string{choice("0", "a", "[-1]")},
			[]string{choice("0", "a", "null")},
			true,
		},
	} {
		got, judged, err := tt.best.Pick([]byte(`{"id":"x","choices":[` + strings.Join(tt.given, ",") + `]}`))
		if want := `{"id":"x","choices":[` + strings.Join(tt.want, ",") + `]}`; string(got) != want || judged != tt.judged || err != nil {
			t.Errorf("%s: %t, %v\n%s\nwant\n%s", tt.name, judged, err, got, want)
		}
	}
	if _, judged, err := (Best{N: 1, Of: 2}).Pick([]byte(`{"error":{}}`)); judged || err != nil {
		t.Errorf("of nothing: %t, %v", judged, err)
	}
}

// TestBestOf: what is known of a wish before the request is read.
func TestBestOf(t *testing.T) {
	for body, want := range map[string]Best{
		`{}`:                            {},
		`{"best_of":1}`:                 {},
		`{"best_of":3,"n":3}`:           {},
		`{"best_of":21}`:                {},
		`{"best_of":3}`:                 {N: 1, Of: 3},
		`{"best_of":3,"n":2}`:           {N: 2, Of: 3},
		`{"best_of":3,"logprobs":null}`: {N: 1, Of: 3},
		`{"best_of":3,"logprobs":0}`:    {N: 1, Of: 3, Logprobs: true},
		`{"best_of":3,"stream":false}`:  {N: 1, Of: 3},
	} {
		if got, ok := BestOf([]byte(body)); got != want || ok != (want.Of > 0) {
			t.Errorf("%s: %+v, %t", body, got, ok)
		}
	}
	if got, ok := BestOf([]byte(`{"best_of":3,"stream":true}`)); ok || got.Of != 3 {
		t.Errorf("streamed: %+v, %t", got, ok)
	}
}

// TestStreams: streamed chats make one stream, event by event.
func TestStreams(t *testing.T) {
	chunk := func(choices, more string) string {
		return `{"id":"chatcmpl-1","created":9,"model":"m","choices":[` + choices + `]` + more + `}`
	}
	event := func(choices, more string) string {
		return "data: {" + head + `,"choices":[` + choices + `]` + more + "}\n\n"
	}
	const done = "data: [DONE]\n\n"
	for _, tt := range []struct {
		name, request string
		chunks        []string // "next" begins the next prompt
		want          string
	}{
		{
			"text, and what says nothing", `{"model":"m","prompt":"a","stream":true}`,
			[]string{
				chunk(`{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}`, ""), "",
				chunk(`{"index":0,"delta":{"reasoning_content":"hm"}}`, ""), chunk(`{"index":0,"delta":{"content":"b"}}`, ""),
				chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`, ""), chunk("", `,"usage":{"prompt_tokens":4,"completion_tokens":2}`), "[DONE]",
			},
			event(`{"text":"b","index":0,"logprobs":null,"finish_reason":null}`, "") + event(`{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}`, "") + done,
		},
		{
			"the usage", `{"model":"m","prompt":"a","stream":true,"stream_options":{"include_usage":true}}`,
			[]string{
				chunk(`{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}`, ""),
				chunk("", `,"usage":{"prompt_tokens":4,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"completion_tokens_details":{"reasoning_tokens":1}}`), "[DONE]",
			},
			event(`{"text":"b","index":0,"logprobs":null,"finish_reason":"stop"}`, `,"usage":null`) + event("", `,`+usage) + done,
		},
		{
			"two prompts, echoed", `{"model":"m","prompt":["a","A"],"n":2,"echo":true,"stream":true}`,
			[]string{
				chunk(`{"index":1,"delta":{"content":"c"}},{"index":0,"delta":{"content":"b"}}`, ""), "[DONE]", "next",
				chunk(`{"index":0,"delta":{"content":"B"},"finish_reason":"stop"}`, ""), "[DONE]",
			},
			event(`{"text":"ac","index":1,"logprobs":null,"finish_reason":null},{"text":"ab","index":0,"logprobs":null,"finish_reason":null}`, "") +
				event(`{"text":"AB","index":2,"logprobs":null,"finish_reason":"stop"}`, "") + done,
		},
		{
			"an error ends it", `{"model":"m","prompt":"a","stream":true}`,
			[]string{chunk(`{"index":0,"delta":{"content":"b"}}`, ""), `{"error":{"message":"no"}}`, "[DONE]"},
			event(`{"text":"b","index":0,"logprobs":null,"finish_reason":null}`, "") + "data: {\"error\":{\"message\":\"no\"}}\n\n",
		},
	} {
		e := decoded(t, tt.request).NewEncoder()
		var got []byte
		prompt := 0
		for _, c := range tt.chunks {
			if c == "next" {
				prompt++
				e.Prompt(prompt)
				continue
			}
			var err error
			if got, err = e.Feed(got, []byte(c)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if got = e.End(got); string(got) != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	e := decoded(t, `{"model":"m","prompt":"a","stream":true}`).NewEncoder()
	if _, err := e.Feed(nil, []byte(`{"choices":[`)); err == nil {
		t.Error("what is no chunk is taken")
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(`{"id":"c","choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-1,"top_logprobs":[]}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`))
	f.Add([]byte(`{"choices":[{"index":-1,"message":{"content":[{"text":"\ud800"}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !loose(string(data)) {
			return
		}
		r := &Request{Model: "m", Prompts: []string{"p"}, N: 2, Echo: true, Best: Best{N: 2, Of: 3}, logprobs: true}
		e := r.NewEncoder()
		if out, err := e.Feed(nil, data); err == nil {
			for line := range strings.Lines(string(out)) {
				if s, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok && s != "[DONE]" && !strings.Contains(s, `"error"`) && !loose(s) {
					t.Fatalf("%s", out)
				}
			}
		}
		e = r.NewEncoder()
		if e.Answer(data) == nil {
			if body, _, err := e.Body(); err == nil && !loose(string(body)) {
				t.Fatalf("%s", body)
			}
		}
	})
}

func loose(s string) bool {
	return jsontext.Value(s).IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}
