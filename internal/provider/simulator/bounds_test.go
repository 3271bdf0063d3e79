package simulator

import (
	"encoding/json/jsontext"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"portico/internal/protocol"
	"portico/internal/provider"
)

// TestDeterminism: one request always gets the same answer but for its ids and
// the time.
func TestDeterminism(t *testing.T) {
	ids := regexp.MustCompile(`sim[a-z0-9]{20}|"created(_at)?":\d+`)
	for _, dialect := range speaks {
		for _, streamed := range []bool{false, true} {
			path, body := wants{said: "x [[tool:add]]", tools: true, think: "shown", model: modelImage}.build(dialect, streamed)
			first, second := send(t, New(), dialect, path, body), send(t, New(), dialect, path, body)
			if string(first.body) == string(second.body) {
				t.Errorf("%s: two answers have the same ids: %s", dialect, first.body)
			}
			if a, b := ids.ReplaceAllString(string(first.body), ""), ids.ReplaceAllString(string(second.body), ""); a != b {
				t.Errorf("%s:\n%s\n%s", dialect, a, b)
			}
		}
	}
}

// TestNoSharing: an answer keeps nothing of the request's body, whose memory
// the next request uses.
func TestNoSharing(t *testing.T) {
	s := New()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				dialect := speaks[j%len(speaks)]
				word := strings.Repeat(fmt.Sprint(i), 300)
				path, body := wants{said: word, tools: true}.build(dialect, true)
				if got := judge(t, dialect, send(t, s, dialect, path, body).body, true); got.Text != greeting+" You said: "+word {
					t.Errorf("%d got %s", i, got.Text)
				}
			}
		})
	}
	all.Wait()
}

func TestShelf(t *testing.T) {
	s := newShelf(3, 100)
	has := func(want string) {
		t.Helper()
		got := ""
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			if k, ok := s.get(id); ok && len(k.answer) > 0 {
				got += id
			}
		}
		if got != want {
			t.Errorf("the shelf holds %q, want %q", got, want)
		}
	}
	put := func(id string, size int) {
		s.put(id, &kept{answer: make(jsontext.Value, size/2), input: make(jsontext.Value, size-size/2)})
	}
	put("a", 10)
	put("b", 10)
	put("c", 10)
	has("abc")
	put("d", 10) // too many
	has("bcd")
	put("e", 85) // too large together
	has("de")
	put("a", 101) // too large alone
	has("de")
	if !s.drop("d") || s.drop("d") || s.bytes != 85 {
		t.Errorf("after a drop %d bytes are left", s.bytes)
	}
	for range 1000 {
		put("b", 1)
		s.drop("b")
	}
	if len(s.order) > 3 || s.bytes > 100 || len(s.kept) > 3 {
		t.Errorf("%d in order, %d bytes, %d kept", len(s.order), s.bytes, len(s.kept))
	}
}

func TestTally(t *testing.T) {
	y := newTally(2)
	for i, c := range []struct {
		key  string
		want bool
	}{
		{"a", true}, {"a", true}, {"a", false}, {"b", true}, {"a", false}, {"c", true}, // a made room
		{"a", true}, // … and b now
		{"c", true}, {"c", false}, {"b", true},
	} {
		if got := y.take(c.key, 2); got != c.want {
			t.Errorf("%d: %s is taken: %v", i, c.key, got)
		}
		if len(y.seen) > 2 {
			t.Fatalf("%d counts are remembered", len(y.seen))
		}
	}
}

