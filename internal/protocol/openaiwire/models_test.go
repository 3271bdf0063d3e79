package openaiwire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

func TestDecodeModels(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []protocol.Model
		next string
	}{
		"OpenAI":       {`{"object":"list","data":[{"id":"gpt-x","object":"model","created":1700000000,"owned_by":"openai"}]}`, []protocol.Model{{ID: "gpt-x", OwnedBy: "openai", Created: time.Unix(1700000000, 0).UTC()}}, ""},
		"OpenRouter":   {`{"data":[{"id":"a/b","name":"A: B","created":0,"context_length":200000,"top_provider":{"context_length":100000,"max_completion_tokens":64000}}]}`, []protocol.Model{{ID: "a/b", DisplayName: "A: B", Context: 200000, MaxOutput: 64000}}, ""},
		"vLLM":         {`{"data":[{"id":"m","max_model_len":4096}]}`, []protocol.Model{{ID: "m", Context: 4096}}, ""},
		"Groq":         {`{"data":[{"id":"m","context_window":131072,"max_completion_tokens":32768}]}`, []protocol.Model{{ID: "m", Context: 131072, MaxOutput: 32768}}, ""},
		"LM Studio":    {`{"data":[{"id":"m","max_context_length":8192}]}`, []protocol.Model{{ID: "m", Context: 8192}}, ""},
		"llama.cpp":    {`{"data":[{"id":"m","meta":{"n_ctx":4096,"n_ctx_train":40960}}],"models":[{"name":"x"}]}`, []protocol.Model{{ID: "m", Context: 4096}}, ""},
		"Copilot":      {`{"data":[{"id":"m","name":"m","capabilities":{"limits":{"max_context_window_tokens":128000,"max_output_tokens":16384}}}]}`, []protocol.Model{{ID: "m", Context: 128000, MaxOutput: 16384}}, ""},
		"bare array":   {` [{"id":"m","organization":"Meta"},{"object":"model"},7]`, []protocol.Model{{ID: "m", OwnedBy: "Meta"}}, ""},
		"another page": {`{"data":[],"has_more":true,"last_id":"a b"}`, []protocol.Model{}, "after=a+b"},
	} {
		got, next, err := DecodeModels([]byte(c.body))
		if err != nil || next != c.next {
			t.Errorf("%s: next %q, error %v", name, next, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
	for _, body := range []string{``, `{}`, `{"data":{}}`, `<html>`, `{"data":[`, `{"error":{}}`, `[`} {
		if _, _, err := DecodeModels([]byte(body)); err == nil {
			t.Errorf("%q was taken for a list", body)
		}
	}
	many := "[" + strings.Repeat(`{"id":"m"},`, wire.MaxModels) + `{"id":"m"}]`
	if ms, _, err := DecodeModels([]byte(many)); err != nil || len(ms) != wire.MaxModels {
		t.Errorf("got %d models, %v; want %d", len(ms), err, wire.MaxModels)
	}
}

func TestEncodeModels(t *testing.T) {
	ms := []protocol.Model{{ID: "a", Created: time.Unix(5, 0), OwnedBy: "o", Context: 10, MaxOutput: 3}, {ID: "b"}, {ID: "d", DisplayName: "D"}}
	got := string(EncodeModels(ms, protocol.Page{}))
	want := `{"object":"list","data":[{"id":"a","object":"model","created":5,"owned_by":"o","context_window":10,"max_output_tokens":3},` +
		`{"id":"b","object":"model","created":0,"owned_by":""},{"id":"d","object":"model","created":0,"owned_by":"","display_name":"D"}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(EncodeModel(ms[1])); got != `{"id":"b","object":"model","created":0,"owned_by":""}` {
		t.Errorf("one model: %s", got)
	}
	for _, c := range []struct {
		p    protocol.Page
		want string
	}{
		{protocol.Page{Limit: 2}, "[a b] after=b"},
		{protocol.Page{Limit: 2, After: "b"}, "[d] "},
		{protocol.Page{After: "c"}, "[d] "},
		{protocol.Page{After: "z"}, "[] "},
		{protocol.Page{Limit: 3}, "[a b d] "},
	} {
		back, next, err := DecodeModels(EncodeModels(ms, c.p))
		ids := []string{}
		for _, m := range back {
			ids = append(ids, m.ID)
		}
		if got := fmt.Sprint(ids) + " " + next; err != nil || got != c.want {
			t.Errorf("%+v: got %q, %v; want %q", c.p, got, err, c.want)
		}
	}
}
