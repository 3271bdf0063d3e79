package completions

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"portico/internal/fault"
)

// TestRequests: each member of the API (spec: upstreams §1A.5), as a chat is
// asked for it.
func TestRequests(t *testing.T) {
	const messages = `{"model":"m","messages":[{"role":"user","content":"a"}],`
	for _, tt := range []struct {
		name, body, want, lost string
	}{
		{"the least", `{"model":"m","prompt":"a"}`, messages + `"max_tokens":16}`, ""},
		{"the last of two", `{"model":"m","prompt":"b","prompt":"a"}`, messages + `"max_tokens":16}`, ""},
		{"a name with escapes", `{"model":"m","pr\u006fmpt":"a"}`, messages + `"max_tokens":16}`, ""},
		{"a list of one", `{"model":"m","prompt":["a"]}`, messages + `"max_tokens":16}`, ""},
		{"max_tokens", `{"model":"m","prompt":"a","max_tokens":5}`, messages + `"max_tokens":5}`, ""},
		{"max_completion_tokens", `{"model":"m","prompt":"a","max_completion_tokens":5}`, messages + `"max_completion_tokens":5}`, ""},
		{"one of one", `{"model":"m","prompt":"a","n":1,"best_of":1}`, messages + `"max_tokens":16}`, ""},
		{"n", `{"model":"m","prompt":"a","n":3}`, messages + `"max_tokens":16,"n":3}`, ""},
		{"best_of", `{"model":"m","prompt":"a","best_of":3}`, messages + `"max_tokens":16,"n":3,"logprobs":true}`, ""},
		{"best_of streamed", `{"model":"m","prompt":"a","best_of":3,"stream":true}`, messages + `"max_tokens":16,"stream":true}`, LostStreamed},
		{"logprobs", `{"model":"m","prompt":"a","logprobs":0}`, messages + `"max_tokens":16,"logprobs":true,"top_logprobs":0}`, ""},
		{"logprobs and best_of", `{"model":"m","prompt":"a","logprobs":2,"n":2,"best_of":3}`, messages + `"max_tokens":16,"n":3,"logprobs":true,"top_logprobs":2}`, ""},
		{"logprobs of an echo", `{"model":"m","prompt":"a","logprobs":2,"echo":true}`, messages + `"max_tokens":16,"logprobs":true,"top_logprobs":2}`, "logprobs=dropped: a chat tells none for the prompt that is echoed"},
		{"echo", `{"model":"m","prompt":"a","echo":true}`, messages + `"max_tokens":16}`, ""},
		{"suffix of nothing", `{"model":"m","prompt":"a","suffix":""}`, messages + `"max_tokens":16}`, ""},
		{
			"stream", `{"model":"m","prompt":"a","stream":true,"stream_options":{"include_usage":true}}`,
			messages + `"max_tokens":16,"stream":true,"stream_options":{"include_usage":true}}`, "",
		},
		{
			"what a chat calls the same",
			`{"model":"m","prompt":"a","stop":["x"],"temperature":1e0,"top_p":0.5,"presence_penalty":1,"frequency_penalty":-1,"seed":7,"user":"u","logit_bias":{"1":2},"own":[1]}`,
			messages + `"max_tokens":16,"stop":["x"],"temperature":1e0,"top_p":0.5,"presence_penalty":1,"frequency_penalty":-1,"seed":7,"user":"u","logit_bias":{"1":2},"own":[1]}`, "",
		},
		{"what is null", `{"model":"m","prompt":"a","n":null,"best_of":null,"logprobs":null,"suffix":null,"max_tokens":null,"stop":null}`, messages + `"max_tokens":16}`, ""},
	} {
		r, err := Decode([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := string(r.ChatBody(0, r.Best.Of > 0)); got != tt.want || strings.Join(r.Losses, ", ") != tt.lost {
			t.Errorf("%s:\n%s, lost %q\nwant\n%s, lost %q", tt.name, got, r.Losses, tt.want, tt.lost)
		}
	}
}

// TestRefused: what cannot be asked of a chat is refused, and who sent what.
func TestRefused(t *testing.T) {
	prompts := `"a"` + strings.Repeat(`,"a"`, MaxPrompts)
	var members strings.Builder
	for i := range maxMembers {
		fmt.Fprintf(&members, `,"x%d":0`, i)
	}
	for _, tt := range []struct {
		body, param string
		class       fault.Class
		says        string
	}{
		{`{"prompt":"a"}`, "model", fault.Malformed, "names no model"},
		{`{"model":"m"}`, "prompt", fault.Malformed, "has no prompt"},
		{`{"model":"m","prompt":[]}`, "prompt", fault.Malformed, "empty array"},
		{`{"model":"m","prompt":{}}`, "prompt", fault.Malformed, "a string or an array"},
		{`{"model":"m","prompt":["a",true]}`, "prompt", fault.Malformed, "a string or an array"},
		{`{"model":"m","prompt":[` + prompts + `]}`, "prompt", fault.Malformed, "at most 16"},
		{`{"model":"m","prompt":[1,2]}`, "prompt", fault.Unsupported, "send it as text"},
		{`{"model":"m","prompt":[[1],[2]]}`, "prompt", fault.Unsupported, "send it as text"},
		{`{"model":"m","prompt":"a","n":0}`, "n", fault.Malformed, "1 to 128"},
		{`{"model":"m","prompt":"a","n":129}`, "n", fault.Malformed, "1 to 128"},
		{`{"model":"m","prompt":"a","best_of":0}`, "best_of", fault.Malformed, "1 to 20"},
		{`{"model":"m","prompt":"a","best_of":21}`, "best_of", fault.Malformed, "1 to 20"},
		{`{"model":"m","prompt":"a","best_of":"3"}`, "best_of", fault.Malformed, "1 to 20"},
		{`{"model":"m","prompt":"a","logprobs":true}`, "logprobs", fault.Malformed, "0 to 20"},
		{`{"model":"m","prompt":"a","echo":1}`, "echo", fault.Malformed, "true or false"},
		{`{"model":"m","prompt":"a","max_tokens":0}`, "max_tokens", fault.Unsupported, "at least one token"},
		{`{"model":"m","prompt":"a","max_tokens":-1}`, "max_tokens", fault.Malformed, "whole number"},
		{`{"model":"m","prompt":"a","suffix":"b"}`, "suffix", fault.Unsupported, "fill in the middle"},
		{`{"model":"m","prompt":"a","messages":[]}`, "messages", fault.Malformed, "/v1/chat/completions"},
		{`{"model":"m","prompt":"a"` + members.String() + `}`, "", fault.Malformed, "more than 128 members"},
		{`[]`, "", fault.Malformed, ""},
	} {
		_, err := Decode([]byte(tt.body))
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Class != tt.class || f.Param != tt.param || !strings.Contains(f.Msg, tt.says) {
			t.Errorf("%.80s: %+v", tt.body, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"model":"m","prompt":["a","b"],"n":2,"best_of":3,"logprobs":1,"echo":true}`))
	f.Add([]byte(`{"model":"m","prompt":[1,2],"suffix":"\u0000"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			if _, ok := errors.AsType[*fault.Fault](err); !ok {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		if len(r.Prompts) < 1 || len(r.Prompts) > MaxPrompts || r.Best.Of > 0 && r.Best.Of <= r.N || r.Best.Of > MaxBest {
			t.Fatalf("%+v", r)
		}
		for i := range r.Prompts {
			for _, choose := range []bool{false, r.Best.Of > 0} {
				if b := r.ChatBody(i, choose); loose(string(body)) && !loose(string(b)) {
					t.Fatalf("%s", b)
				}
			}
		}
	})
}
