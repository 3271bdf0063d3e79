package openairesponses

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

// DecodeRequest reads a request (spec: upstreams §1B.1).
func (*Codec) DecodeRequest(body []byte) (*llm.Request, error) {
	r := &llm.Request{Protocol: protocol.OpenAIResponses}
	d := decoder{r: r, doc: jsonedit.NewOutline(body)}
	var input, instructions []byte
	for m, err := range d.doc.Members(body) {
		if err != nil {
			return nil, fault.New(fault.Malformed, "%s", err)
		}
		switch string(m.Name) {
		case "input":
			input = m.Value
		case "instructions":
			instructions = m.Value
		default:
			d.member(m)
		}
	}
	if t := openaiwire.String(instructions); t.IsSet() {
		// The mark tells this instruction from one that stood in the input.
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: []llm.Part{&llm.Prose{Text: t}}, Extra: llm.Extra{Protocol: protocol.OpenAIResponses}})
	}
	d.input(input)
	if d.err != nil {
		return nil, d.err
	}
	return r, nil
}

// decoder gathers a request. It keeps the first error.
type decoder struct {
	r   *llm.Request
	doc *jsonedit.Outline // of the request
	err *fault.Fault

	odds []byte // of an answer: the log probabilities of its texts, with commas between
}

func (d *decoder) bad(param, format string, args ...any) {
	if d.err == nil {
		d.err = fault.New(fault.Malformed, "%s: %s", param, fmt.Sprintf(format, args...))
		d.err.Param = param
	}
}

func (d *decoder) keep(x *llm.Extra, m jsonedit.Member) {
	x.Add(protocol.OpenAIResponses, m.Name, m.Value)
}

// each calls f for the elements of the array v with the path of each.
func (d *decoder) each(path string, v []byte, f func(path string, e []byte)) {
	if len(v) == 0 || v[0] != '[' {
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

// member takes one top-level member. null is the same as absent.
func (d *decoder) member(m jsonedit.Member) {
	r, v, name := d.r, m.Value, string(m.Name)
	if wire.Null(v) {
		return
	}
	switch name {
	case "model":
		r.Model = wire.Text(v)
	case "tools":
		d.each(name, v, func(path string, e []byte) { d.tool(path, "", e) })
	case "tool_choice":
		d.choice(v)
	case "parallel_tool_calls":
		r.Parallel = openaiwire.Bool(v)
	case "max_output_tokens":
		r.Sampling.MaxTokens = openaiwire.Whole(v)
	case "temperature":
		r.Sampling.Temperature = openaiwire.Number(v)
	case "top_p":
		r.Sampling.TopP = openaiwire.Number(v)
	case "top_logprobs":
		if n, ok := jsonedit.Int(v); ok && n > 0 {
			r.Sampling.Logprobs, r.Sampling.TopLogprobs = true, int(min(n, 1<<16))
		}
	case "reasoning":
		d.reason(v)
	case "text":
		d.text(v)
	case "include":
		d.include(m)
	case "prompt_cache_key":
		r.Cache.Key = wire.Text(v)
	case "prompt_cache_retention":
		r.Cache.Retention = wire.Text(v)
	case "stream":
		r.Stream = string(v) == "true"
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
	case "previous_response_id":
		r.Previous = wire.Text(v)
	default:
		d.keep(&r.Extra, m)
	}
}

func (d *decoder) reason(v []byte) {
	q := &d.r.Reason
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "effort":
			if e := wire.Text(m.Value); e == "none" {
				q.Mode = llm.ReasonOff
			} else {
				q.Mode, q.Effort = llm.ReasonEffort, e
			}
		case "summary", "generate_summary":
			q.Show = llm.ShowSummary
			if s := wire.Text(m.Value); s != "auto" {
				d.keep(&q.Extra, jsonedit.Member{Name: []byte("summary"), Value: m.Value})
			}
		default:
			d.keep(&q.Extra, m)
		}
	}
}

func (d *decoder) text(v []byte) {
	o := &d.r.Output
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "verbosity":
			o.Verbosity = wire.Text(m.Value)
		case "format":
			d.format(m.Value)
		default:
			d.keep(&d.r.Extra, jsonedit.Member{Name: append([]byte("text."), m.Name...), Value: m.Value})
		}
	}
}

