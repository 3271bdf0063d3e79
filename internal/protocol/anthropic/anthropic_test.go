package anthropic

import (
	"errors"
	"strings"
	"testing"

	"portico/internal/jsonedit"
	"portico/internal/protocol"
	"portico/internal/protocol/wire"
)

func TestPeek(t *testing.T) {
	const uuid = "0b21bec4-7464-4d22-819a-e46ac8896696"
	for name, c := range map[string]struct {
		body string
		want protocol.Peek
	}{
		"Claude Code": {
			`{"model":"claude-x","messages":[{"role":"user","content":"\"stream\":true"}],"metadata":{"user_id":"{\"device_id\":\"d\",\"account_uuid\":\"\",\"session_id\":\"` + uuid + `\"}"},"max_tokens":32000,"stream":true}`,
			protocol.Peek{Model: "claude-x", Stream: true, Session: uuid},
		},
		"Claude Code until 2.1": {
			`{"metadata":{"user_id":"user_0f_account_7a_session_` + uuid + `"}}`, protocol.Peek{Session: uuid},
		},
		"without an account":        {`{"metadata":{"user_id":"user_0f_account__session_` + uuid + `"}}`, protocol.Peek{Session: uuid}},
		"a person":                  {`{"metadata":{"user_id":"joe"}}`, protocol.Peek{Session: "joe", Person: true}},
		"JSON without a session":    {`{"metadata":{"user_id":"{\"device_id\":\"d\"}"}}`, protocol.Peek{Session: `{"device_id":"d"}`, Person: true}},
		"broken JSON":               {`{"metadata":{"user_id":"{\"session_id\":"}}`, protocol.Peek{Session: `{"session_id":`, Person: true}},
		"user_id is no string":      {`{"metadata":{"user_id":7}}`, protocol.Peek{}},
		"metadata is null":          {`{"metadata":null,"stream":null,"model":null}`, protocol.Peek{}},
		"too long to be a name":     {`{"metadata":{"user_id":"` + strings.Repeat("x", wire.MaxSession) + `"}}`, protocol.Peek{}},
		"the last one counts":       {`{"model":"a","stream":true,"metadata":{"user_id":"a"},"model":"b","stream":false,"metadata":{"user_id":"b"}}`, protocol.Peek{Model: "b", Session: "b", Person: true}},
		"names written as escapes":  {`{"\u006dodel":"a","metadat\u0061":{"user_\u0069d":"b"}}`, protocol.Peek{Model: "a", Session: "b", Person: true}},
		"an inner model is no name": {`{"fallbacks":[{"model":"b"}],"model":"a"}`, protocol.Peek{Model: "a"}},
		"nothing":                   {`{}`, protocol.Peek{}},
	} {
		got, err := New().Peek([]byte(c.body))
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestPeekRefuses(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"an array":         {`[]`, jsonedit.ErrNotObject},
		"nothing":          {``, jsonedit.ErrNotObject},
		"half a body":      {`{"model":"a"`, jsonedit.ErrCut},
		"too deep":         {deep(jsonedit.MaxDepth + 1), jsonedit.ErrDepth},
		"just deep enough": {deep(jsonedit.MaxDepth), nil},
		"not UTF-8":        {"{\"a\":\"\xff\"}", wire.ErrUTF8},
		"a number":         {`{"model":7}`, wire.ErrModelType},
		"a text":           {`{"stream":"yes"}`, wire.ErrStreamType},
	} {
		if _, err := New().Peek([]byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestPeekIsCheap keeps the head of a large body from costing more than that
// of a small one: the names that it returns, and what it takes to find them.
func TestPeekIsCheap(t *testing.T) {
	body := []byte(`{"model":"claude-x","messages":[{"role":"user","content":"` + strings.Repeat("text ", 10_000) +
		`"}],"metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"s\"}"},"stream":true}`)
	n := testing.AllocsPerRun(100, func() { _, _ = New().Peek(body) })
	if n > 5 {
		t.Errorf("%v allocations", n)
	}
}

func TestSetModel(t *testing.T) {
	in := `{ "model" : "a", "messages":[{"model":"a"}],"n":1.0,"\u006dodel":"c" }`
	want := `{ "model" : "b\"", "messages":[{"model":"a"}],"n":1.0,"\u006dodel":"b\"" }`
	body := []byte(in)
	got, err := New().SetModel(body, `b"`)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if string(body) != in {
		t.Error("the client's body was written to")
	}
	if _, err := New().SetModel([]byte(`{}`), "b"); !errors.Is(err, wire.ErrNoModel) {
		t.Errorf("a body without a model: %v", err)
	}
}

func FuzzPeek(f *testing.F) {
	f.Add([]byte(`{"model":"a","stream":true,"metadata":{"user_id":"{\"session_id\":\"s\"}"}}`))
	f.Add([]byte(`{"metadata":{"user_id":"user_a_session_\ud83d"},"model":"\u0061"}`))
	f.Add([]byte(`{"a":[[[{"b":1e5}]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		p, err := New().Peek(body)
		if err != nil {
			return
		}
		out, err := New().SetModel(body, "other")
		if string(body) != before {
			t.Fatal("the body was written to")
		}
		if err != nil {
			if p.Model != "" {
				t.Fatalf("%q has a model, but it cannot be set: %v", body, err)
			}
			return
		}
		if again, err := New().Peek(out); err != nil || again.Model != "other" || again.Stream != p.Stream || again.Session != p.Session {
			t.Fatalf("%q became %q: %+v, %v", body, out, again, err)
		}
	})
}
