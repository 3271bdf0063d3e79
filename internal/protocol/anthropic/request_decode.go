package anthropic

import (
	"bytes"
	"encoding/json/jsontext"
	"fmt"
	"strconv"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// Members of nested objects that have no neutral name stand in the request's
// Extra under their own name behind one of these.
const (
	inMetadata = "metadata."
	inConfig   = "output_config."
	inFormat   = "output_config.format."
)

// DecodeRequest reads a request for a message, or for a count (spec: upstreams
// §1C.2, §1C.8).
func (*Codec) DecodeRequest(body []byte) (*llm.Request, error) {
	d := decoder{r: &llm.Request{Protocol: protocol.Anthropic}, doc: jsonedit.NewOutline(body)}
	for m, err := range d.doc.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Malformed, "%s", err)
		}
		d.member(m)
	}
	// Whatever the order of members, the prompt's head comes first, and a
	// choice is read once the tools are known.
	d.head()
	d.messages()
	d.choice()
	if d.err != nil {
		return nil, d.err
	}
	return d.r, nil
}

// decoder gathers a request, or the blocks of an answer. It keeps the first
// error.
type decoder struct {
	r   *llm.Request
	doc *jsonedit.Outline // of the request
	err *fault.Fault

	system, turns, chosen []byte
}

func (d *decoder) bad(param, format string, args ...any) {
	if d.err == nil {
		d.err = fault.New(fault.Malformed, "%s: %s", param, fmt.Sprintf(format, args...))
		d.err.Param = param
	}
}

func keep(x *llm.Extra, m jsonedit.Member) { x.Add(protocol.Anthropic, m.Name, m.Value) }

// keepIn keeps a member of a nested object among the request's own.
func (d *decoder) keepIn(prefix string, m jsonedit.Member) {
	name := append([]byte(prefix), m.Name...)
	d.r.Extra.Add(protocol.Anthropic, name, m.Value)
}

// member takes one top-level member. null is the same as absent everywhere.
func (d *decoder) member(m jsonedit.Member) {
	r, v := d.r, m.Value
	name := string(m.Name)
	if wire.Null(v) {
		return
	}
	switch name {
	case "model":
		r.Model = wire.Text(v)
	case "system":
		d.system = v
	case "messages":
		d.turns = v
	case "tools":
		r.Tools = append(make([]llm.Tool, 0, 8), r.Tools...)
		d.each(name, v, d.tool)
	case "mcp_servers":
		d.each(name, v, d.server)
	case "tool_choice":
		d.chosen = v
	case "max_tokens":
		if r.Sampling.MaxTokens = openaiwire.Whole(v); r.Sampling.MaxTokens == nil {
			d.bad(name, "it must be a whole number")
		}
	case "temperature":
		r.Sampling.Temperature = d.number(m)
	case "top_p":
		r.Sampling.TopP = d.number(m)
	case "top_k":
		r.Sampling.TopK = d.number(m)
	case "stop_sequences":
		r.Sampling.Stop = make([]llm.Text, 0, 4)
		d.each(name, v, func(path string, e []byte) {
			if e[0] != '"' {
				d.bad(path, "it must be a string")
				return
			}
			r.Sampling.Stop = append(r.Sampling.Stop, llm.Wire(e))
		})
	case "stream":
		r.Stream = string(v) == "true"
	case "thinking":
		d.thinking(v)
	case "output_config":
		d.config(v)
	case "output_format": // the name of the beta
		if !d.format(v) || r.Output.Extra.Protocol != "" {
			keep(&r.Extra, m)
			return
		}
		r.Output.Extra.Protocol = protocol.Anthropic // so that it is written back under it
	case "metadata":
		d.metadata(m)
	case "service_tier":
		if r.Tier = wire.Text(v); r.Tier == "" {
			keep(&r.Extra, m)
		}
	default:
		keep(&r.Extra, m)
	}
}

func (d *decoder) number(m jsonedit.Member) llm.Number {
	n := openaiwire.Number(m.Value)
	if n == "" {
		d.bad(string(m.Name), "it must be a number")
	}
	return n
}

// each calls f for the elements of the array v with the path of each.
func (d *decoder) each(path string, v []byte, f func(path string, e []byte)) {
	if v[0] != '[' {
		d.bad(path, "it must be an array")
		return
	}
	i := 0
	for e, err := range d.doc.Elements(v) {
		if err != nil {
			d.bad(path, "%s", err)
			return
		}
		f(path+"["+strconv.Itoa(i)+"]", e)
		i++
	}
}

func (d *decoder) metadata(m jsonedit.Member) {
	if m.Value[0] != '{' {
		keep(&d.r.Extra, m)
		return
	}
	for x := range wire.ObjectIn(d.doc, m.Value) {
		if t := openaiwire.String(x.Value); string(x.Name) == "user_id" && t.IsSet() {
			d.r.User = t
		} else if !wire.Null(x.Value) {
			d.keepIn(inMetadata, x)
		}
	}
}

