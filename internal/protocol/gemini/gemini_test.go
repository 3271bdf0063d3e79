package gemini

import (
	"encoding/json/v2"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/protocol"
	"portico/internal/sse"
)

func TestPeek(t *testing.T) {
	for body, want := range map[string]protocol.Peek{
		`{"contents":[],"model":7,"stream":"yes"}`:              {}, // neither is this protocol's
		`{"cachedContent":"cachedContents/a","contents":[]}`:    {Session: "cachedContents/a"},
		`{"cached_content":"cachedContents/a"}`:                 {Session: "cachedContents/a"},
		`{"cachedContent":"a","cachedContent":"b"}`:             {Session: "b"},
		`{"cachedContent":{}}`:                                  {},
		`{"cachedContent":"` + strings.Repeat("x", 2000) + `"}`: {},
	} {
		if got, err := New().Peek([]byte(body)); err != nil || got != want {
			t.Errorf("%.60s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{``, `[]`, `{`, "{\"a\":\"\xff\"}", strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600)} {
		if got, err := New().Peek([]byte(body)); err == nil {
			t.Errorf("%.20q was taken: %+v", body, got)
		}
	}
}

// TestWithSSE: whatever a query says of the framing, it asks for events then.
func TestWithSSE(t *testing.T) {
	for query, want := range map[string]string{
		"":                               "alt=sse",
		"alt=sse":                        "alt=sse",
		"key=1&alt=json":                 "alt=sse&key=1",
		"$alt=json;enum-encoding=int&&x": "alt=sse&x",
		"%24alt=json":                    "alt=sse",
	} {
		if got := WithSSE(query); got != want || !SSE(got) {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
	}
}

func TestSSE(t *testing.T) {
	for query, want := range map[string]bool{
		"alt=sse": true, "key=x&alt=sse": true, "%24alt=sse": true, "$alt=sse;enum-encoding=int": true, "%24alt=sse%3Benum-encoding=int": true,
		"": false, "alt=json": false, "alt": false, "salt=sse": false, "alt=sses": false, "%24alt=json;enum-encoding=int": false,
	} {
		if got := SSE(query); got != want {
			t.Errorf("%q: got %v", query, got)
		}
	}
}

func TestHeartbeat(t *testing.T) {
	f := sse.Parse(New().Heartbeat())
	x := New().NewTap()
	if f.Event != nil || x.Frame(nil, f.Data) != 0 || x.Seen().Error != nil || x.Seen().Finished {
		t.Errorf("the heartbeat %q means something: %+v", f.Data, x.Seen())
	}
	// The chats of two SDKs want a candidate with at least one part that has a
	// member in every chunk.
	var v struct {
		Candidates []struct {
			Content struct {
				Role  string
				Parts []map[string]any
			}
		}
	}
	if err := json.Unmarshal(f.Data, &v, json.MatchCaseInsensitiveNames(true)); err != nil || v.Candidates[0].Content.Role != "model" || len(v.Candidates[0].Content.Parts[0]) != 1 {
		t.Errorf("the heartbeat is no chunk: %s, %v", f.Data, err)
	}
	if got := string(NewArray().Heartbeat()); strings.TrimSpace(got) != "" || got == "" {
		t.Errorf("the heartbeat of an array is %q", got)
	}
}

func TestStreamError(t *testing.T) {
	f := &fault.Fault{Class: fault.Network, Msg: "gone"}
	const object = `{"error":{"code":502,"message":"gone","status":"UNAVAILABLE","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"NETWORK","domain":"portico","metadata":{"requestId":"req_1"}}]}}`
	if got, want := string(New().StreamError([]byte("x"), f, "req_1")), "xdata: "+object+"\n\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got := NewArray().StreamError([]byte(`[{"candidates":[]}`), f, "req_1")
	var v []map[string]any
	if err := json.Unmarshal(got, &v); err != nil || len(v) != 2 || v[1]["error"] == nil {
		t.Errorf("the array %s: %v", got, err)
	}
	x := New().NewTap()
	if x.Frame(nil, []byte(object)) != protocol.Failed || x.Seen().Error.Message != "gone" || x.Seen().Error.Status != 502 {
		t.Errorf("our own error is not read as one: %+v", x.Seen())
	}
}
