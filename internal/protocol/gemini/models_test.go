package gemini

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/protocol"
)

func TestDecodeModels(t *testing.T) {
	body := `{"models":[{"name":"models/gemini-2.5-flash","version":"001","displayName":"Gemini 2.5 Flash","inputTokenLimit":1048576,"outputTokenLimit":65536,
		"supportedGenerationMethods":["generateContent",7,"countTokens"],"temperature":1},{"name":"tunedModels/x","displayName":"tunedModels/x"},{"displayName":"nobody"},7],"nextPageToken":"a b"}`
	want := []protocol.Model{
		{ID: "gemini-2.5-flash", DisplayName: "Gemini 2.5 Flash", Context: 1048576, MaxOutput: 65536, Methods: []string{"generateContent", "countTokens"}},
		{ID: "tunedModels/x"},
	}
	got, next, err := New().DecodeModels([]byte(body))
	if err != nil || next != "pageToken=a+b" {
		t.Errorf("next %q, %v", next, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, body := range []string{``, `{}`, `[]`, `{"models":{}}`, `<html>`, `{"models":[`, `{"error":{}}`, `{"models":[1 2]}`} {
		if _, _, err := New().DecodeModels([]byte(body)); err == nil {
			t.Errorf("%q was taken for a list", body)
		}
	}
	many := `{"models":[` + strings.Repeat(`{"name":"m"},`, MaxModels) + `{"name":"m"}]}`
	if ms, _, err := New().DecodeModels([]byte(many)); err != nil || len(ms) != MaxModels {
		t.Errorf("got %d models, %v; want %d", len(ms), err, MaxModels)
	}
}

func TestEncodeModels(t *testing.T) {
	ms := []protocol.Model{{ID: "a", DisplayName: "A", Context: 10, MaxOutput: 3, Methods: []string{"embedContent", "x"}}, {ID: "tunedModels/b"}, {ID: "vendor/c"}}
	got := string(New().EncodeModels(ms, protocol.Page{}))
	want := `{"models":[{"name":"models/a","displayName":"A","inputTokenLimit":10,"outputTokenLimit":3,"supportedGenerationMethods":["embedContent","x"]},` +
		`{"name":"tunedModels/b","displayName":"tunedModels/b","supportedGenerationMethods":["generateContent","countTokens"]},` +
		`{"name":"models/vendor/c","displayName":"vendor/c","supportedGenerationMethods":["generateContent","countTokens"]}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(New().EncodeModel(ms[2])); got != `{"name":"models/vendor/c","displayName":"vendor/c","supportedGenerationMethods":["generateContent","countTokens"]}` {
		t.Errorf("one model: %s", got)
	}
}

func TestEncodeModelsPages(t *testing.T) {
	var ms []protocol.Model
	for i := range 2500 {
		ms = append(ms, protocol.Model{ID: fmt.Sprintf("m%04d", i)})
	}
	for _, c := range []struct {
		p    protocol.Page
		want string // how many, the first, the next token
	}{
		{protocol.Page{}, "50 m0000 pageToken=m0049"},
		{protocol.Page{Token: "m0049"}, "50 m0050 pageToken=m0099"},
		{protocol.Page{Limit: -3, Token: "m0049x"}, "50 m0050 pageToken=m0099"},
		{protocol.Page{Limit: 9999}, "1000 m0000 pageToken=m0999"},
		{protocol.Page{Limit: 1000, Token: "m1499"}, "1000 m1500 "},
		{protocol.Page{Token: "m2498"}, "1 m2499 "},
		{protocol.Page{Token: "z"}, "0  "},
	} {
		back, next, err := New().DecodeModels(New().EncodeModels(ms, c.p))
		first := ""
		if len(back) > 0 {
			first = back[0].ID
		}
		if got := fmt.Sprintf("%d %s %s", len(back), first, next); err != nil || got != c.want {
			t.Errorf("%+v: got %q, %v; want %q", c.p, got, err, c.want)
		}
	}
}
