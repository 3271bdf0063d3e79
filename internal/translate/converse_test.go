package translate

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/codectest"
	"portico/internal/protocol/converse"
	"portico/internal/protocol/wire"
	"portico/internal/provider"
)

func bedrock() *Upstream {
	return &Upstream{Fit: &protocol.Fit{Model: "us.amazon.nova-pro-v1:0", Vendor: "bedrock", Native: true}, Quirks: &provider.Quirks{InlineImages: true}, Account: "one"}
}

// converseLaws says what Bedrock would refuse of a request.
func converseLaws(body []byte) error {
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return errors.New("no JSON")
	}
	last, calls, any := "", map[string]bool{}, false
	for m := range each(jsonedit.Get(body, "messages")) {
		role := wire.Text(jsonedit.Get(m, "role"))
		if role == last || last == "" && role != "user" {
			return fmt.Errorf("a turn of %s after one of %q", role, last)
		}
		last = role
		blocks, other := 0, false
		for b := range each(jsonedit.Get(m, "content")) {
			blocks++
			if t := jsonedit.Get(b, "text"); t != nil && strings.TrimSpace(wire.Text(t)) == "" {
				return errors.New("a blank text")
			}
			if u := jsonedit.Get(b, "toolUse"); u != nil {
				if in := jsonedit.Get(u, "input"); len(in) == 0 || in[0] != '{' {
					return fmt.Errorf("the arguments %.50s", in)
				}
				calls[wire.Text(jsonedit.Get(u, "toolUseId"))] = true
				any = true
			}
			if r := jsonedit.Get(b, "toolResult"); r != nil {
				id := wire.Text(jsonedit.Get(r, "toolUseId"))
				if !calls[id] || other || wire.Empty(jsonedit.Get(r, "content")) {
					return fmt.Errorf("the result of %s, which nobody awaits, or which comes late or is empty", id)
				}
				delete(calls, id)
			} else if role == "user" {
				other = true
			}
		}
		if blocks == 0 || role == "user" && len(calls) > 0 {
			return fmt.Errorf("%d blocks, %d calls without a result", blocks, len(calls))
		}
	}
	if last == "" || any && jsonedit.Path(body, "toolConfig", "tools") == nil {
		return errors.New("no message, or calls without tools")
	}
	return nil
}

func each(list []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for e, err := range jsonedit.Elements(list) {
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// TestConverseRequests: every recorded request crosses to Bedrock, lawful, and
// always the same.
func TestConverseRequests(t *testing.T) {
	for _, client := range translators {
		n := 0
		for _, file := range recorded(t, client.Name(), "request.json") {
			body, err := os.ReadFile(file)
			if err != nil || !conversation(client.Name(), body) {
				continue
			}
			name := client.Name() + " " + filepath.Base(filepath.Dir(file))
			made := make([]string, 2)
			for i := range made {
				b, err := New(client, converse.New(), body, Options{ID: "req_1", Model: "m"})
				if err != nil {
					made = nil
					break
				}
				out, _, err := b.Request(bedrock())
				if f, ok := errors.AsType[*fault.Fault](err); ok && f.Class == fault.Unsupported {
					made = nil
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if err := converseLaws(out); err != nil {
					t.Errorf("%s: %v: %.2000s", name, err, out)
				}
				made[i] = string(out)
			}
			if len(made) == 2 && made[0] != made[1] {
				t.Errorf("%s: it is not always the same", name)
			}
			n++
		}
		t.Logf("%s: %d requests", client.Name(), n)
	}
}

// converseStream is an answer that thinks, says something and calls twice.
const converseStream = "event: messageStart\ndata: {\"role\":\"assistant\"}\n\n" +
	"event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"hm\"}}}\n\n" +
	"event: contentBlockDelta\ndata: {\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"U0lH\"}}}\n\n" +
	"event: contentBlockStop\ndata: {\"contentBlockIndex\":0}\n\n" +
	"event: contentBlockDelta\ndata: {\"contentBlockIndex\":1,\"delta\":{\"text\":\"See.\"}}\n\n" +
	"event: contentBlockStop\ndata: {\"contentBlockIndex\":1}\n\n" +
	"event: contentBlockStart\ndata: {\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_1\",\"name\":\"weather\"}}}\n\n" +
	"event: contentBlockDelta\ndata: {\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"city\\\":\\\"A\\\"}\"}}}\n\n" +
	"event: contentBlockStop\ndata: {\"contentBlockIndex\":2}\n\n" +
	"event: contentBlockStart\ndata: {\"contentBlockIndex\":3,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_2\",\"name\":\"weather\"}}}\n\n" +
	"event: contentBlockStop\ndata: {\"contentBlockIndex\":3}\n\n" +
	"event: messageStop\ndata: {\"stopReason\":\"tool_use\"}\n\n" +
	"event: metadata\ndata: {\"usage\":{\"inputTokens\":7,\"outputTokens\":5,\"totalTokens\":12}}\n\n"

// TestConverseAnswers: the clients of every protocol get the whole of an answer
// of Bedrock's, and a lawful stream.
func TestConverseAnswers(t *testing.T) {
	for _, client := range translators {
		b, err := New(client, converse.New(), plain(client), Options{ID: "req_1", Model: "m", Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Request(bedrock()); err != nil {
			t.Fatal(err)
		}
		var out []byte
		for _, f := range codectest.Frames([]byte(converseStream)) {
			if out, err = b.Frame(out, f.Event, f.Data); err != nil {
				t.Fatal(err)
			}
		}
		out = b.End(out)
		checkLawful(t, client.Name(), client, out, false)
		r, err := codectest.Fold(client.NewDecoder(), out)
		if err != nil {
			t.Fatal(err)
		}
		text, calls := "", []string(nil)
		for _, p := range r.Answers[0].Parts {
			switch p := p.(type) {
			case *llm.Prose:
				text += p.Text.String()
			case *llm.Call:
				calls = append(calls, p.Name+p.Args.String())
			}
		}
		got := strings.ReplaceAll(fmt.Sprint(text, calls, r.Answers[0].Stop), "weather]", "weather{}]")
		if want := "See." + fmt.Sprint([]string{`weather{"city":"A"}`, "weather{}"}, llm.StopCall); got != want {
			t.Errorf("%s: %s of %s", client.Name(), got, out)
		}
	}
}
