package openaichat

import (
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

// DecodeRequest reads a chat request (spec: upstreams §1A.1).
func (*Codec) DecodeRequest(body []byte) (*llm.Request, error) {
	r := &llm.Request{Protocol: protocol.OpenAIChat}
	d := decoder{r: r, doc: jsonedit.NewOutline(body)}
	for m, err := range d.doc.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Malformed, "%s", err)
		}
		d.member(m)
	}
	if d.err != nil {
		return nil, d.err
	}
	if d.reasoning != nil && r.Reason.Mode == llm.ReasonUnset {
		d.reasonObject(d.reasoning)
	}
	return r, nil
}

// decoder gathers a request. It keeps the first error.
type decoder struct {
	r         *llm.Request
	doc       *jsonedit.Outline // of the request
	err       *fault.Fault
	reasoning []byte // OpenRouter's object
}

func (d *decoder) bad(param, format string, args ...any) {
	if d.err == nil {
		d.err = fault.New(fault.Malformed, "%s: %s", param, fmt.Sprintf(format, args...))
		d.err.Param = param
	}
}

func (d *decoder) keep(x *llm.Extra, m jsonedit.Member) { x.Add(protocol.OpenAIChat, m.Name, m.Value) }

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
	case "messages":
		d.messages(v)
	case "tools":
		d.each(name, v, d.tool)
	case "functions":
		d.each(name, v, d.function)
	case "tool_choice":
		d.choice(v)
	case "function_call":
		d.functionChoice(v)
	case "parallel_tool_calls":
		r.Parallel = openaiwire.Bool(v)
	case "max_completion_tokens":
		r.Sampling.MaxTokens = openaiwire.Whole(v)
	case "max_tokens": // the old name; the new one wins
		if r.Sampling.MaxTokens == nil {
			r.Sampling.MaxTokens = openaiwire.Whole(v)
		}
	case "temperature":
		r.Sampling.Temperature = openaiwire.Number(v)
	case "top_p":
		r.Sampling.TopP = openaiwire.Number(v)
	case "top_k":
		r.Sampling.TopK = openaiwire.Number(v)
	case "frequency_penalty":
		r.Sampling.Frequency = openaiwire.Number(v)
	case "presence_penalty":
		r.Sampling.Presence = openaiwire.Number(v)
	case "seed":
		r.Sampling.Seed = openaiwire.Number(v)
	case "n":
		if n, ok := jsonedit.Int(v); ok {
			r.Sampling.N = int(min(n, 1<<16))
		}
	case "logprobs":
		if b := openaiwire.Bool(v); b != nil {
			r.Sampling.Logprobs = *b
		}
	case "top_logprobs":
		if n, ok := jsonedit.Int(v); ok {
			r.Sampling.TopLogprobs = int(min(n, 1<<16))
		}
	case "logit_bias":
		if !wire.Empty(v) {
			r.Sampling.LogitBias = jsontext.Value(v)
		}
	case "stop":
		if v[0] == '"' {
			r.Sampling.Stop = []llm.Text{llm.Wire(v)}
			return
		}
		d.each(name, v, func(_ string, e []byte) {
			if e[0] == '"' {
				r.Sampling.Stop = append(r.Sampling.Stop, llm.Wire(e))
			}
		})
	case "reasoning_effort":
		d.effort(wire.Text(v))
	case "reasoning":
		d.reasoning = v
	case "response_format":
		d.format(v)
	case "verbosity":
		r.Output.Verbosity = wire.Text(v)
	case "modalities":
		d.each(name, v, func(_ string, e []byte) { r.Output.Modalities = append(r.Output.Modalities, wire.Text(e)) })
	case "audio":
		r.Output.Audio = jsontext.Value(v)
		r.Output.Extra.Protocol = protocol.OpenAIChat
	case "prompt_cache_key":
		r.Cache.Key = wire.Text(v)
	case "prompt_cache_retention":
		r.Cache.Retention = wire.Text(v)
	case "stream":
		r.Stream = string(v) == "true"
	case "stream_options":
		d.streamOptions(v)
	case "user":
		if !r.User.IsSet() {
			r.User = openaiwire.String(v)
		}
	case "safety_identifier":
		r.User = openaiwire.String(v)
	case "service_tier":
		r.Tier = wire.Text(v)
	case "store":
		r.Store = openaiwire.Bool(v)
	case "metadata":
		r.Metadata = jsontext.Value(v)
	case "web_search_options":
		r.Tools = append(r.Tools, llm.Tool{Kind: llm.Server, Server: "web_search", Config: jsontext.Value(v), Extra: llm.Extra{Protocol: protocol.OpenAIChat}})
	default:
		d.keep(&r.Extra, m)
	}
}

