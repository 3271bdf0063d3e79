package gemini

import (
	"encoding/json/jsontext"
	"fmt"
	"strconv"
	"strings"

	"portico/internal/fault"
	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
	"portico/internal/schema"
)

// DecodeRequest reads a request for content, or a request to count its tokens,
// which holds one (spec: upstreams §1D.1, §1D.6). Names may be in camel or
// snake case.
//
// Unknown members of generationConfig are kept in Request.Extra, those of
// functionCallingConfig in Choice.Extra, both with their object's name and a
// dot before their own.
func (*Codec) DecodeRequest(body []byte) (*llm.Request, error) {
	r := &llm.Request{Protocol: protocol.Gemini}
	d := decoder{r: r, doc: jsonedit.NewOutline(body)}
	d.request(body)
	if d.err != nil {
		return nil, d.err
	}
	return r, nil
}

// decoder gathers a request, or the parts of an answer. It keeps the first
// error.
type decoder struct {
	r     *llm.Request
	doc   *jsonedit.Outline // of the request
	err   *fault.Fault
	inner bool        // in a generateContentRequest
	salt  string      // what makes the ids of calls differ from those of other answers
	turn  int         // which content or candidate
	seen  int         // calls in it
	calls []*llm.Call // without a result so far; those with one are nil
	code  string      // the id of the code that ran last
}

func (d *decoder) bad(param, format string, args ...any) {
	if d.err == nil {
		d.err = fault.New(fault.Malformed, "%s: %s", param, fmt.Sprintf(format, args...))
		d.err.Param = param
	}
}

// request takes the members of a request. null is the same as absent.
func (d *decoder) request(body []byte) {
	r := d.r
	var system, contents []byte
	for m, err := range d.doc.Members(body) {
		if err != nil {
			d.err = fault.New(fault.Malformed, "%s", err)
			return
		}
		v := m.Value
		if wire.Null(v) {
			continue
		}
		switch string(camel(m.Name)) {
		case "model":
			r.Model = wire.Text(v)
		case "generateContentRequest":
			if !d.inner {
				d.inner = true
				d.request(v)
			}
		case "systemInstruction":
			system = v
		case "contents":
			contents = v
		case "tools":
			d.list("tools", v, d.tool)
		case "toolConfig":
			d.toolConfig(v)
		case "generationConfig":
			d.config(v)
		case "cachedContent":
			r.Cache.Content = wire.Text(v)
		case "serviceTier":
			r.Tier = wire.Text(v)
		case "store":
			r.Store = openaiwire.Bool(v)
		default:
			keep(&r.Extra, m)
		}
	}
	if system != nil {
		r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: d.parts("systemInstruction", system)})
	}
	if contents != nil {
		d.contents(contents)
	}
}

// list calls f for the elements of the array v with the path of each; what is
// no array is a list of one, as some clients send it.
func (d *decoder) list(path string, v []byte, f func(path string, e []byte)) {
	if v[0] != '[' {
		f(path, v)
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

// servers are the neutral names of what Google runs, by its own.
var servers = map[string]string{
	"googleSearch": "web_search", "googleSearchRetrieval": "web_search", "urlContext": "web_fetch",
	"codeExecution": "code_execution", "fileSearch": "file_search", "computerUse": "computer", "mcpServers": "mcp",
}

// tool takes one entry of tools: functions, tools that Google runs, or both. Of
// the latter, Name is what Google calls it.
func (d *decoder) tool(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	for m := range wire.ObjectIn(d.doc, v) {
		name := string(camel(m.Name))
		switch {
		case wire.Null(m.Value):
		case name == "functionDeclarations":
			d.list(path+"."+name, m.Value, d.function)
		default:
			t := llm.Tool{Kind: llm.Server, Name: name, Server: servers[name], Config: jsontext.Value(m.Value), Extra: llm.Extra{Protocol: protocol.Gemini}}
			if t.Server == "" {
				t.Server = name
			}
			d.r.Tools = append(d.r.Tools, t)
		}
	}
}

func (d *decoder) function(path string, v []byte) {
	if v[0] != '{' {
		d.bad(path, "it must be an object")
		return
	}
	t := llm.Tool{}
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "name":
			t.Name = wire.Text(m.Value)
		case "description":
			t.Description = openaiwire.String(m.Value)
		case "parameters":
			t.Config, t.Extra.Protocol = jsontext.Value(m.Value), protocol.Gemini
		case "parametersJsonSchema":
			t.Schema = jsontext.Value(m.Value)
		default:
			keep(&t.Extra, m)
		}
	}
	if t.Schema == nil && t.Config != nil {
		t.Schema = schema.FromGemini(t.Config)
	}
	d.r.Tools = append(d.r.Tools, t)
}

// toolConfig takes whether and which tools are called.
func (d *decoder) toolConfig(v []byte) {
	c := &d.r.Choice
	for m := range wire.ObjectIn(d.doc, v) {
		switch {
		case wire.Null(m.Value):
		case string(camel(m.Name)) == "functionCallingConfig":
			d.calling(m.Value)
		default:
			keep(&c.Extra, m)
		}
	}
}

