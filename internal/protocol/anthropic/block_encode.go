package anthropic

import (
	"bytes"
	"encoding/json/jsontext"
	"iter"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// What a block is written of, for requests and answers alike. Blocks are left
// open at their end, for the members that only one of the two has.

// appendProse appends a text block without citations.
func appendProse(dst []byte, p *llm.Prose) []byte {
	return jsonw.Text(append(dst, `{"type":"text"`...), "text", p.Text)
}

// appendThought appends a thinking block, or a redacted one.
func appendThought(dst []byte, t *llm.Thought) []byte {
	if t.Redacted {
		return jsonw.Text(append(dst, `{"type":"redacted_thinking"`...), "data", t.Seal.Data)
	}
	dst = jsonw.Text(append(dst, `{"type":"thinking"`...), "thinking", t.Text)
	var signature llm.Text
	if t.Seal != nil {
		signature = t.Seal.Data
	}
	return jsonw.Text(dst, "signature", signature)
}

// appendCall appends a tool_use block up to its input.
func appendCall(dst []byte, id, name string) []byte {
	dst = jsonw.String(append(dst, `{"type":"tool_use"`...), "id", id)
	return jsonw.Name(jsonw.String(dst, "name", name), "input")
}

// appendServerCall appends a block for a tool that the upstream ran, up to its
// input. Its name is the protocol's own, which stands in Extra where the
// neutral one is another.
func appendServerCall(dst []byte, c *llm.ServerCall) []byte {
	kind := "server_tool_use"
	if c.Name == "mcp" {
		kind = "mcp_tool_use"
	}
	dst = jsonw.String(jsonw.String(append(dst, '{'), "type", kind), "id", c.ID)
	if jsonedit.Get(object(c.Extra), "name") == nil {
		dst = jsonw.String(dst, "name", c.Name)
	}
	return jsonw.Name(c.Extra.AppendTo(dst, protocol.Anthropic), "input")
}

// inputOf is the input of a hosted tool, which must be there.
func inputOf(c *llm.ServerCall) []byte {
	if len(c.Input) == 0 {
		return []byte("{}")
	}
	return c.Input
}

// object is x as an object of its own.
func object(x llm.Extra) []byte { return append(append([]byte{'{'}, x.Members...), '}') }

// members yields the members of x.
func members(x llm.Extra) iter.Seq[jsonedit.Member] {
	if len(x.Members) == 0 {
		return func(func(jsonedit.Member) bool) {}
	}
	return wire.Object(object(x))
}

// nested appends those members of x whose names begin with prefix, without it,
// but for those that lie in but, which may be "".
func nested(dst []byte, x llm.Extra, prefix, but string) []byte {
	if x.Protocol != protocol.Anthropic {
		return dst
	}
	for m := range members(x) {
		name, ok := bytes.CutPrefix(m.Name, []byte(prefix))
		if ok && (but == "" || !bytes.HasPrefix(m.Name, []byte(but))) {
			dst = jsonw.Raw(dst, string(name), m.Value)
		}
	}
	return dst
}

// appendBreakpoint appends a cache_control that lasts ttl, "" for the default.
func appendBreakpoint(dst []byte, b *llm.Breakpoint, ttl string) []byte {
	dst = append(jsonw.Name(dst, "cache_control"), '{')
	if b.Extra.Protocol != protocol.Anthropic || jsonedit.Get(object(b.Extra), "type") == nil {
		dst = jsonw.String(dst, "type", "ephemeral")
	}
	if ttl != "" {
		dst = jsonw.String(dst, "ttl", ttl)
	}
	return append(b.Extra.AppendTo(dst, protocol.Anthropic), '}')
}

// appendCitation appends a citation. One of another protocol becomes one of a
// web search, the only kind that has a URL; span is the text that it is about,
// in case it does not say what it quotes. encrypted_index must be there, and
// empty it says that there is no search of Anthropic's behind it.
func appendCitation(dst []byte, c *llm.Citation, span llm.Text) []byte {
	if c.Extra.Protocol == protocol.Anthropic {
		return append(append(append(dst, '{'), c.Extra.Members...), '}')
	}
	if c.Quote.IsSet() {
		span = c.Quote
	}
	dst = jsonw.Text(append(dst, `{"type":"web_search_result_location"`...), "cited_text", span)
	dst = jsonw.String(dst, "url", c.URL)
	if c.Title == "" {
		dst = append(dst, `,"title":null`...)
	} else {
		dst = jsonw.String(dst, "title", c.Title)
	}
	return append(dst, `,"encrypted_index":""}`...)
}

// sound reports whether v is JSON, and whether it is an object.
func sound(v []byte) (json, object bool) {
	json = len(v) > 0 && jsontext.Value(v).IsValid(jsontext.AllowDuplicateNames(true))
	return json, json && v[0] == '{'
}
