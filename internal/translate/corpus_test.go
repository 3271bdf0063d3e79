package translate

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/anthropic"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/gemini"
	"portico/internal/protocol/openaichat"
	"portico/internal/protocol/openairesponses"
	"portico/internal/protocol/wire"
	"portico/internal/provider"
)

var translators = []protocol.Translator{openaichat.New(), openairesponses.New(), anthropic.New(), gemini.New()}

func upstreamOf(t protocol.Translator, account string) *Upstream {
	return &Upstream{Fit: &protocol.Fit{Model: "m-1", Vendor: t.Name(), Native: true}, Quirks: &provider.None, Account: account}
}

// recorded are the files of one kind that were recorded in a protocol.
func recorded(t *testing.T, proto, file string) []string {
	t.Helper()
	root := os.Getenv("PORTICO_CORPUS")
	if root == "" {
		t.Skip("PORTICO_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(root, proto, "*", file))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		meta, err := os.ReadFile(filepath.Join(filepath.Dir(file), "meta.json"))
		status, told := jsonedit.Int(jsonedit.Get(meta, "status"))
		return err != nil || wire.Text(jsonedit.Get(meta, "operation")) != "generate" || told && status != 200
	})
}

// conversation reports whether a recorded request asks for a next turn that any
// upstream could be asked for.
func conversation(proto string, body []byte) bool {
	switch proto {
	case protocol.OpenAIResponses:
		return jsonedit.Get(body, "input") != nil && jsonedit.Get(body, "previous_response_id") == nil && jsonedit.Get(body, "conversation") == nil && jsonedit.Get(body, "prompt") == nil
	case protocol.Gemini:
		return jsonedit.Get(body, "contents") != nil && jsonedit.Get(body, "cachedContent") == nil
	}
	return jsonedit.Get(body, "messages") != nil
}

