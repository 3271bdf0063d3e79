package responses

import (
	"encoding/json/jsontext"
	"testing"
)

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		body, previous, items string
		store, bad            bool
	}{
		{body: `{}`, store: true},
		{body: `{"input":"hi","store":null}`, items: `{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}`, store: true},
		{body: `{"input": [ {"a":1} , 2 ] ,"store":true}`, items: `{"a":1},2`, store: true},
		{body: `{"input":[],"store":false,"previous_response_id":"resp_1"}`, previous: "resp_1"},
		{body: `{"\u0069nput":[1],"previous_response_id":null}`, items: `1`, store: true},
		{body: `{"input":[1],"input":[2]}`, items: `2`, store: true},
		{body: `{"input":7}`, bad: true},
		{body: `{"input":[1`, bad: true},
		{body: ``, bad: true},
	} {
		in, err := Read([]byte(tc.body))
		var items []byte
		if err == nil {
			items, err = in.Items()
		}
		if (err != nil) != tc.bad {
			t.Errorf("%s: error %v", tc.body, err)
			continue
		}
		if tc.bad {
			continue
		}
		if in.Previous != tc.previous || in.Store != tc.store || string(items) != tc.items {
			t.Errorf("%s: %q %v %s, want %q %v %s", tc.body, in.Previous, in.Store, items, tc.previous, tc.store, tc.items)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, tc := range []struct{ body, items, want string }{
		{`{"model":"m","input":"x","previous_response_id":"r","a":[1.0]}`, `1,2`, `{"input":[1,2],"model":"m","a":[1.0]}`},
		{`{"type":"response.create","generate":false}`, ``, `{"input":[],"generate":false}`},
	} {
		got, err := Expand([]byte(tc.body), []byte(tc.items), "type")
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.body, got, err, tc.want)
		}
	}
	if _, err := Expand([]byte(`{"a":`), nil); err == nil {
		t.Error("a broken body is taken")
	}
}

func TestList(t *testing.T) {
	items := []byte(`{"role":"user","content":"hi"},{"type":"message","id":"msg_1","role":"assistant","content":"yo"},{"type":"reasoning","id":"rs_1","summary":[]}`)
	const (
		first  = `{"type":"message","id":"item_r_0","role":"user","content":[{"type":"input_text","text":"hi"}]}`
		second = `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"yo"}]}`
		third  = `{"type":"reasoning","id":"rs_1","summary":[]}`
	)
	for _, tc := range []struct {
		name string
		p    Page
		want string
	}{
		{"newest first", Page{}, third + "," + second + "," + first + `],"first_id":"rs_1","last_id":"item_r_0","has_more":false}`},
		{"oldest first", Page{Ascending: true}, first + "," + second + "," + third + `],"first_id":"item_r_0","last_id":"rs_1","has_more":false}`},
		{"a page", Page{Ascending: true, Limit: 1}, first + `],"first_id":"item_r_0","last_id":"item_r_0","has_more":true}`},
		{"the next", Page{Ascending: true, Limit: 2, After: "item_r_0"}, second + "," + third + `],"first_id":"msg_1","last_id":"rs_1","has_more":false}`},
		{"beyond the end", Page{Ascending: true, After: "rs_1"}, `],"first_id":null,"last_id":null,"has_more":false}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := List("r", items, tc.p)
			if want := `{"object":"list","data":[` + tc.want; err != nil || string(got) != want {
				t.Errorf("%v\n got %s\nwant %s", err, got, want)
			}
		})
	}
}

// FuzzTurn: whatever a client sends, what is made of it is JSON or an error.
func FuzzTurn(f *testing.F) {
	for _, s := range []string{`{"input":"x"}`, `{"input":[{"role":"user","content":"x"}],"store":false}`, `{"a":1,"input":[[]]}`, `{"input":[1,]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !jsontext.Value(body).IsValid() {
			_, _ = Read(body)
			return
		}
		in, err := Read(body)
		if err != nil {
			return
		}
		items, err := in.Items()
		if err != nil {
			return
		}
		if out, err := Expand(body, items); err == nil && !jsontext.Value(out).IsValid() {
			t.Errorf("expanded to %s", out)
		}
		if out, err := List("r", items, Page{}); err == nil && !jsontext.Value(out).IsValid() {
			t.Errorf("listed as %s", out)
		}
	})
}