// thinking takes how the model shall think. What has no neutral name stays in
// Reason.Extra, the type included.
func (d *decoder) thinking(v []byte) {
	q := &d.r.Reason
	if v[0] != '{' {
		d.bad("thinking", "it must be an object")
		return
	}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
			switch wire.Text(m.Value) {
			case "enabled":
				q.Mode = llm.ReasonBudget
			case "adaptive":
				q.Mode = llm.ReasonAuto
			case "disabled":
				q.Mode = llm.ReasonOff
			case "between_tools":
				q.Mode = llm.ReasonAuto
				keep(&q.Extra, m)
			default:
				keep(&q.Extra, m)
			}
		case "budget_tokens":
			n := openaiwire.Whole(m.Value)
			if n == nil {
				d.bad("thinking.budget_tokens", "it must be a whole number")
				return
			}
			q.Budget = *n
		case "display":
			switch wire.Text(m.Value) {
			case "summarized":
				q.Show = llm.ShowSummary
			case "omitted":
				q.Show = llm.ShowNone
			default:
				q.Show = llm.ShowSummary
				keep(&q.Extra, m)
			}
		default:
			keep(&q.Extra, m)
		}
	}
	if q.Mode == llm.ReasonBudget && q.Budget == 0 { // copies of the protocol need no number
		q.Mode = llm.ReasonAuto
		keep(&q.Extra, jsonedit.Member{Name: []byte("type"), Value: []byte(`"enabled"`)})
	}
}

func (d *decoder) config(v []byte) {
	if v[0] != '{' {
		d.bad("output_config", "it must be an object")
		return
	}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "effort":
			d.r.Reason.Effort = wire.Text(m.Value)
		case "format":
			if !d.format(m.Value) {
				d.keepIn(inConfig, m)
			}
		default:
			d.keepIn(inConfig, m)
		}
	}
}

// format takes the form of the answer, unless it is of an unknown kind or
// there is one already.
func (d *decoder) format(v []byte) bool {
	o := &d.r.Output
	if o.Kind != llm.OutputUnset || wire.Text(d.doc.Get(v, "type")) != "json_schema" {
		return false
	}
	o.Kind = llm.OutputSchema
	for m := range wire.ObjectIn(d.doc, v) {
		switch {
		case string(m.Name) == "type" || wire.Null(m.Value):
		case string(m.Name) == "schema":
			o.Schema = jsontext.Value(m.Value)
		default:
			d.keepIn(inFormat, m)
		}
	}
	return true
}

// head reads the system prompt: one message, whose text is a string or blocks.
func (d *decoder) head() {
	if wire.Null(d.system) {
		return
	}
	parts := d.content("system", d.system)
	for i, p := range parts {
		if t, ok := p.(*llm.Prose); ok && t.Extra.Protocol != "" && isAttribution(t.Text) {
			parts[i] = attribution(t)
		}
	}
	d.r.Messages = append(make([]llm.Message, 0, 8), llm.Message{Role: llm.System, Parts: parts})
}

// attributionKind is the kind of the Opaque that attribution makes.
const attributionKind = "attribution"

// isAttribution reports whether t is the first block of Claude Code's system
// prompt, which bills the request and is no instruction. It changes from one
// version to the next, and nobody but Anthropic must see it, or the other
// upstream's prompt cache would find nothing (spec: translation-traps A42).
func isAttribution(t llm.Text) bool {
	const mark = "x-anthropic-billing-header:"
	return string(t.Head(len(mark))) == mark
}

// attribution makes of such a block a part that only this protocol writes.
func attribution(t *llm.Prose) *llm.Opaque {
	raw := appendProse(nil, t)
	if t.Cache != nil {
		raw = appendBreakpoint(raw, t.Cache, t.Cache.TTL)
	}
	return &llm.Opaque{Protocol: protocol.Anthropic, Kind: attributionKind, Raw: append(t.Extra.AppendTo(raw, protocol.Anthropic), '}')}
}

var roles = map[string]llm.Role{"system": llm.System, "user": llm.User, "assistant": llm.Assistant}

func (d *decoder) messages() {
	if wire.Null(d.turns) {
		return
	}
	if d.r.Messages == nil {
		d.r.Messages = make([]llm.Message, 0, 8)
	}
	d.each("messages", d.turns, func(path string, e []byte) {
		if e[0] != '{' {
			d.bad(path, "it must be an object")
			return
		}
		d.r.Messages = append(d.r.Messages, d.message(path, e))
	})
}

// message reads one turn. The Extra of an instruction that stands among the
// turns names the protocol even if it is empty, which tells it from the system
// prompt.
func (d *decoder) message(path string, v []byte) (out llm.Message) {
	var role []byte
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "role":
			role = m.Value
		case "content":
			out.Parts = d.content(path+".content", m.Value)
		default:
			if !wire.Null(m.Value) {
				keep(&out.Extra, m)
			}
		}
	}
	var ok bool
	if out.Role, ok = roles[wire.Text(role)]; !ok {
		d.bad(path+".role", "%s is none of user, assistant and system", bytes.TrimSpace(role))
	}
	if out.Role == llm.System {
		out.Extra.Protocol = protocol.Anthropic
	}
	return out
}
