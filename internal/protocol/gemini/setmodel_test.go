package gemini

import (
	"bytes"
	"testing"
)

func TestSetModel(t *testing.T) {
	for _, c := range []struct{ body, model, want string }{
		{`{"contents":[{"parts":[{"text":"model"}]}]}`, "b", `{"contents":[{"parts":[{"text":"model"}]}]}`},
		{`{ "model" : "models/a","contents":[] }`, "b", `{ "model" : "models/b","contents":[] }`},
		{`{"model":"a"}`, "b", `{"model":"b"}`},
		{`{"mode\u006c":"models/a"}`, "b", `{"mode\u006c":"models/b"}`},
		{`{"model":"models/a"}`, "tunedModels/b", `{"model":"tunedModels/b"}`},
		{`{"model":"tunedModels/a"}`, "b", `{"model":"models/b"}`},
		{`{"model":"models/a","model":"models/c"}`, "v/b", `{"model":"models/v/b","model":"models/v/b"}`},
		{`{"generateContentRequest":{"model":"models/a", "x":1e400}}`, "b", `{"generateContentRequest":{"model":"models/b", "x":1e400}}`},
		{`{"generate_content_request":{"contents":[],"model":"models/a"}}`, "b", `{"generate_content_request":{"contents":[],"model":"models/b"}}`},
		{
			"{\"requests\": [ {\"model\":\"models/a\",\"content\":{}},\n\t{\"content\":{}, \"model\" : \"models/a\"} , 7 ] }", "bbbbbbbbb",
			"{\"requests\": [ {\"model\":\"models/bbbbbbbbb\",\"content\":{}},\n\t{\"content\":{}, \"model\" : \"models/bbbbbbbbb\"} , 7 ] }",
		},
		{`{"requests":{"model":"a"},"model":7}`, "b", `{"requests":{"model":"a"},"model":7}`},
	} {
		in := append(make([]byte, 0, len(c.body)+100), c.body...) // room behind, which must stay untouched
		got, err := New().SetModel(in, c.model)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v", c.body, got, err)
		}
		if string(in) != c.body {
			t.Errorf("%s was written into: %s", c.body, in)
		}
	}
	for _, body := range []string{"", "[]", `{"model":`, `{"requests":[{}}`} {
		if got, err := New().SetModel([]byte(body), "b"); err == nil {
			t.Errorf("%q gives %s", body, got)
		}
	}
	body := []byte(`{"contents":[{"parts":[{"text":"a"}]}]}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = New().SetModel(body, "b") }); n != 0 {
		t.Errorf("a body without a name costs %v allocations", n)
	}
}

func FuzzSetModel(f *testing.F) {
	f.Add([]byte(`{"requests":[{"model":"models/a"},{"model":"x"}],"model":"models/q"}`))
	f.Add([]byte(`{"generateContentRequest":{"model":"models/a"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		was := bytes.Clone(body)
		once, err := New().SetModel(body, "models/b")
		if err != nil {
			return
		}
		if !bytes.Equal(body, was) {
			t.Fatal("the body was written into")
		}
		again, err := New().SetModel(once, "models/b")
		if err != nil || !bytes.Equal(once, again) {
			t.Errorf("%q, set twice: %q, %v", once, again, err)
		}
	})
}