func (d *decoder) streamOptions(v []byte) {
	for m := range wire.ObjectIn(d.doc, v) {
		if string(m.Name) == "include_usage" {
			d.r.StreamUsage = string(m.Value) == "true"
		}
	}
}

// effort takes reasoning_effort; "none" means off.
func (d *decoder) effort(s string) {
	if s == "none" {
		d.r.Reason.Mode = llm.ReasonOff
		return
	}
	if s != "" {
		d.r.Reason.Mode, d.r.Reason.Effort = llm.ReasonEffort, s
	}
}

// reasonObject takes OpenRouter's reasoning object: effort, max_tokens,
// enabled, exclude.
func (d *decoder) reasonObject(v []byte) {
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "effort":
			d.effort(wire.Text(m.Value))
		case "max_tokens":
			if n := openaiwire.Whole(m.Value); n != nil {
				d.r.Reason.Mode, d.r.Reason.Budget = llm.ReasonBudget, *n
			}
		case "enabled":
			if string(m.Value) == "true" && d.r.Reason.Mode == llm.ReasonUnset {
				d.r.Reason.Mode = llm.ReasonAuto
			} else if string(m.Value) == "false" {
				d.r.Reason.Mode = llm.ReasonOff
			}
		case "exclude":
			if string(m.Value) == "true" {
				d.r.Reason.Show = llm.ShowNone
			}
		default:
			d.keep(&d.r.Reason.Extra, m)
		}
	}
}

func (d *decoder) format(v []byte) {
	o := &d.r.Output
	switch wire.Text(d.doc.Get(v, "type")) {
	case "text":
		o.Kind = llm.OutputText
	case "json_object":
		o.Kind = llm.OutputJSON
	case "json_schema":
		o.Kind = llm.OutputSchema
		for m := range wire.ObjectIn(d.doc, d.doc.Get(v, "json_schema")) {
			if wire.Null(m.Value) {
				continue
			}
			switch string(m.Name) {
			case "name":
				o.Name = wire.Text(m.Value)
			case "description":
				o.Description = openaiwire.String(m.Value)
			case "schema":
				o.Schema = jsontext.Value(m.Value)
			case "strict":
				o.Strict = openaiwire.Bool(m.Value)
			default:
				d.keep(&o.Extra, m)
			}
		}
	default:
		d.keep(&d.r.Extra, jsonedit.Member{Name: []byte("response_format"), Value: v})
	}
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

func (d *decoder) tool(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	t := llm.Tool{}
	var inner []byte
	kind := wire.Text(d.doc.Get(v, "type"))
	if kind == "" && d.doc.Get(v, "function") != nil { // Mistral's SDK leaves the type out
		kind = "function"
	}
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "type":
		case "cache_control", "prompt_cache_breakpoint":
			t.Cache = breakpoint(m)
		case kind:
			inner = m.Value
		default: // beside the wrapper
			d.keep(&t.Extra, jsonedit.Member{Name: append([]byte("beside."), m.Name...), Value: m.Value})
		}
	}
	switch kind {
	case "function", "":
		if inner == nil { // some clients leave the wrapper out
			inner = v
			t.Extra = llm.Extra{}
		}
		d.definition(&t, inner)
	case "custom":
		t.Kind = llm.Custom
		d.definition(&t, inner)
	default:
		t.Kind, t.Server, t.Config = llm.Server, kind, jsontext.Value(v)
		t.Extra = llm.Extra{Protocol: protocol.OpenAIChat}
	}
	d.r.Tools = append(d.r.Tools, t)
}