// calling takes a functionCallingConfig. VALIDATED, which lets the model choose
// and holds its calls to their schemas, is kept beside its neutral reading.
func (d *decoder) calling(v []byte) {
	c := &d.r.Choice
	mode := ""
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "mode":
			if mode = strings.ToUpper(wire.Text(m.Value)); mode == "VALIDATED" {
				keepIn(&c.Extra, "functionCallingConfig", jsonedit.Member{Name: []byte("mode"), Value: m.Value})
			}
		case "allowedFunctionNames":
			d.list("toolConfig.functionCallingConfig.allowedFunctionNames", m.Value, func(_ string, e []byte) {
				c.Tools = append(c.Tools, llm.ToolRef{Name: wire.Text(e)})
			})
		default:
			keepIn(&c.Extra, "functionCallingConfig", m)
		}
	}
	switch {
	case mode == "NONE":
		c.Mode = llm.ChoiceNone
	case mode == "ANY" && len(c.Tools) == 0:
		c.Mode = llm.ChoiceRequired
	case mode == "ANY" && len(c.Tools) == 1:
		c.Mode = llm.ChoiceNamed
	case mode == "ANY", mode == "VALIDATED" && len(c.Tools) > 0:
		c.Mode, c.Must = llm.ChoiceAllowed, mode == "ANY"
	case mode == "AUTO", mode == "VALIDATED":
		c.Mode = llm.ChoiceAuto
	}
}

// config takes a generationConfig.
func (d *decoder) config(v []byte) {
	s, o := &d.r.Sampling, &d.r.Output
	for m := range wire.ObjectIn(d.doc, v) {
		v := m.Value
		if wire.Null(v) {
			continue
		}
		switch name := string(camel(m.Name)); name {
		case "temperature":
			s.Temperature = number(v)
		case "topP":
			s.TopP = number(v)
		case "topK":
			s.TopK = number(v)
		case "candidateCount":
			if n := whole(v); n != nil {
				s.N = int(min(*n, 1<<16))
			}
		case "maxOutputTokens":
			s.MaxTokens = whole(v)
		case "stopSequences":
			d.list("generationConfig.stopSequences", v, func(_ string, e []byte) {
				if e[0] == '"' {
					s.Stop = append(s.Stop, llm.Wire(e))
				}
			})
		case "presencePenalty":
			s.Presence = number(v)
		case "frequencyPenalty":
			s.Frequency = number(v)
		case "seed":
			s.Seed = number(v)
		case "responseLogprobs":
			s.Logprobs = string(v) == "true"
		case "logprobs":
			if n := whole(v); n != nil {
				s.TopLogprobs = int(min(*n, 1<<16))
			}
		case "thinkingConfig":
			d.thinking(v)
		case "responseMimeType":
			d.mimeType(v)
		case "responseSchema":
			o.Config, o.Extra.Protocol = jsontext.Value(v), protocol.Gemini
		case "responseJsonSchema":
			o.Schema = jsontext.Value(v)
		case "responseModalities":
			d.list("generationConfig.responseModalities", v, func(_ string, e []byte) {
				o.Modalities = append(o.Modalities, strings.ToLower(wire.Text(e)))
			})
		case "imageConfig":
			o.Image, o.Extra.Protocol = jsontext.Value(v), protocol.Gemini
		case "speechConfig":
			o.Audio, o.Extra.Protocol = jsontext.Value(v), protocol.Gemini
		default:
			keepIn(&d.r.Extra, "generationConfig", m)
		}
	}
	if o.Schema == nil && o.Config != nil {
		o.Schema = schema.FromGemini(o.Config)
	}
	if o.Schema != nil {
		o.Kind = llm.OutputSchema
	}
}

// mimeType takes the form of the answer. A type that nobody else has is kept.
func (d *decoder) mimeType(v []byte) {
	o := &d.r.Output
	switch wire.Text(v) {
	case "application/json":
		o.Kind = llm.OutputJSON
	case "text/plain":
		o.Kind = llm.OutputText
	default:
		keep(&o.Extra, jsonedit.Member{Name: []byte("responseMimeType"), Value: v})
	}
}

// thinking takes a thinkingConfig. A budget counts more than a level; Google
// refuses both at once.
func (d *decoder) thinking(v []byte) {
	q := &d.r.Reason
	for m := range wire.ObjectIn(d.doc, v) {
		if wire.Null(m.Value) {
			continue
		}
		switch string(camel(m.Name)) {
		case "includeThoughts":
			q.Show = llm.ShowNone
			if string(m.Value) == "true" {
				q.Show = llm.ShowSummary
			}
		case "thinkingBudget":
			n := whole(m.Value)
			switch {
			case n == nil:
			case *n == 0:
				q.Mode = llm.ReasonOff
			case *n < 0:
				q.Mode = llm.ReasonAuto
			default:
				q.Mode, q.Budget = llm.ReasonBudget, *n
			}
		case "thinkingLevel":
			level := strings.ToLower(wire.Text(m.Value))
			if level == "" || strings.HasSuffix(level, "_unspecified") {
				continue
			}
			if q.Effort = level; q.Mode == llm.ReasonUnset {
				q.Mode = llm.ReasonEffort
			}
		default:
			keep(&q.Extra, m)
		}
	}
}

// number is v as it is written; proto JSON lets numbers be quoted.
func number(v []byte) llm.Number {
	if n := len(v); n > 2 && v[0] == '"' {
		v = v[1 : n-1]
	}
	if !jsontext.Value(v).IsValid() {
		return ""
	}
	return openaiwire.Number(v)
}

func whole(v []byte) *int64 {
	if n := len(v); n > 2 && v[0] == '"' {
		v = v[1 : n-1]
	}
	return openaiwire.Whole(v)
}
