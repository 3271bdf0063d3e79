package translate

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"portico/internal/llm"
	"portico/internal/protocol"
)

var protocols = []string{protocol.OpenAIChat, protocol.OpenAIResponses, protocol.Anthropic, protocol.Gemini}

func sealed_(p llm.Part, kind llm.SealKind, id, data string) llm.Part {
	s := &llm.Seal{Kind: kind, ID: id, Data: llm.Plain(data)}
	switch p := p.(type) {
	case *llm.Thought:
		p.Seal = s
	case *llm.Call:
		p.Seal = s
	case *llm.Prose:
		p.Seal = s
	}
	return p
}

// answerOf is an answer as the upstreams of a protocol seal it.
func answerOf(upstream string) []llm.Part {
	switch upstream {
	case protocol.Anthropic:
		redacted := &llm.Thought{Redacted: true}
		return []llm.Part{
			sealed_(think("why"), llm.Signature, "", "sig1"), sealed_(redacted, llm.Encrypted, "", "red"), say("text"),
			call("c1", "f", "{}"), sealed_(think("more"), llm.Signature, "", "sig2"), call("c2", "f", "{}"),
		}
	case protocol.OpenAIResponses:
		t := think("sum")
		t.Summary = true
		return []llm.Part{sealed_(t, llm.Encrypted, "rs_1", "enc"), say("text"), call("c1", "f", "{}")}
	case protocol.Gemini:
		return []llm.Part{think("sum"), say("text"), sealed_(call("c1", "f", "{}"), llm.Signature, "", "ts"), call("c2", "f", "{}")}
	}
	return []llm.Part{sealed_(think("why"), llm.Encrypted, "", "enc"), say("text"), call("c1", "f", "{}")}
}

// backTo is a conversation that goes on from an answer that a client got.
func backTo(parts []llm.Part) *llm.Request {
	r := &llm.Request{Messages: []llm.Message{user(say("hi")), model(parts...)}}
	var results []llm.Part
	for _, p := range parts {
		if c, ok := p.(*llm.Call); ok {
			results = append(results, result(c.ID, "ok"))
		}
	}
	r.Messages = append(r.Messages, user(results...))
	return r
}

// Traps A30, A33, B4–B6, C6–C9, D1, F1, F2, X24: every seal comes back to its
// issuer through every client, on the part and in the place where it was, and
// goes to no other.
func TestSealsComeBack(t *testing.T) {
	want := map[string]string{
		protocol.Anthropic:       "[think(why)#sig1 think()#red say(text) f:c1({}) think(more)#sig2 f:c2({})]",
		protocol.OpenAIResponses: "[think(sum)#enc say(text) f:c1({})]",
		protocol.Gemini:          "[think(sum) say(text) f:c1({})#ts f:c2({})]",
		protocol.OpenAIChat:      "[think(why)#enc say(text) f:c1({})]",
	}
	for _, upstream := range protocols {
		for _, client := range protocols {
			if client == upstream {
				continue
			}
			name := client + " through " + upstream
			b := crossing(client, upstream, backTo(nil), Options{})
			prepared(t, b, native("m"))
			got := backward(t, b, llm.StopCall, answerOf(upstream)...).Parts
			for _, p := range got {
				if s := sealOf(p); s != nil && (!wrapped(s) || s.Protocol != client || s.ID != "") {
					t.Errorf("%s: the client gets the seal %+v", name, s)
				}
			}
			d := prepared(t, crossing(client, upstream, backTo(returned(client, got)), Options{}), native("m"))
			back := drawParts(d.Messages[1].Parts)
			if client == protocol.Gemini { // it brings its own thoughts back, too, which say nothing more
				back = strings.ReplaceAll(back, "think(sum)#enc", "think()#enc")
			}
			expected := want[upstream]
			if client == protocol.Gemini && upstream == protocol.OpenAIResponses {
				expected = strings.ReplaceAll(expected, "think(sum)#enc", "think()#enc")
			}
			if back != expected {
				t.Errorf("%s:\n got %s\nwant %s\n via %s", name, back, expected, drawParts(got))
			}
			for i := range d.Messages[1].Parts {
				if s := sealOf(d.Messages[1].Parts[i]); s != nil && s.Protocol != upstream {
					t.Errorf("%s: a seal of %s goes to it", name, s.Protocol)
				}
			}
			if len(d.losses) > 0 {
				t.Errorf("%s: lost %+v", name, d.losses)
			}
			// Nobody else sees a seal.
			for what, to := range map[string]*Upstream{"another account": {Fit: native("m").Fit, Quirks: native("m").Quirks, Account: "two"}, "another model": native("n")} {
				d := prepared(t, crossing(client, upstream, backTo(returned(client, got)), Options{}), to)
				told := len(d.losses) > 0 || client != protocol.Gemini && upstream != protocol.Gemini // a codec tells of reasoning that shows something
				if hasSeal(d.Messages[1].Parts) || !told {
					t.Errorf("%s, %s: %s, lost %+v", name, what, drawParts(d.Messages[1].Parts), d.losses)
				}
			}
		}
	}
}

// returned is what clients of a protocol bring back of an answer: Gemini CLI
// leaves the thoughts out.
func returned(client string, parts []llm.Part) (out []llm.Part) {
	for _, p := range parts {
		if _, ok := p.(*llm.Thought); ok && client == protocol.Gemini {
			continue
		}
		out = append(out, p)
	}
	return out
}

