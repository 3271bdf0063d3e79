package converse

import (
	"strconv"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/schema"
)

// EncodeRequest appends the body of Converse, which is that of ConverseStream
// (spec: upstreams §1E).
func (*Codec) EncodeRequest(dst []byte, r *llm.Request, fit *protocol.Fit) ([]byte, []llm.Loss, error) {
	e := encoder{r: r, fit: fit, family: familyOf(fit.Model)}
	dst = append(dst, '{')
	dst = e.system(dst)
	dst = e.messages(dst)
	dst = e.inference(dst)
	dst = e.tools(dst)
	dst = e.effort(dst)
	dst = e.fields(dst)
	dst = e.tier(dst)
	e.rest()
	return append(dst, '}'), e.losses, nil
}

type encoder struct {
	r      *llm.Request
	fit    *protocol.Fit
	family family
	losses []llm.Loss

	open  role
	count int             // messages begun
	files int             // documents that were named
	used  map[string]bool // names of tools that the conversation has calls of
	names []string        // … in their order
}

func (e *encoder) lose(path, why string) { e.losses = append(e.losses, llm.Loss{Path: path, Why: why}) }

// system writes the instructions that stand before the conversation.
func (e *encoder) system(dst []byte) []byte {
	from := len(dst)
	dst = append(jsonw.Name(dst, "system"), '[')
	empty := len(dst)
	for i := range e.r.Head() {
		for j, p := range e.r.Messages[i].Parts {
			t, ok := p.(*llm.Prose)
			if !ok {
				e.lose(at(i, j), "dropped: instructions are text only")
				continue
			}
			if !blank(t.Text) {
				dst = appendText(dst, t.Text)
				dst = e.cache(dst, at(i, j), t.Cache)
			}
		}
	}
	if len(dst) == empty {
		return dst[:from]
	}
	return append(dst, ']')
}

func appendText(dst []byte, t llm.Text) []byte {
	return append(jsonw.Text(append(jsonw.Comma(dst), '{'), "text", t), '}')
}

// cache writes a mark behind what it is about.
func (e *encoder) cache(dst []byte, path string, b *llm.Breakpoint) []byte {
	switch {
	case b == nil:
		return dst
	case !e.family.caches():
		e.lose(path+".cache_control", "dropped: the model takes no marks of what to cache")
		return dst
	}
	dst = append(jsonw.Comma(dst), `{"cachePoint":{"type":"default"`...)
	if b.TTL == "1h" && e.family == claude {
		dst = jsonw.String(dst, "ttl", b.TTL)
	}
	return append(dst, "}}"...)
}

// inference writes the knobs that all models have.
func (e *encoder) inference(dst []byte) []byte {
	s := &e.r.Sampling
	from := len(dst)
	dst = append(jsonw.Name(dst, "inferenceConfig"), '{')
	empty := len(dst)
	if s.MaxTokens != nil {
		dst = jsonw.Int(dst, "maxTokens", *s.MaxTokens)
	}
	t := s.Temperature
	if f, err := strconv.ParseFloat(string(t), 64); err == nil && f > 1 {
		e.lose("temperature", "approximated: "+string(t)+" as 1, the highest that the upstream takes")
		t = "1"
	}
	dst = jsonw.Number(dst, "temperature", t)
	dst = jsonw.Number(dst, "topP", s.TopP)
	if len(s.Stop) > 0 {
		dst = append(jsonw.Name(dst, "stopSequences"), '[')
		for _, stop := range s.Stop {
			dst = stop.AppendJSON(jsonw.Comma(dst))
		}
		dst = append(dst, ']')
	}
	if len(dst) == empty {
		return dst[:from]
	}
	return append(dst, '}')
}

// tools writes what may be called. A conversation that has calls must declare
// tools, whether or not they may still be called (spec: translation-traps A18).
func (e *encoder) tools(dst []byte) []byte {
	from := len(dst)
	dst = append(jsonw.Name(dst, "toolConfig"), `{"tools":[`...)
	empty := len(dst)
	declared := 0
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		path := "tools[" + strconv.Itoa(i) + "]"
		if t.Kind == llm.Server {
			e.lose(path, "dropped: the upstream does not run "+t.Server)
			continue
		}
		declared++
		delete(e.used, t.Name)
		dst = e.tool(dst, path, t)
	}
	for _, name := range e.names {
		if e.used[name] {
			e.lose("tools", "emulated: a declaration of "+name+", of which the conversation has calls")
			dst = append(jsonw.String(append(jsonw.Comma(dst), `{"toolSpec":{`...), "name", name), `,"inputSchema":{"json":{"type":"object"}}}}`...)
		}
	}
	if len(dst) == empty {
		return dst[:from]
	}
	return append(e.choice(append(dst, ']'), declared), '}')
}

func (e *encoder) tool(dst []byte, path string, t *llm.Tool) []byte {
	dst = jsonw.String(append(jsonw.Comma(dst), `{"toolSpec":{`...), "name", t.Name)
	if !t.Description.Empty() {
		dst = jsonw.Text(dst, "description", t.Description)
	}
	fitted, losses := schema.Anthropic(t.Schema, path+".parameters")
	e.losses = append(e.losses, losses...)
	dst = append(jsonw.Raw(append(jsonw.Name(dst, "inputSchema"), '{'), "json", fitted), "}}}"...)
	if t.Strict != nil && *t.Strict {
		e.lose(path+".strict", "dropped: the upstream does not hold calls to their schema")
	}
	return e.cache(dst, path, t.Cache)
}

