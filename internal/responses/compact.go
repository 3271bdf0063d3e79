package responses

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/tape"
)

// A conversation that has become long is compacted: the model writes down what
// is needed to go on, and its client keeps that in an item of type compaction,
// sealed, in place of what was said. OpenAI does so itself; for other upstreams
// the gateway asks the model and seals what it wrote (spec: translation-traps
// B26). A client asks for it by POST /responses/compact, or by an item of type
// compaction_trigger at the end of its input, which is what Codex does.

// Trigger is the item with which a client demands that the conversation before
// it be compacted.
var Trigger = []byte(`{"type":"` + trigger + `"}`)

const (
	trigger    = "compaction_trigger"
	compaction = "compaction"
	// capsuleMark begins what the gateway has sealed, so that it is known from
	// what upstreams have.
	capsuleMark = "ptc1-"
	sealedFor   = "compaction"
)

// Ask is what a model is told so that it writes down a conversation.
const Ask = "This conversation is handed over here. Whoever goes on with it sees none of what was said above, only what you write now. " +
	"Write down, as far as there is something to say: what the user wants, in the user's own words where they matter; " +
	"what was decided, and why; what was done and found out, with the names of files, commands, functions, people and numbers that are needed later; " +
	"what the user demands or forbids; where things stand now; and what is to be done next, the next step first. " +
	"Be complete and exact, leave out what is settled and needed no more, and add nothing that was not said. " +
	"Call no tool. Answer with this text alone."

// preface stands before what was written down when the model is told it again.
const preface = "The conversation before this point was written down and is no longer there. This is what was written down:\n\n"

// Triggers reports whether items, which have commas between them, end with the
// demand to compact what is before it, and returns the items without such
// demands. Those that stand elsewhere were met before.
func Triggers(items []byte) (rest []byte, last bool) {
	if !bytes.Contains(items, []byte(trigger)) {
		return items, false
	}
	for e := range each(items) {
		if last = kindOf(e) == trigger; !last {
			rest = Join(rest, e)
		}
	}
	return rest, last
}

// Compact is the request that has the conversation of body, whose items are
// given, written down. It offers the same tools, so that it begins as the
// requests before it did, but none may be called.
func Compact(body, items []byte) ([]byte, error) {
	body, err := WithInput(body, Join(slices.Clip(items), said(Ask)))
	for _, name := range []string{"text", "tool_choice", "context_management", "max_output_tokens", "background", "store"} {
		if err == nil {
			body, err = jsonedit.Drop(body, name)
		}
	}
	if err != nil {
		return nil, err
	}
	if tools := jsonedit.Get(body, "tools"); len(tools) > len("[]") {
		return jsonedit.Set(body, "tool_choice", []byte(`"none"`))
	}
	return body, nil
}

// said is a text as the user's message.
func said(text string) []byte {
	return append(jsonedit.Quote([]byte(`{"type":"message","role":"user","content":[{"type":"input_text","text":`), text), "}]}"...)
}

// Written is what a model wrote down: all texts of an answer, whose output is
// given as items with commas between them.
func Written(output []byte) string {
	var all []string
	for e := range each(output) {
		if kindOf(e) != "message" {
			continue
		}
		for part, err := range jsonedit.Elements(jsonedit.Get(e, "content")) {
			if err != nil {
				break
			}
			if s, ok := jsonedit.Unquote(jsonedit.Get(part, "text")); ok && kindOf(part) == "output_text" && s != "" {
				all = append(all, s)
			}
		}
	}
	return strings.TrimSpace(strings.Join(all, "\n\n"))
}

// Capsule is the item that holds what was written down for scope. id is the
// response's; the item's is made of it.
func Capsule(s tape.Sealer, scope, id, written string) ([]byte, error) {
	sealed, err := s.Seal(written, sealedFor, scope)
	if err != nil {
		return nil, err
	}
	dst := jsonedit.Quote([]byte(`{"id":`), "cmp_"+strings.TrimPrefix(id, "resp_")+"_0")
	dst = append(dst, `,"type":"`+compaction+`","encrypted_content":"`+capsuleMark...)
	return append(base64.RawURLEncoding.AppendEncode(dst, sealed), `"}`...), nil
}

// Capsuled reports whether a body or a list of items may hold what Capsule
// made.
func Capsuled(v []byte) bool { return bytes.Contains(v, []byte(capsuleMark)) }

// ErrCapsule: what is sealed in an item was not sealed here, not for this
// client, or has been changed.
var ErrCapsule = errors.New("the encrypted content of an item of type compaction was sealed elsewhere, for another key, or has been changed")

// Unpack puts what was written down in the place of the items that hold it,
// for any model to read. Others stay as they are.
func Unpack(s tape.Sealer, scope string, items []byte) ([]byte, error) {
	if !Capsuled(items) {
		return items, nil
	}
	var dst []byte
	for e := range each(items) {
		if k := kindOf(e); k == compaction || k == "compaction_summary" {
			text, _ := jsonedit.Unquote(jsonedit.Get(e, "encrypted_content"))
			if raw, ok := strings.CutPrefix(text, capsuleMark); ok {
				sealed, err := base64.RawURLEncoding.DecodeString(raw)
				if err != nil {
					return nil, ErrCapsule
				}
				written, err := s.Open(sealed, sealedFor, scope)
				if err != nil {
					return nil, ErrCapsule
				}
				e = said(preface + written)
			}
		}
		dst = Join(dst, e)
	}
	return dst, nil
}

// maxQuoted bounds how much of what its user said a compacted conversation
// keeps word by word, in bytes.
const maxQuoted = 64 << 10

// Quoted are the messages of the user among items, the last ones as far as they
// are within a bound, as OpenAI leaves them beside what was written down.
func Quoted(items []byte, by string) []byte {
	var all [][]byte
	size := 0
	for e := range each(items) {
		if kind := kindOf(e); (kind == "message" || kind == "") && string(jsonedit.Get(e, "role")) == `"user"` {
			all = append(all, e)
			for size += len(e); size > maxQuoted && len(all) > 0; all = all[1:] {
				size -= len(all[0])
			}
		}
	}
	var dst []byte
	for e := range each(Identify(bytes.Join(all, []byte(",")), by)) {
		dst = Join(dst, told(e, ""))
	}
	return dst
}