// A client that drops what it does not know still keeps its reasoning: by the
// ids of calls, or by what was said (traps D2, E7).
func TestRecall(t *testing.T) {
	memory := NewMemory(1<<20, time.Now)
	o := Options{Recall: memory, Scope: "key"}
	drop := func(parts []llm.Part) (out []llm.Part) {
		for _, p := range parts {
			switch p := p.(type) {
			case *llm.Thought:
			case *llm.Call:
				own := *p
				own.Seal = nil
				out = append(out, &own)
			case *llm.Prose:
				own := *p
				own.Seal = nil
				if !own.Text.Empty() {
					out = append(out, &own)
				}
			}
		}
		return out
	}
	for _, c := range []struct {
		upstream string
		parts    []llm.Part
		want     string
	}{
		{protocol.Anthropic, answerOf(protocol.Anthropic), "[think(why)#sig1 think()#red say(text) f:c1({}) think(more)#sig2 f:c2({})]"},
		{protocol.OpenAIResponses, answerOf(protocol.OpenAIResponses), "[think()#enc say(text) f:c1({})]"},
		{protocol.Gemini, answerOf(protocol.Gemini), "[say(text) f:c1({})#ts f:c2({})]"},
		{protocol.Anthropic, []llm.Part{sealed_(think("deep"), llm.Signature, "", "sig"), say("the answer")}, "[think(deep)#sig say(the answer)]"},
		{protocol.Gemini, []llm.Part{sealed_(say("an answer"), llm.Signature, "", "ts")}, "[say(an answer)#ts]"},
	} {
		b := crossing(protocol.OpenAIChat, c.upstream, backTo(nil), o)
		prepared(t, b, native("m"))
		kept := drop(backward(t, b, llm.StopEnd, c.parts...).Parts)
		d := prepared(t, crossing(protocol.OpenAIChat, c.upstream, backTo(kept), o), native("m"))
		if got := drawParts(d.Messages[1].Parts); got != c.want {
			t.Errorf("%s: got %s, want %s", c.upstream, got, c.want)
		}
		// … but not for another client.
		other := o
		other.Scope = "other"
		d = prepared(t, crossing(protocol.OpenAIChat, c.upstream, backTo(kept), other), native("m"))
		if hasSeal(d.Messages[1].Parts) {
			t.Errorf("%s: another client gets %s", c.upstream, drawParts(d.Messages[1].Parts))
		}
	}
}

// Google's own seat in chat holds Google's own seals (trap D1), and what its
// clients put where one was lost is nothing.
func TestSealsOfNobody(t *testing.T) {
	own := func(proto, data string) *llm.Request {
		c := sealed_(call("c", "f", "{}"), llm.Signature, "", data).(*llm.Call)
		c.Seal.Protocol = proto
		return backTo([]llm.Part{c})
	}
	for name, c := range map[string]struct {
		client, upstream, data, want string
		lost                         bool
	}{
		"Google's in chat, to Google":  {protocol.OpenAIChat, protocol.Gemini, "ts", "[f:c({})#ts]", false},
		"Google's in chat, to another": {protocol.OpenAIChat, protocol.Anthropic, "ts", "[f:c({})]", true},
		"Gemini's to another":          {protocol.Gemini, protocol.OpenAIResponses, "ts", "[f:c({})]", true},
		"a placeholder":                {protocol.Gemini, protocol.Anthropic, skipSeal, "[f:c({})]", false},
		"a wrapping that was tampered": {protocol.Gemini, protocol.Anthropic, SealMark + "%%", "[f:c({})]", true},
		"a wrapping of something":      {protocol.OpenAIChat, protocol.Gemini, SealMark + "e30", "[f:c({})]", true},
	} {
		d := prepared(t, crossing(c.client, c.upstream, own(c.client, c.data), Options{}), native("m"))
		if got := drawParts(d.Messages[1].Parts); got != c.want || lost(d.losses, "messages[1].content[0].seal") != c.lost {
			t.Errorf("%s: got %s, lost %+v", name, got, d.losses)
		}
	}
}

// What goes to an upstream of the client's own protocol holds no wrapping, and
// the upstream's own seals as they are.
func TestSealsAtHome(t *testing.T) {
	b := crossing(protocol.Anthropic, protocol.OpenAIResponses, backTo(nil), Options{})
	prepared(t, b, native("m"))
	parts := backward(t, b, llm.StopCall, answerOf(protocol.OpenAIResponses)...).Parts
	parts = append([]llm.Part{sealed_(think("own"), llm.Signature, "", "sig")}, parts...)
	d := prepared(t, crossing(protocol.Anthropic, protocol.Anthropic, backTo(parts), Options{}), native("m"))
	if got, want := drawParts(d.Messages[1].Parts), "[think(own)#sig say(text) f:c1({})]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzUnwrap(f *testing.F) {
	c := capsule{Seals: []sealed{{Seat: onThought, Data: "d", Text: "t"}}}
	f.Add(c.wrap())
	f.Add(SealMark)
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := unwrap(llm.Plain(s)); ok {
			if again, ok := unwrap(llm.Plain(c.wrap())); !ok || again.issuer != c.issuer || len(again.Seals) != len(c.Seals) {
				t.Errorf("%+v comes back as %+v", c, again)
			}
		}
	})
}

// Google's SDKs keep a signature as bytes: they fail on what is no base64.
func TestWrappedSealIsBase64(t *testing.T) {
	for n := range 5 {
		c := capsule{Model: "m", Seals: []sealed{{Seat: onCall, Data: strings.Repeat("?", n)}}}
		text := c.wrap()
		if _, err := base64.StdEncoding.DecodeString(text); err != nil || !strings.HasPrefix(text, SealMark) {
			t.Errorf("%s: %v", text, err)
		}
		if got, ok := unwrap(llm.Plain(text)); !ok || got.Seals[0].Data != c.Seals[0].Data {
			t.Errorf("%+v, %v out of %s", got, ok, text)
		}
	}
}
