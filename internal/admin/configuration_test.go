package admin

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"portico/internal/config"
	"portico/internal/store"
)

// fakeFile is a configuration file in memory; "wrong" is wrong.
type fakeFile struct{ text string }

func (f *fakeFile) Read() (text, tag string, err error) { return f.text, "tag-" + f.text, nil }

func (f *fakeFile) Write(_ context.Context, text, tag string) ([]config.Problem, error) {
	switch {
	case tag != "" && tag != "tag-"+f.text:
		return nil, store.ErrVersion
	case text == "wrong":
		return nil, &config.Error{Problems: []config.Problem{{Where: "portico.yaml", Line: 1, Key: "port", Text: "it is none"}}}
	}
	f.text = text
	return []config.Problem{{Where: "portico.yaml", Text: "a warning"}}, nil
}

// TestConfigurationText: the file is read and written by whoever proves who they
// are, for the text that was read.
func TestConfigurationText(t *testing.T) {
	_, b, done := newDoors(t)
	h, ok := b.h.(*Handler)
	if !ok {
		t.Fatal("another handler")
	}
	f := &fakeFile{text: "one"}
	h.o.File = f
	decode[Session](t, b.do("POST", sessionPath, `{"token":"`+token+`"}`, "Content-Type", "application/json"))
	*done = nil
	head := []string{CSRFHeader, "1", "Content-Type", "application/json"}
	isProblem(t, b.do("POST", "/api/config/text/reveal", "{}", head...), http.StatusForbidden, CodeProof)
	isProblem(t, b.do("PUT", "/api/config", `{"text":"two"}`, head...), http.StatusForbidden, CodeProof)
	if f.text != "one" || len(*done) > 0 {
		t.Errorf("the text is %q, audited %+v", f.text, *done)
	}
	w := b.do("POST", "/api/config/text/reveal", `{"token":"`+token+`"}`, head...)
	tag := w.Header().Get("ETag")
	if got := decode[ConfigText](t, w); got.Text != "one" || tag != `"tag-one"` {
		t.Errorf("%q, tag %q", got.Text, tag)
	}
	write := func(text, match string) int {
		return b.do("PUT", "/api/config", `{"text":"`+text+`","token":"`+token+`"}`, append(head, "If-Match", match)...).Code
	}
	for _, tt := range []struct {
		text, match string
		want        int
		is          string
	}{
		{"wrong", tag, 422, "one"}, {"two", `"tag-other"`, 412, "one"}, {"two", tag, 200, "two"}, {"three", tag, 412, "two"}, {"three", "*", 200, "three"}, {"four", "", 200, "four"},
	} {
		if got := write(tt.text, tt.match); got != tt.want || f.text != tt.is {
			t.Errorf("%s for %s: %d, the text is %q", tt.text, tt.match, got, f.text)
		}
	}
	if p := isProblem(t, b.do("PUT", "/api/config", `{"text":"wrong","token":"`+token+`"}`, head...), 422, CodeConfig); len(p.Errors) != 1 || p.Errors[0].Where != "port" {
		t.Errorf("%+v", p)
	}
	if len(*done) != 4 || (*done)[0].What != "reveal-config" || !strings.HasPrefix((*done)[3].What, "write-config") {
		t.Errorf("audited is %+v", *done)
	}
}
