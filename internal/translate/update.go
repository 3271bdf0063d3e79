package translate

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// Two protocols change settings in mid-conversation: OpenAI's Responses by an
// item (configuration_update), Anthropic's by a member of an instruction
// (output_config). Elsewhere they hold for the whole request, so that the one
// that was set last is what the next turn is asked with (spec: upstreams §1B.2,
// §1C.3).

const lastEffort = "moved: the effort that was set last holds for the whole request"

// updates takes the effort that was set last in the conversation.
func (d *draft) updates() {
	for i := range d.Messages {
		m := &d.Messages[i]
		if d.Protocol == protocol.Anthropic && m.Extra.Protocol == protocol.Anthropic {
			d.effort(effortIn(memberOf(m.Extra, "output_config"), "effort"))
			continue
		}
		for j, p := range m.Parts {
			o, ok := p.(*llm.Opaque)
			if !ok || o.Kind != "configuration_update" || o.Protocol != protocol.OpenAIResponses {
				continue
			}
			if d.effort(effortIn(jsonedit.Get(o.Raw, "reasoning"), "effort")) {
				d.lose(at(i, j)+".reasoning.effort", lastEffort)
			}
			if v := jsonedit.Get(o.Raw, "text"); !wire.Empty(v) {
				d.lose(at(i, j)+".text", "dropped: the form of an answer cannot be changed in mid-conversation")
			}
			m.Parts[j] = nil
		}
		m.Parts = slices.DeleteFunc(m.Parts, func(p llm.Part) bool { return p == nil })
	}
	if d.Protocol == protocol.OpenAIResponses {
		d.Messages = slices.DeleteFunc(d.Messages, func(m llm.Message) bool { return m.Role == llm.Assistant && len(m.Parts) == 0 })
	}
}

// effort sets an effort, and reports whether there is one.
func (d *draft) effort(e string) bool {
	switch {
	case e == "":
		return false
	case e == "none":
		d.Reason.Mode, d.Reason.Effort = llm.ReasonOff, ""
	case d.Protocol == protocol.Anthropic: // which has an effort beside any mode
		d.Reason.Effort = e
	default:
		d.Reason.Mode, d.Reason.Effort = llm.ReasonEffort, e
	}
	return true
}

func effortIn(v []byte, name string) string {
	if len(v) == 0 || v[0] != '{' {
		return ""
	}
	return wire.Text(jsonedit.Get(v, name))
}

// memberOf is the value of a member of x, nil if there is none.
func memberOf(x llm.Extra, name string) []byte {
	if len(x.Members) == 0 {
		return nil
	}
	return jsonedit.Get(append(append([]byte{'{'}, x.Members...), '}'), name)
}

// OpenAI's two protocols share members that no other knows: moderation, which
// has a request checked, and what is said of the prompt cache beside its
// breakpoints (spec: upstreams §1A.1, §1B.1).
const (
	moderation   = "moderation"
	cacheOptions = "prompt_cache_options"
)

// kin carries what OpenAI's two protocols share, if the upstream is OpenAI
// itself.
func (d *draft) kin(body []byte) []byte {
	if d.home || !d.to.Fit.Native || !isOpenAI(d.Protocol) || !isOpenAI(d.b.upstream.Name()) {
		return body
	}
	if v := memberOf(d.Extra, moderation); v != nil {
		if out, err := jsonedit.Set(body, moderation, v); err == nil {
			body, d.shared = out, true
		}
	}
	if v := d.cacheOptions(); v != nil && openaiwire.TakesBreakpoints(d.to.Fit) {
		if out, err := jsonedit.Set(body, cacheOptions, v); err == nil {
			body = out
		}
	}
	return body
}

// cacheOptions are those that the upstream's protocol knows; chats know no more
// than the mode, and half an hour.
func (d *draft) cacheOptions() []byte {
	v := memberOf(d.Extra, cacheOptions)
	if len(v) == 0 || v[0] != '{' || d.b.upstream.Name() == protocol.OpenAIResponses {
		return v
	}
	out := []byte{'{'}
	for m := range wire.Object(v) {
		if name := string(m.Name); name == "mode" || name == "ttl" && string(m.Value) == `"30m"` {
			out = jsonw.Raw(out, name, m.Value)
		}
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '}')
}

func isOpenAI(proto string) bool {
	return proto == protocol.OpenAIChat || proto == protocol.OpenAIResponses
}

// mended are the losses of a request as its client knows the places: the servers
// of tools that a client of Anthropic's lists apart are tools in the neutral
// language, and stand before the others or behind them.
func mended(r *llm.Request, losses []llm.Loss) []llm.Loss {
	if r.Protocol != protocol.Anthropic || !slices.ContainsFunc(r.Tools, listedApart) {
		return losses
	}
	for i := range losses {
		rest, ok := strings.CutPrefix(losses[i].Path, "tools[")
		number, rest, closed := strings.Cut(rest, "]")
		n, err := strconv.Atoi(number)
		if !ok || !closed || err != nil || n >= len(r.Tools) {
			continue
		}
		list, before := "tools", 0
		if listedApart(r.Tools[n]) {
			list = "mcp_servers"
		}
		for _, t := range r.Tools[:n] {
			if listedApart(t) == (list == "mcp_servers") {
				before++
			}
		}
		losses[i].Path = list + "[" + strconv.Itoa(before) + "]" + rest
	}
	return losses
}

// listedApart reports whether t is an entry of Anthropic's mcp_servers.
func listedApart(t llm.Tool) bool {
	return t.Kind == llm.Server && t.Server == "mcp" && t.Extra.Protocol == protocol.Anthropic && wire.Text(jsonedit.Get(t.Config, "type")) != "mcp_toolset"
}