// TestRequests: every recorded request crosses from every protocol to every
// other, as sound JSON that the other reads, and always the same.
func TestRequests(t *testing.T) {
	for _, client := range translators {
		files := recorded(t, client.Name(), "request.json")
		for _, upstream := range translators {
			if client == upstream {
				continue
			}
			began, n, lossless := time.Now(), 0, 0
			for _, file := range files {
				body, err := os.ReadFile(file)
				if err != nil || !conversation(client.Name(), body) {
					continue
				}
				name := client.Name() + "→" + upstream.Name() + " " + filepath.Base(filepath.Dir(file))
				b, err := New(client, upstream, body, Options{ID: "req_1", Model: "m"})
				if f, ok := errors.AsType[*fault.Fault](err); ok && f.Class == fault.Unsupported {
					continue // what it needs is stored elsewhere
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				to := upstreamOf(upstream, "one")
				out, losses, err := b.Request(to)
				if f, ok := errors.AsType[*fault.Fault](err); ok && f.Class == fault.Unsupported {
					t.Logf("%s: %v", name, err)
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if !jsontext.Value(out).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
					t.Errorf("%s: no JSON: %.300s", name, out)
				}
				if _, err := upstream.DecodeRequest(out); err != nil {
					t.Errorf("%s: it is not read: %v", name, err)
				}
				again, _, _ := b.Request(to)
				other, err := New(client, upstream, body, Options{ID: "req_2", Model: "m"})
				if err != nil {
					t.Fatal(err)
				}
				third, _, _ := other.Request(to)
				if !bytes.Equal(out, again) || !bytes.Equal(out, third) {
					t.Errorf("%s: it is not always the same", name)
				}
				for _, l := range losses {
					if l.Path == "" || !strings.Contains(l.Why, ": ") {
						t.Errorf("%s: a loss says nothing: %+v", name, l)
					}
				}
				if n++; len(losses) == 0 {
					lossless++
				}
			}
			t.Logf("%s → %s: %d requests, %d without a loss, %v", client.Name(), upstream.Name(), n, lossless, time.Since(began).Round(time.Millisecond))
		}
	}
}

// TestAnswers: every recorded answer crosses from every protocol to every
// other, as a lawful one that the other reads.
func TestAnswers(t *testing.T) {
	for _, upstream := range translators {
		for _, kind := range []string{"response.json", "response.sse"} {
			files := recorded(t, upstream.Name(), kind)
			for _, client := range translators {
				if client == upstream {
					continue
				}
				n := 0
				for _, file := range files {
					body, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					name := upstream.Name() + "→" + client.Name() + " " + filepath.Base(filepath.Dir(file))
					if !sound(upstream, body, kind) {
						continue
					}
					n++
					if kind == "response.json" {
						checkWhole(t, name, client, upstream, body)
					} else {
						checkStream(t, name, client, upstream, body)
					}
				}
				t.Logf("%s → %s: %d of %s", upstream.Name(), client.Name(), n, kind)
			}
		}
	}
}

// sound reports whether the relay would take an answer for one.
func sound(upstream protocol.Translator, body []byte, kind string) bool {
	tap := upstream.NewTap()
	if kind == "response.json" {
		if status := wire.Text(jsonedit.Get(body, "status")); upstream.Name() == protocol.OpenAIResponses && status != "completed" && status != "incomplete" {
			return false // it runs in the background
		}
		return tap.Body(body)&protocol.Failed == 0 && tap.Seen().Finished
	}
	for _, f := range codectest.Frames(body) {
		if tap.Frame(f.Event, f.Data)&protocol.Failed != 0 {
			return false
		}
	}
	return tap.Seen().Finished
}

// plain is a request that any answer may answer.
func plain(client protocol.Translator) []byte {
	switch client.Name() {
	case protocol.OpenAIResponses:
		return []byte(`{"input":"hi"}`)
	case protocol.Gemini:
		return []byte(`{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`)
	}
	return []byte(`{"max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`)
}

func bridge(t *testing.T, client, upstream protocol.Translator, body []byte, o Options) *Bridge {
	t.Helper()
	if o.Model == "" {
		o.Model = "m"
	}
	b, err := New(client, upstream, body, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Request(upstreamOf(upstream, "one")); err != nil {
		t.Fatal(err)
	}
	return b
}

func checkWhole(t *testing.T, name string, client, upstream protocol.Translator, body []byte) {
	t.Helper()
	b := bridge(t, client, upstream, plain(client), Options{ID: "req_1"})
	out, err := b.Whole(body)
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Class == fault.Broken && strings.Contains(f.Msg, "unreadable") {
		return // a call that makes no sense is an error to the client
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !jsontext.Value(out).IsValid(jsontext.AllowInvalidUTF8(true)) {
		t.Errorf("%s: no JSON: %.300s", name, out)
	}
	if tap := client.NewTap(); tap.Body(out)&protocol.Failed != 0 && !nothing(b) {
		t.Errorf("%s: the client sees no answer: %.300s", name, out)
	}
	// A client that asked for a stream gets the same as one.
	s := bridge(t, client, upstream, plain(client), Options{ID: "req_1", Stream: true})
	stream, err := s.Unfold(nil, body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	checkLawful(t, name+" unfolded", client, s.End(stream), nothing(s))
}

// nothing reports whether an answer held something that no other protocol has a
// seat for, which may have been all of it.
func nothing(b *Bridge) bool {
	return slices.ContainsFunc(b.Losses(), func(l llm.Loss) bool { return strings.HasPrefix(l.Why, "dropped: ") })
}

func checkStream(t *testing.T, name string, client, upstream protocol.Translator, stream []byte) {
	t.Helper()
	empty := false
	run := func() []byte {
		b := bridge(t, client, upstream, plain(client), Options{ID: "req_1", Stream: true})
		var out []byte
		for _, f := range codectest.Frames(stream) {
			var err error
			if out, err = b.Frame(out, f.Event, f.Data); err != nil {
				if !strings.Contains(err.Error(), "began its answer anew") { // which no client can be told
					t.Errorf("%s: %v", name, err)
				}
				return nil
			}
		}
		out = b.End(out)
		empty = nothing(b)
		return out
	}
	out := run()
	if out == nil {
		return
	}
	if !bytes.Equal(out, run()) {
		t.Errorf("%s: it is not always the same", name)
	}
	checkLawful(t, name, client, out, empty)
}

// checkLawful looks at a stream as its client does. An empty one may be taken
// for an error.
func checkLawful(t *testing.T, name string, client protocol.Translator, stream []byte, empty bool) {
	t.Helper()
	tap := client.NewTap()
	for _, f := range codectest.Frames(stream) {
		if string(f.Data) != "[DONE]" && !jsontext.Value(f.Data).IsValid(jsontext.AllowInvalidUTF8(true)) {
			t.Errorf("%s: no JSON: %.300s", name, f.Data)
		}
		if tap.Frame(f.Event, f.Data)&protocol.Failed != 0 && !empty {
			t.Errorf("%s: the client sees an error: %.300s", name, f.Data)
		}
	}
	if !tap.Seen().Finished && !empty {
		t.Errorf("%s: the client sees no end", name)
	}
	if _, err := codectest.Fold(client.NewDecoder(), stream); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
