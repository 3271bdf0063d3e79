package anthropic

import (
	"errors"
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
		"Anthropic": {
			`{"data":[{"type":"model","id":"claude-x","display_name":"Claude X","created_at":"2026-07-24T00:00:00Z","max_input_tokens":1000000,"max_tokens":128000,"capabilities":{"batch":{"supported":true}}}],"has_more":false,"first_id":"claude-x","last_id":"claude-x"}`,
			[]protocol.Model{{ID: "claude-x", DisplayName: "Claude X", Created: time.Date(2026, 7, 24, 0, 0, 0, 0, time.UTC), Context: 1000000, MaxOutput: 128000}},
			"",
		},
		"unknown limits and date": {
			`{"data":[{"type":"model","id":"a","display_name":"a","created_at":"1970-01-01T00:00:00Z","max_input_tokens":null,"max_tokens":null}]}`,
			[]protocol.Model{{ID: "a"}},
			"",
		},
		"OpenAI's form":      {`{"object":"list","data":[{"id":"a","object":"model","created":1700000000,"owned_by":"z","context_length":4096}]}`, []protocol.Model{{ID: "a", OwnedBy: "z", Created: time.Unix(1700000000, 0).UTC(), Context: 4096}}, ""},
		"another page":       {`{"data":[{"id":"a b"}],"has_more":true,"last_id":"a b"}`, []protocol.Model{{ID: "a b"}}, "limit=1000&after_id=a+b"},
		"more, but no place": {`{"data":[],"has_more":true,"last_id":null}`, []protocol.Model{}, ""},
		"odd entries":        {`{"data":[7,{"type":"model"},{"id":"a","created_at":"soon","created":1e18}]}`, []protocol.Model{{ID: "a"}}, ""},
	} {
		got, next, err := New().DecodeModels([]byte(c.body))
		if err != nil || next != c.next {
			t.Errorf("%s: next %q, error %v", name, next, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
	for _, body := range []string{``, `{}`, `{"data":{}}`, `<html>`, `{"data":[`, `{"error":{}}`, `[]`} {
		if _, _, err := New().DecodeModels([]byte(body)); err == nil {
			t.Errorf("%q was taken for a list", body)
		}
	}
	if _, _, err := New().DecodeModels([]byte(`{"data":null}`)); !errors.Is(err, wire.ErrNoList) {
		t.Errorf("no list: %v", err)
	}
	many := `{"data":[` + strings.Repeat(`{"id":"m"},`, wire.MaxModels) + `{"id":"m"}]}`
	if ms, _, err := New().DecodeModels([]byte(many)); err != nil || len(ms) != wire.MaxModels {
		t.Errorf("got %d models, %v; want %d", len(ms), err, wire.MaxModels)
	}
}

func TestEncodeModels(t *testing.T) {
	ms := []protocol.Model{{ID: "a", DisplayName: "A\"", Created: time.Date(2026, 7, 24, 2, 0, 0, 0, time.FixedZone("", 7200)), Context: 10, MaxOutput: 3, OwnedBy: "o"}, {ID: "b"}}
	got := string(New().EncodeModels(ms, protocol.Page{}))
	want := `{"data":[{"type":"model","id":"a","display_name":"A\"","created_at":"2026-07-24T00:00:00Z","max_input_tokens":10,"max_tokens":3},` +
		`{"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00Z","max_input_tokens":null,"max_tokens":null}],"has_more":false,"first_id":"a","last_id":"b"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(New().EncodeModels(nil, protocol.Page{})); got != `{"data":[],"has_more":false,"first_id":null,"last_id":null}` {
		t.Errorf("no models: %s", got)
	}
	if got := string(New().EncodeModel(ms[1])); got != `{"type":"model","id":"b","display_name":"b","created_at":"1970-01-01T00:00:00Z","max_input_tokens":null,"max_tokens":null}` {
		t.Errorf("one model: %s", got)
	}
}

func TestPage(t *testing.T) {
	ms := []protocol.Model{{ID: "a"}, {ID: "b"}, {ID: "d"}, {ID: "e"}}
	for _, c := range []struct {
		p    protocol.Page
		want string
	}{
		{protocol.Page{Limit: 2}, "[a b] true"},
		{protocol.Page{Limit: 4}, "[a b d e] false"},
		{protocol.Page{Limit: 2, After: "b"}, "[d e] false"},
		{protocol.Page{Limit: 2, After: "a"}, "[b d] true"},
		{protocol.Page{After: "c"}, "[d e] false"}, // gone since the page before
		{protocol.Page{After: "e"}, "[] false"},
		{protocol.Page{After: "z"}, "[] false"},
		{protocol.Page{Limit: 2, Before: "e"}, "[b d] true"},
		{protocol.Page{Limit: 2, Before: "d"}, "[a b] false"},
		{protocol.Page{Before: "c"}, "[a b] false"},
		{protocol.Page{Before: "a"}, "[] false"},
		{protocol.Page{Limit: 1, Before: "z"}, "[e] true"},
		{protocol.Page{Limit: 1, After: "a", Before: "e"}, "[b] true"},
		{protocol.Page{Limit: -1}, "[a b d e] false"},
	} {
		got, more := page(ms, c.p)
		ids := []string{}
		for _, m := range got {
			ids = append(ids, m.ID)
		}
		if s := fmt.Sprint(ids, more); s != c.want {
			t.Errorf("%+v: got %s, want %s", c.p, s, c.want)
		}
	}
	many := make([]protocol.Model, maxPage+1)
	for limit, want := range map[int]int{0: pageSize, maxPage: maxPage, maxPage + 1: maxPage, 1 << 40: maxPage} {
		if got, more := page(many, protocol.Page{Limit: limit}); len(got) != want || !more {
			t.Errorf("limit %d: %d models, more %v; want %d", limit, len(got), more, want)
		}
	}
}

// A client that follows the pages sees every model once, whichever way it goes.
func TestPagesJoin(t *testing.T) {
	var ms []protocol.Model
	for i := range 45 {
		ms = append(ms, protocol.Model{ID: fmt.Sprintf("m%02d", i)})
	}
	for _, back := range []bool{false, true} {
		var seen []protocol.Model
		p := protocol.Page{}
		if back {
			p.Before = "z"
		}
		for range 10 {
			one, more := page(ms, p)
			if back {
				seen, p.Before = append(append([]protocol.Model{}, one...), seen...), one[0].ID
			} else {
				seen, p.After = append(seen, one...), one[len(one)-1].ID
			}
			if !more {
				break
			}
		}
		if d := cmp.Diff(ms, seen); d != "" {
			t.Errorf("backwards %v: (-want +got)\n%s", back, d)
		}
	}
}
