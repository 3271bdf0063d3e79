package translate

import (
	"encoding/json/v2"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// stateful is the refusal of a request whose conversation is not in it but on a
// server of the client's own vendor. Without it the answer would be one to
// another question (spec: translation-traps E14, E15).
func stateful(r *llm.Request) *fault.Fault {
	refuse := func(param, code, format string, args ...any) *fault.Fault {
		f := fault.New(fault.Unsupported, format, args...)
		f.Param, f.Code = param, code
		return f
	}
	if r.Previous != "" {
		return refuse("previous_response_id", "previous_response_not_found", "the response %q is not stored where this request goes, which is another protocol's upstream; send the whole conversation", r.Previous)
	}
	if r.Cache.Content != "" {
		return refuse("cachedContent", "", "the cached content %q is at Google, and this request goes to another vendor", r.Cache.Content)
	}
	if r.Protocol == protocol.Anthropic && continues(r.Extra) {
		f := refuse("thread", "thread_not_found", "the thread that this request continues is not stored where it goes, which is another protocol's upstream; send the whole conversation")
		f.Class, f.Status = fault.BadRequest, 404
		return f
	}
	if r.Protocol == protocol.Anthropic && memberOf(r.Extra, "compaction") != nil {
		return refuse("compaction", "unsupported_parameter", "only Anthropic writes a conversation down when compaction asks for it, and this request goes to another vendor; ask for a summary in words")
	}
	if r.Protocol != protocol.OpenAIResponses {
		return nil
	}
	for _, name := range r.Extra.Names() {
		if name == "conversation" || name == "prompt" {
			return refuse(name, "unsupported_parameter", "%s is stored at OpenAI, and this request goes to another vendor; send what it holds", name)
		}
	}
	for i := range r.Messages {
		for _, p := range r.Messages[i].Parts {
			if o, ok := p.(*llm.Opaque); ok && o.Protocol == protocol.OpenAIResponses && stored[o.Kind] {
				return refuse("input["+strconv.Itoa(i)+"]", "unsupported_parameter", "only OpenAI can read an item of type %s, and this request goes to another vendor", o.Kind)
			}
		}
	}
	return nil
}

// continues reports whether a request for Anthropic goes on with a thread that
// Anthropic keeps, of which it holds the last messages only. Its SDKs send the
// whole conversation when they are told that there is no such thread (source:
// the ThreadState of Anthropic's TypeScript SDK).
func continues(x llm.Extra) bool {
	obj := append(append([]byte{'{'}, x.Members...), '}')
	var kind string
	raw := jsonedit.Get(jsonedit.Get(obj, "thread"), "type")
	return raw != nil && json.Unmarshal(raw, &kind) == nil && kind == "continue"
}

// stored are items that stand for a part of the conversation without holding
// it, or have it made one.
var stored = map[string]bool{"item_reference": true, "compaction": true, "compaction_summary": true, "compaction_trigger": true}

// quiet are members of one protocol that change nothing in an answer: what they
// ask of another need not be told (spec: clients §2.12).
var quiet = map[string]bool{
	"client_metadata": true, "eager_input_streaming": true, "id": true, "status": true, "message.id": true, "message.status": true,
	"message.type": true, "message.internal_chat_message_metadata_passthrough": true, "type": true, "namespace.description": true, "include_obfuscation": true, "stream_options": true, "prompt_cache_options": true, "safeguards": true,
	"diagnostics": true, "labels": true, "index": true, "internal_chat_message_metadata_passthrough": true, "object": true, "created_by": true,
}

// foreign is what only the client's protocol knows of r.
func foreign(r *llm.Request, upstream string) (out []llm.Loss) {
	for _, l := range llm.Foreign(r, upstream) {
		name := l.Path
		if i := strings.LastIndexByte(name, ']'); i >= 0 {
			name = strings.TrimPrefix(name[i+1:], ".")
		}
		switch {
		case quiet[name]:
			continue
		case r.Protocol == protocol.Anthropic && strings.HasSuffix(l.Path, "].output_config"):
			l.Why = lastEffort
		}
		out = append(out, l)
	}
	return out
}
