package anthropic

import (
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
)

// whole writes a part that comes in one piece.
func (s *streamEncoder) whole(dst []byte, e *llm.Event, p *part) []byte {
	w := s.shape(e.Part, e.What)
	if w == nil {
		return dst
	}
	s.calls = s.calls || isCall(w)
	v := appendPart(nil, w, s.id, e.Part)
	p.what, p.closed = w, true
	s.written += int64(len(v))
	if s.busy() {
		p.waits, p.block = true, v
		s.queue = append(s.queue, e.Part)
		return s.hold(dst, len(v))
	}
	return s.emit(s.stop(dst), v)
}

// emit writes the events of a block that is known whole: what clients gather
// from deltas comes in one delta (spec: translation-traps B21, C30).
func (s *streamEncoder) emit(dst, v []byte) []byte {
	dst = s.head(dst)
	switch kind := wire.Text(jsonedit.Get(v, "type")); kind {
	case "text":
		dst = append(with(dst, v, "text", `""`, "citations", ""), "}\n\n"...)
		if t := jsonedit.Get(v, "text"); wire.StringLen(t) > 0 {
			dst = append(append(s.delta(dst, textDelta), t[1:len(t)-1]...), endString...)
		}
		if list := jsonedit.Get(v, "citations"); len(list) > 0 && list[0] == '[' {
			for c, err := range jsonedit.Elements(list) {
				if err == nil {
					dst = append(append(s.delta(dst, citationsDelta), c...), "}}\n\n"...)
				}
			}
		}
	case "thinking":
		dst = append(with(dst, v, "thinking", `""`, "signature", `""`), "}\n\n"...)
		if t := jsonedit.Get(v, "thinking"); wire.StringLen(t) > 0 {
			dst = append(append(s.delta(dst, thinkingDelta), t[1:len(t)-1]...), endString...)
		}
		if t := jsonedit.Get(v, "signature"); wire.StringLen(t) > 0 {
			dst = append(append(s.delta(dst, signatureDelta), t[1:len(t)-1]...), endString...)
		}
	case "tool_use", "server_tool_use", "mcp_tool_use":
		dst = append(with(dst, v, "input", "{}", "", ""), "}\n\n"...)
		if in := jsonedit.Get(v, "input"); !wire.Empty(in) {
			dst = append(llm.PlainBytes(in).AppendInner(s.delta(dst, inputDelta)), endString...)
		}
	case "compaction":
		dst = append(with(dst, v, "content", "null", "encrypted_content", ""), "}\n\n"...)
		dst = s.delta(dst, `compaction_delta"`)
		for _, name := range []string{"content", "encrypted_content"} {
			if t := jsonedit.Get(v, name); t != nil {
				dst = jsonw.Raw(dst, name, t)
			}
		}
		dst = append(dst, "}}\n\n"...)
	default:
		dst = append(append(dst, v...), "}\n\n"...)
	}
	dst = append(dst, "event: content_block_stop\ndata: "...)
	dst = jsonw.Int(append(dst, `{"type":"content_block_stop"`...), "index", s.next-1)
	return append(dst, "}\n\n"...)
}

// with appends the object v in which two members have other values; one with
// the value "" is left out.
func with(dst, v []byte, name, value, name2, value2 string) []byte {
	dst = append(dst, '{')
	for m := range wire.Object(v) {
		to := string(m.Value)
		switch string(m.Name) {
		case name:
			to = value
		case name2:
			to = value2
		}
		if to != "" {
			dst = jsonw.Raw(dst, string(m.Name), []byte(to))
		}
	}
	return append(dst, '}')
}