// choice writes whether tools are called.
func (e *encoder) choice(dst []byte, declared int) []byte {
	c := &e.r.Choice
	if e.r.Parallel != nil && !*e.r.Parallel && declared > 0 {
		e.lose("parallel_tool_calls", "dropped: the upstream may call several tools in one turn")
	}
	switch {
	case declared == 0:
		return dst
	case c.Mode == llm.ChoiceAuto:
		return append(jsonw.Name(dst, "toolChoice"), `{"auto":{}}`...)
	case c.Mode == llm.ChoiceRequired:
		return append(jsonw.Name(dst, "toolChoice"), `{"any":{}}`...)
	case c.Mode == llm.ChoiceNamed && len(c.Tools) > 0:
		return append(jsonw.String(append(jsonw.Name(dst, "toolChoice"), `{"tool":{`...), "name", c.Tools[0].Name), "}}"...)
	case c.Mode == llm.ChoiceAllowed:
		e.lose("tool_choice", "approximated: all tools may be called, not only those that it names")
		if c.Must {
			return append(jsonw.Name(dst, "toolChoice"), `{"any":{}}`...)
		}
	case c.Mode == llm.ChoiceNone:
		e.lose("tool_choice", "dropped: the upstream cannot be kept from calling tools that it knows")
	}
	return dst
}

// effort writes how hard Claude should work, which has a seat in the protocol.
func (e *encoder) effort(dst []byte) []byte {
	q := &e.r.Reason
	if e.family != claude || q.Effort == "" || q.Mode == llm.ReasonOff {
		return dst
	}
	return append(jsonw.String(append(jsonw.Name(dst, "outputConfig"), '{'), "effort", openaiwire.Nearest(q.Effort, e.fit.Efforts)), '}')
}

// fields writes what models have of their own.
func (e *encoder) fields(dst []byte) []byte {
	from := len(dst)
	dst = append(jsonw.Name(dst, "additionalModelRequestFields"), '{')
	empty := len(dst)
	dst = e.thinking(dst)
	if k := e.r.Sampling.TopK; k != "" {
		switch e.family {
		case claude:
			dst = jsonw.Number(dst, "top_k", k)
		case nova:
			dst = append(jsonw.Number(append(jsonw.Name(dst, "inferenceConfig"), '{'), "topK", k), '}')
		case others, gptOSS:
			e.lose("top_k", "dropped: the model has no such setting that is known")
		}
	}
	if len(dst) == empty {
		return dst[:from]
	}
	return append(dst, '}')
}

// thinking writes how hard to think in the words of the model's maker.
func (e *encoder) thinking(dst []byte) []byte {
	q := &e.r.Reason
	switch e.family {
	case claude:
		switch {
		case q.Mode == llm.ReasonBudget && q.Budget > 0:
			return append(jsonw.Int(append(jsonw.Name(dst, "thinking"), `{"type":"enabled"`...), "budget_tokens", q.Budget), '}')
		case q.Mode == llm.ReasonOff || q.Mode == llm.ReasonBudget && q.Budget == 0:
			return append(jsonw.Name(dst, "thinking"), `{"type":"disabled"}`...)
		case q.Mode == llm.ReasonAuto || q.Mode == llm.ReasonBudget:
			return append(jsonw.Name(dst, "thinking"), `{"type":"adaptive"}`...)
		}
		return dst
	case gptOSS:
		effort, exact := openaiwire.Effort(q)
		if effort == "" {
			return dst
		}
		level := openaiwire.Nearest(effort, []string{"low", "medium", "high"})
		if !exact || level != effort {
			e.lose("reasoning", "approximated: as the effort "+level)
		}
		return jsonw.String(dst, "reasoning_effort", level)
	case others, nova:
		if q.Mode != llm.ReasonUnset {
			e.lose("reasoning", "dropped: nobody knows how the model is told to think")
		}
	}
	return dst
}

// tier writes the service tier.
func (e *encoder) tier(dst []byte) []byte {
	switch t := e.r.Tier; t {
	case "", "auto":
	case "default", "standard_only":
		return append(jsonw.Name(dst, "serviceTier"), `{"type":"default"}`...)
	case "priority", "flex":
		return append(jsonw.String(append(jsonw.Name(dst, "serviceTier"), '{'), "type", t), '}')
	default:
		e.lose("service_tier", "dropped: the upstream has no tier "+t)
	}
	return dst
}

// rest tells what has no seat.
func (e *encoder) rest() {
	s := &e.r.Sampling
	for _, x := range []struct {
		there bool
		path  string
	}{
		{s.N > 1, "n"},
		{s.Frequency != "", "frequency_penalty"},
		{s.Presence != "", "presence_penalty"},
		{s.Seed != "", "seed"},
		{s.Logprobs || s.TopLogprobs > 0, "logprobs"},
		{len(s.LogitBias) > 0 && string(s.LogitBias) != "{}", "logit_bias"},
		{e.r.Output.Kind == llm.OutputJSON || e.r.Output.Kind == llm.OutputSchema, "response_format"},
		{e.r.Output.Verbosity != "", "verbosity"},
		{len(e.r.Output.Image) > 0, "image"},
		{len(e.r.Output.Audio) > 0, "audio"},
		{e.r.Previous != "", "previous_response_id"},
		{e.r.Cache.Content != "", "cachedContent"},
	} {
		if x.there {
			e.lose(x.path, "dropped: the upstream has no such setting")
		}
	}
}

// note remembers that the conversation has a call of a tool.
func (e *encoder) note(name string) {
	if e.used == nil {
		e.used = map[string]bool{}
	}
	if !e.used[name] {
		e.used[name] = true
		e.names = append(e.names, name)
	}
}