// function takes an entry of the deprecated functions.
func (d *decoder) function(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	t := llm.Tool{}
	d.definition(&t, v)
	d.r.Tools = append(d.r.Tools, t)
}

func (d *decoder) definition(t *llm.Tool, v []byte) {
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "name":
			t.Name = wire.Text(m.Value)
		case "description":
			t.Description = openaiwire.String(m.Value)
		case "parameters":
			t.Schema = jsontext.Value(m.Value)
		case "strict":
			t.Strict = openaiwire.Bool(m.Value)
		case "format":
			t.Format = jsontext.Value(m.Value)
		case "type":
		default:
			d.keep(&t.Extra, m)
		}
	}
}

func (d *decoder) choice(v []byte) {
	c := &d.r.Choice
	if v[0] == '"' {
		switch wire.Text(v) {
		case "auto":
			c.Mode = llm.ChoiceAuto
		case "none":
			c.Mode = llm.ChoiceNone
		case "required", "any":
			c.Mode = llm.ChoiceRequired
		default:
			d.bad("tool_choice", "%s is none of auto, none and required", v)
		}
		return
	}
	switch kind := wire.Text(d.doc.Get(v, "type")); kind {
	case "function", "custom", "":
		c.Mode, c.Tools = llm.ChoiceNamed, []llm.ToolRef{toolRef(v)}
	case "allowed_tools":
		in := d.doc.Get(v, "allowed_tools")
		c.Mode, c.Must = llm.ChoiceAllowed, wire.Text(d.doc.Get(in, "mode")) == "required"
		if list := d.doc.Get(in, "tools"); len(list) > 0 && list[0] == '[' {
			d.each("tool_choice.allowed_tools.tools", list, func(_ string, e []byte) { c.Tools = append(c.Tools, toolRef(e)) })
		}
	case "auto", "none", "required", "any": // Anthropic's habit
		d.choice(jsonedit.Quote(nil, kind))
	default:
		c.Mode, c.Tools = llm.ChoiceNamed, []llm.ToolRef{{Kind: llm.Server, Name: kind}}
	}
}

func toolRef(v []byte) llm.ToolRef {
	if c := jsonedit.Get(v, "custom"); c != nil {
		return llm.ToolRef{Kind: llm.Custom, Name: wire.Text(jsonedit.Get(c, "name"))}
	}
	if f := jsonedit.Get(v, "function"); f != nil {
		return llm.ToolRef{Name: wire.Text(jsonedit.Get(f, "name"))}
	}
	return llm.ToolRef{Name: wire.Text(jsonedit.Get(v, "name"))}
}

func (d *decoder) functionChoice(v []byte) {
	if v[0] == '{' {
		d.r.Choice = llm.Choice{Mode: llm.ChoiceNamed, Tools: []llm.ToolRef{{Name: wire.Text(d.doc.Get(v, "name"))}}}
		return
	}
	d.choice(v)
}

// breakpoint reads Anthropic's cache_control, which chat clients send as an
// extension, and OpenAI's own prompt_cache_breakpoint.
func breakpoint(m jsonedit.Member) *llm.Breakpoint {
	b := &llm.Breakpoint{}
	own := string(m.Name) == "prompt_cache_breakpoint"
	for x := range wire.Object(m.Value) {
		switch string(x.Name) {
		case "ttl":
			b.TTL = wire.Text(x.Value)
		case "mode", "type":
		default:
			b.Extra.Add(protocol.OpenAIChat, x.Name, x.Value)
		}
	}
	if own { // so that it is written back under its own name
		b.Extra.Protocol = protocol.OpenAIChat
	}
	return b
}