// TestRemembered asks for a response again, goes on from it and forgets it.
func TestRemembered(t *testing.T) {
	s, dialect := fixed(), protocol.OpenAIResponses
	for _, streamed := range []bool{false, true} {
		path, body := wants{said: "hello"}.responses(streamed)
		first := send(t, s, dialect, path, body)
		id, total := regexp.MustCompile(`resp_\d+`).FindString(string(first.body)), judgeResponses(t, first.body, streamed).Usage.Total()
		got := send(t, s, dialect, "GET /responses/"+id, "")
		if again := read[responsesAnswer](t, got.body); again.ID != id || again.told(t).Text != greeting+" You said: hello" {
			t.Errorf("GET gives %s", got.body)
		}
		items := read[struct {
			Object string
			Data   []struct{ ID, Role string }
			First  string `json:"first_id"`
			Last   string `json:"last_id"`
		}](t, send(t, s, dialect, "GET /responses/"+id+"/input_items", "").body)
		if len(items.Data) != 1 || items.Data[0].ID == "" || items.First != items.Data[0].ID || items.Last != items.First || items.Object != "list" {
			t.Errorf("the input is %+v", items)
		}
		next := send(t, s, dialect, "/responses", `{"model":"m","input":"on","previous_response_id":"`+id+`"}`)
		if x := judgeResponses(t, next.body, false); x.Usage.Input != total+1 {
			t.Errorf("what follows reads %d tokens, not one more than %d", x.Usage.Input, total)
		}
		if r := send(t, s, dialect, "GET /responses/"+id+"?stream=true", ""); r.StatusCode != 400 {
			t.Errorf("a stream of it is %d", r.StatusCode)
		}
		if r := send(t, s, dialect, "DELETE /responses/"+id, ""); r.StatusCode != 200 || !strings.Contains(string(r.body), `"deleted":true`) {
			t.Errorf("DELETE gives %s", r.body)
		}
		if r := send(t, s, dialect, "GET /responses/"+id, ""); r.StatusCode != 404 {
			t.Errorf("what is deleted is %d", r.StatusCode)
		}
	}
	n := len(s.shelf.kept)
	send(t, s, dialect, "/responses", `{"model":"m","input":"x","store":false}`)
	if len(s.shelf.kept) != n {
		t.Error("store:false is stored")
	}
}

func TestPrepare(t *testing.T) {
	s := New()
	a := &provider.Account{}
	if err := s.Prepare(a); err != nil || a.BaseURL == nil || len(a.Protocols) != 4 {
		t.Errorf("%v, %+v", err, a)
	}
	if err := s.Prepare(&provider.Account{BaseURL: a.BaseURL}); err == nil {
		t.Error("a base URL is taken")
	}
	if err := s.Prepare(&provider.Account{Protocols: []string{"telex"}}); err == nil {
		t.Error("a protocol that nobody speaks is taken")
	}
	for op, want := range map[protocol.Op]string{
		protocol.Chat: "openai-chat openai-responses anthropic gemini", protocol.Other: "openai-chat openai-responses anthropic gemini",
		protocol.Count: "openai-responses anthropic gemini", protocol.Embed: "openai-chat gemini", protocol.Complete: "",
	} {
		if got := strings.Join(s.Speaks(a, op, "x"), " "); got != want || len(a.Protocols) != 4 {
			t.Errorf("%v is spoken in %q, want %q", op, got, want)
		}
	}
	if got := s.Forwards(); len(got) != 1 || got[0] != http.CanonicalHeaderKey(Header) {
		t.Errorf("%v are forwarded", got)
	}
}

// TestForeign: what Address has not addressed is an error, not an answer, and
// the body is closed in any case.
func TestForeign(t *testing.T) {
	s := fixed()
	req := request(t, s, "telex", "/x", "{}")
	closed := false
	req.Body = closer{strings.NewReader("{}"), &closed}
	if _, err := s.Transport().RoundTrip(req); err == nil || !strings.Contains(err.Error(), "telex") || !closed {
		t.Errorf("%v, closed %v", err, closed)
	}
}

type closer struct {
	io.Reader
	closed *bool
}

func (c closer) Close() error { *c.closed = true; return nil }

// TestHostile sends texts that a careless reader of directives would read once
// for each of their bytes.
func TestHostile(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[[", 1<<18), strings.Repeat("[[", 1<<18) + "]]", strings.Repeat("[[say:", 1<<18), strings.Repeat("[[long:", 1<<18) + "]]",
		strings.Repeat("[[tool:x y", 1<<18) + "]]", strings.Repeat(`[[tool:x {"`, 1<<17) + "]]", strings.Repeat("[[tool:x]]", 1<<18), strings.Repeat("[[fault:cut]]", 1<<17),
	} {
		d := parseDirectives(text)
		if d.tries > maxTries || len(d.tools) > maxCalls {
			t.Errorf("%.20s: %d tries, %d calls", text, d.tries, len(d.tools))
		}
	}
}