func (d *decoder) format(v []byte) {
	o := &d.r.Output
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(m.Name) {
		case "type":
			switch wire.Text(m.Value) {
			case "text":
				o.Kind = llm.OutputText
			case "json_object":
				o.Kind = llm.OutputJSON
			case "json_schema":
				o.Kind = llm.OutputSchema
			}
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
}

// sealed is the value of include by which a client asks for its reasoning.
const sealed = "reasoning.encrypted_content"

// include keeps the list but for what has a neutral name.
func (d *decoder) include(m jsonedit.Member) {
	rest := []byte{'['}
	d.each("include", m.Value, func(_ string, e []byte) {
		switch wire.Text(e) {
		case sealed:
			d.r.Reason.Sealed = true
		case "message.output_text.logprobs":
			d.r.Sampling.Logprobs = true
		default:
			if len(rest) > 1 {
				rest = append(rest, ',')
			}
			rest = append(rest, e...)
		}
	})
	if len(rest) > 1 {
		d.keep(&d.r.Extra, jsonedit.Member{Name: m.Name, Value: append(rest, ']')})
	}
}

// serverTools are the neutral names of what OpenAI runs itself.
var serverTools = map[string]string{
	"web_search": "web_search", "web_search_2025_08_26": "web_search", "web_search_preview": "web_search", "web_search_preview_2025_03_11": "web_search",
	"code_interpreter": "code_execution", "image_generation": "image_generation", "file_search": "file_search", "mcp": "mcp",
	"computer": "computer", "computer_use_preview": "computer", "tool_search": "tool_search",
}

// tool reads a tool, and the tools of a namespace.
func (d *decoder) tool(path, namespace string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	t := llm.Tool{Namespace: namespace}
	kind := wire.Text(d.doc.Get(v, "type"))
	switch kind {
	case "function":
	case "custom":
		t.Kind = llm.Custom
	case "namespace":
		name := wire.Text(d.doc.Get(v, "name"))
		d.each(path+".tools", d.doc.Get(v, "tools"), func(path string, e []byte) { d.tool(path, name, e) })
		for m := range wire.ObjectIn(d.doc, v) {
			switch string(m.Name) {
			case "type", "name", "tools":
			default: // the namespace's own words, told with its first tool
				for i := range d.r.Tools {
					if u := &d.r.Tools[i]; u.Namespace == name {
						d.keep(&u.Extra, jsonedit.Member{Name: append([]byte("namespace."), m.Name...), Value: m.Value})
						break
					}
				}
			}
		}
		return
	default:
		t.Kind, t.Server, t.Config = llm.Server, serverTools[kind], jsontext.Value(v)
		if t.Server == "" {
			t.Server = kind
		}
		t.Extra.Protocol = protocol.OpenAIResponses
		d.r.Tools = append(d.r.Tools, t)
		return
	}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) && string(m.Name) != "strict" {
			continue
		}
		switch string(m.Name) {
		case "type":
		case "name":
			t.Name = wire.Text(m.Value)
		case "description":
			t.Description = openaiwire.String(m.Value)
		case "parameters":
			t.Schema = jsontext.Value(m.Value)
		case "format":
			t.Format = jsontext.Value(m.Value)
		case "strict":
			t.Strict = openaiwire.Bool(m.Value)
		case "defer_loading":
			t.Deferred = string(m.Value) == "true"
		default:
			d.keep(&t.Extra, m)
		}
	}
	d.r.Tools = append(d.r.Tools, t)
}

func (d *decoder) choice(v []byte) {
	c := &d.r.Choice
	if v[0] == '"' {
		switch wire.Text(v) {
		case "auto":
			c.Mode = llm.ChoiceAuto
		case "none":
			c.Mode = llm.ChoiceNone
		case "required":
			c.Mode = llm.ChoiceRequired
		default:
			d.bad("tool_choice", "%s is none of auto, none and required", v)
		}
		return
	}
	if wire.Text(d.doc.Get(v, "type")) == "allowed_tools" {
		c.Mode, c.Must = llm.ChoiceAllowed, wire.Text(d.doc.Get(v, "mode")) == "required"
		d.each("tool_choice.tools", d.doc.Get(v, "tools"), func(_ string, e []byte) { c.Tools = append(c.Tools, toolRef(e)) })
		return
	}
	c.Mode, c.Tools = llm.ChoiceNamed, []llm.ToolRef{toolRef(v)}
	for m := range wire.ObjectIn(d.doc, v) {
		switch string(m.Name) {
		case "type", "name", "namespace":
		default:
			d.keep(&c.Extra, m)
		}
	}
}

func toolRef(v []byte) llm.ToolRef {
	t := llm.ToolRef{Namespace: wire.Text(jsonedit.Get(v, "namespace")), Name: wire.Text(jsonedit.Get(v, "name"))}
	switch kind := wire.Text(jsonedit.Get(v, "type")); kind {
	case "function":
	case "custom":
		t.Kind = llm.Custom
	default:
		t.Kind, t.Name = llm.Server, kind
		if n := serverTools[kind]; n != "" {
			t.Name = n
		}
	}
	return t
}
