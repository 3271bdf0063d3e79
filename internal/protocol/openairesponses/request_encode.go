package openairesponses

import (
	"bytes"
	"iter"
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// minOutput is the least that the protocol takes for max_output_tokens.
const minOutput = 16

// EncodeRequest appends a request. One that was asked in another protocol is
// not stored at the upstream, and its reasoning is asked for sealed, so that
// the next turn can bring it back (spec: translation-traps B7).
func (*Codec) EncodeRequest(dst []byte, r *llm.Request, fit *protocol.Fit) ([]byte, []llm.Loss, error) {
	e := requestEncoder{r: r, fit: fit, home: r.Protocol == protocol.OpenAIResponses, breaks: openaiwire.TakesBreakpoints(fit)}
	dst = jsonw.String(append(dst, '{'), "model", fit.Model)
	dst = e.input(dst)
	dst = e.tools(dst)
	dst = e.sampling(dst)
	dst = e.reason(dst)
	dst = e.text(dst)
	dst = e.rest(dst)
	switch {
	case e.unmarked && e.breaks:
		e.lose("cache_control", openaiwire.NoBreakpoint)
	case e.unmarked:
		e.lose("cache_control", openaiwire.CachesItself)
	}
	return append(dst, '}'), e.losses, nil
}

type requestEncoder struct {
	r      *llm.Request
	fit    *protocol.Fit
	home   bool // the request came in this protocol
	breaks bool // the model takes breakpoints of the prompt cache
	losses []llm.Loss

	unmarked bool // a breakpoint was left out
}

func (e *requestEncoder) lose(path, why string) {
	e.losses = append(e.losses, llm.Loss{Path: path, Why: why})
}

func (e *requestEncoder) sampling(dst []byte) []byte {
	s := &e.r.Sampling
	if s.MaxTokens != nil {
		n := *s.MaxTokens
		if n < minOutput && !e.home {
			n = minOutput
			e.lose("max_tokens", "approximated: the upstream's least is "+strconv.Itoa(minOutput))
		}
		if e.fit.MaxOutput > 0 && n > e.fit.MaxOutput {
			n = e.fit.MaxOutput
			e.lose("max_tokens", "approximated: the model's limit is "+strconv.FormatInt(n, 10))
		}
		dst = jsonw.Int(dst, "max_output_tokens", n)
	}
	dst = jsonw.Number(dst, "temperature", s.Temperature)
	dst = jsonw.Number(dst, "top_p", s.TopP)
	if s.TopLogprobs > 0 {
		dst = jsonw.Int(dst, "top_logprobs", int64(s.TopLogprobs))
	}
	for _, x := range []struct {
		name string
		is   bool
	}{
		{"top_k", s.TopK != ""},
		{"frequency_penalty", s.Frequency != "" && s.Frequency != "0"},
		{"presence_penalty", s.Presence != "" && s.Presence != "0"},
		{"seed", s.Seed != ""},
		{"n", s.N > 1},
		{"logit_bias", s.LogitBias != nil},
		{"stop", len(s.Stop) > 0},
	} {
		if x.is {
			e.lose(x.name, "dropped: the upstream has no such setting")
		}
	}
	return dst
}

func (e *requestEncoder) reason(dst []byte) []byte {
	q := &e.r.Reason
	if q.Mode == llm.ReasonUnset && q.Effort == "" && q.Show == llm.ShowUnset && len(q.Extra.Members) == 0 {
		return dst
	}
	if e.fit.Known && !e.fit.Reasoning && !e.home {
		if q.Mode != llm.ReasonOff && q.Mode != llm.ReasonUnset {
			e.lose("reasoning", "dropped: the model does not reason")
		}
		return dst
	}
	dst = append(jsonw.Name(dst, "reasoning"), '{')
	if want, exact := openaiwire.Effort(q); want != "" {
		got := openaiwire.Nearest(want, e.fit.Efforts)
		switch {
		case got != want:
			e.lose("reasoning.effort", "approximated: "+want+" as "+got)
		case !exact:
			e.lose("reasoning.budget", "approximated: "+strconv.FormatInt(q.Budget, 10)+" tokens as effort "+got)
		}
		dst = jsonw.String(dst, "effort", got)
	}
	own := q.Extra.Protocol == protocol.OpenAIResponses && bytes.Contains(q.Extra.Members, []byte(`"summary":`))
	if q.Show >= llm.ShowSummary && !own {
		dst = jsonw.String(dst, "summary", "auto")
	}
	return append(q.Extra.AppendTo(dst, protocol.OpenAIResponses), '}')
}

// text writes the form of the answer.
func (e *requestEncoder) text(dst []byte) []byte {
	o := &e.r.Output
	before := len(dst)
	dst = append(jsonw.Name(dst, "text"), '{')
	empty := len(dst)
	switch o.Kind {
	case llm.OutputUnset:
	case llm.OutputText:
		dst = jsonw.Raw(dst, "format", []byte(`{"type":"text"}`))
	case llm.OutputJSON:
		dst = jsonw.Raw(dst, "format", []byte(`{"type":"json_object"}`))
	case llm.OutputSchema:
		dst = append(jsonw.Name(dst, "format"), `{"type":"json_schema"`...)
		name := o.Name
		if name == "" {
			name = "answer"
		}
		dst = jsonw.String(dst, "name", name)
		if o.Description.IsSet() {
			dst = jsonw.Text(dst, "description", o.Description)
		}
		if o.Schema != nil {
			dst = jsonw.Raw(dst, "schema", o.Schema)
		}
		switch {
		case o.Strict != nil:
			dst = jsonw.Bool(dst, "strict", *o.Strict)
		case !e.home: // absent means strict here, which the schema may not fit
			dst = jsonw.Bool(dst, "strict", false)
		}
		dst = append(o.Extra.AppendTo(dst, protocol.OpenAIResponses), '}')
	}
	if o.Verbosity != "" {
		dst = jsonw.String(dst, "verbosity", o.Verbosity)
	}
	for m := range nested(e.r.Extra, "text.") {
		dst = jsonw.Raw(dst, string(m.Name), m.Value)
	}
	if len(dst) == empty {
		dst = dst[:before]
	} else {
		dst = append(dst, '}')
	}
	for _, m := range o.Modalities {
		if m != "text" {
			e.lose("modalities", "dropped: the upstream answers in text")
		}
	}
	if o.Audio != nil {
		e.lose("audio", "dropped: the upstream does not speak in this protocol")
	}
	return dst
}

func (e *requestEncoder) rest(dst []byte) []byte {
	r := e.r
	if r.Stream {
		dst = jsonw.Bool(dst, "stream", true)
	}
	dst = e.include(dst)
	if r.Cache.Key != "" {
		dst = jsonw.String(dst, "prompt_cache_key", r.Cache.Key)
	}
	if r.Cache.Retention != "" {
		dst = jsonw.String(dst, "prompt_cache_retention", r.Cache.Retention)
	}
	if r.User.IsSet() && e.fit.Native {
		dst = openaiwire.AppendUser(dst, r)
	}
	switch r.Tier {
	case "":
	case "auto", "default", "flex", "scale", "priority", "fast", "ultrafast":
		dst = jsonw.String(dst, "service_tier", r.Tier)
	case "standard_only", "standard":
		dst = jsonw.String(dst, "service_tier", "default")
	default:
		e.lose("service_tier", "dropped: the upstream has no tier "+r.Tier)
	}
	switch {
	case !e.home:
		dst = jsonw.Bool(dst, "store", false)
	case r.Store != nil:
		dst = jsonw.Bool(dst, "store", *r.Store)
	}
	if len(r.Metadata) > 0 {
		dst = jsonw.Raw(dst, "metadata", r.Metadata)
	}
	if r.Previous != "" {
		dst = jsonw.String(dst, "previous_response_id", r.Previous)
	}
	for m := range own(r.Extra) {
		switch {
		case bytes.HasPrefix(m.Name, []byte("text.")), string(m.Name) == "include":
		default:
			dst = append(append(append(jsonw.Comma(dst), '"'), m.Name...), '"', ':')
			dst = append(dst, m.Value...)
		}
	}
	return dst
}

// include asks for what the neutral request needs and for what the client
// asked. A model that does not reason refuses to seal its reasoning.
func (e *requestEncoder) include(dst []byte) []byte {
	var list []byte
	if e.r.Reason.Sealed && e.home || !e.home && (!e.fit.Known || e.fit.Reasoning) {
		list = append(list, `"`+sealed+`"`...)
	}
	if e.r.Sampling.Logprobs {
		list = append(jsonw.Comma(list), `"message.output_text.logprobs"`...)
	}
	for m := range own(e.r.Extra) {
		if string(m.Name) == "include" && len(m.Value) > 2 {
			list = append(jsonw.Comma(list), m.Value[1:len(m.Value)-1]...)
		}
	}
	if len(list) == 0 {
		return dst
	}
	return append(append(append(jsonw.Name(dst, "include"), '['), list...), ']')
}

// own yields the members of x if they are this protocol's.
func own(x llm.Extra) iter.Seq[jsonedit.Member] {
	if x.Protocol != protocol.OpenAIResponses || len(x.Members) == 0 {
		return func(func(jsonedit.Member) bool) {}
	}
	return wire.Object(append(append([]byte{'{'}, x.Members...), '}'))
}

// nested yields the members of x that the decoder marked with prefix, without
// it.
func nested(x llm.Extra, prefix string) iter.Seq[jsonedit.Member] {
	return func(yield func(jsonedit.Member) bool) {
		for m := range own(x) {
			if name, ok := bytes.CutPrefix(m.Name, []byte(prefix)); ok && !yield(jsonedit.Member{Name: name, Value: m.Value}) {
				return
			}
		}
	}
}

// plain appends the members of x that are marked with no prefix.
func plain(dst []byte, x llm.Extra) []byte {
	for m := range own(x) {
		if bytes.IndexByte(m.Name, '.') < 0 {
			dst = append(append(append(jsonw.Comma(dst), '"'), m.Name...), '"', ':')
			dst = append(dst, m.Value...)
		}
	}
	return dst
}

// tools writes what may be called, and how.
func (e *requestEncoder) tools(dst []byte) []byte {
	before := len(dst)
	if dst = e.toolList(dst); len(dst) == before && (!e.home || len(e.r.Tools) == 0) {
		return dst // nothing of tools is legal without one
	}
	dst = e.choice(dst)
	if e.r.Parallel != nil {
		dst = jsonw.Bool(dst, "parallel_tool_calls", *e.r.Parallel)
	}
	return dst
}

// toolList writes the tools, if there are any; those of one namespace stand
// together.
func (e *requestEncoder) toolList(dst []byte) []byte {
	before := len(dst)
	dst = append(jsonw.Name(dst, "tools"), '[')
	empty := len(dst)
	done := map[string]bool{}
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		at := "tools[" + strconv.Itoa(i) + "]"
		switch {
		case t.Joined && e.home: // it stands in the input
		case t.Namespace == "":
			dst = e.tool(dst, at, t)
		case !done[t.Namespace]:
			done[t.Namespace] = true
			dst = jsonw.String(append(jsonw.Comma(dst), `{"type":"namespace"`...), "name", t.Namespace)
			for m := range nested(t.Extra, "namespace.") {
				dst = jsonw.Raw(dst, string(m.Name), m.Value)
			}
			dst = append(jsonw.Name(dst, "tools"), '[')
			for j := i; j < len(e.r.Tools); j++ {
				if u := &e.r.Tools[j]; u.Namespace == t.Namespace && !(u.Joined && e.home) {
					dst = e.tool(dst, at, u)
				}
			}
			dst = append(dst, "]}"...)
		}
	}
	if len(dst) == empty {
		return dst[:before]
	}
	return append(dst, ']')
}

// types are the upstream's own names of what it runs.
var types = map[string]string{"web_search": "web_search", "image_generation": "image_generation"}

func (e *requestEncoder) tool(dst []byte, at string, t *llm.Tool) []byte {
	switch {
	case t.Kind == llm.Server && t.Extra.Protocol == protocol.OpenAIResponses:
		return append(jsonw.Comma(dst), t.Config...)
	case t.Kind == llm.Server && types[t.Server] != "":
		return append(jsonw.String(append(jsonw.Comma(dst), '{'), "type", types[t.Server]), '}')
	case t.Kind == llm.Server && t.Server == "code_execution":
		return append(jsonw.Comma(dst), `{"type":"code_interpreter","container":{"type":"auto"}}`...)
	case t.Kind == llm.Server:
		e.lose(at, "dropped: the upstream does not run "+t.Server)
		return dst
	case t.Kind == llm.Custom:
		dst = jsonw.String(append(jsonw.Comma(dst), `{"type":"custom"`...), "name", t.Name)
	default:
		dst = jsonw.String(append(jsonw.Comma(dst), `{"type":"function"`...), "name", t.Name)
	}
	if t.Description.IsSet() {
		dst = jsonw.Text(dst, "description", t.Description)
	}
	if t.Kind == llm.Custom {
		if t.Format != nil {
			dst = jsonw.Raw(dst, "format", t.Format)
		}
	} else {
		if t.Schema != nil {
			dst = jsonw.Raw(dst, "parameters", openaiwire.Parameters(t.Schema))
		} else if !e.home {
			dst = jsonw.Raw(dst, "parameters", []byte(`{"type":"object","properties":{}}`))
		}
		switch {
		case t.Strict != nil:
			dst = jsonw.Bool(dst, "strict", *t.Strict)
		case !e.home: // absent means strict here (spec: translation-traps B25)
			dst = jsonw.Bool(dst, "strict", false)
		}
	}
	e.unmarked = e.unmarked || t.Cache != nil
	if t.Deferred && e.home {
		dst = jsonw.Bool(dst, "defer_loading", true)
	}
	return append(plain(dst, t.Extra), '}')
}

func (e *requestEncoder) choice(dst []byte) []byte {
	c := &e.r.Choice
	switch c.Mode {
	case llm.ChoiceUnset:
	case llm.ChoiceAuto:
		return jsonw.String(dst, "tool_choice", "auto")
	case llm.ChoiceNone:
		return jsonw.String(dst, "tool_choice", "none")
	case llm.ChoiceRequired:
		return jsonw.String(dst, "tool_choice", "required")
	case llm.ChoiceNamed:
		if len(c.Tools) != 1 || !e.declares(c.Tools[0]) {
			e.lose("tool_choice", "dropped: the tool it names is not among the tools")
			return dst
		}
		dst = ref(append(jsonw.Name(dst, "tool_choice"), '{'), c.Tools[0])
		return append(c.Extra.AppendTo(dst, protocol.OpenAIResponses), '}')
	case llm.ChoiceAllowed:
		mode := "auto"
		if c.Must {
			mode = "required"
		}
		dst = jsonw.String(append(jsonw.Name(dst, "tool_choice"), `{"type":"allowed_tools"`...), "mode", mode)
		dst = append(jsonw.Name(dst, "tools"), '[')
		for _, t := range c.Tools {
			if e.declares(t) {
				dst = append(ref(append(jsonw.Comma(dst), '{'), t), '}')
			}
		}
		return append(dst, "]}"...)
	}
	return dst
}

func ref(dst []byte, t llm.ToolRef) []byte {
	switch t.Kind {
	case llm.Server:
		kind := t.Name
		if kind == "code_execution" {
			kind = "code_interpreter"
		}
		return jsonw.String(dst, "type", kind)
	case llm.Custom:
		dst = jsonw.String(dst, "type", "custom")
	default:
		dst = jsonw.String(dst, "type", "function")
	}
	dst = jsonw.String(dst, "name", t.Name)
	if t.Namespace != "" {
		dst = jsonw.String(dst, "namespace", t.Namespace)
	}
	return dst
}

func (e *requestEncoder) declares(ref llm.ToolRef) bool {
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		if t.Kind == llm.Server && ref.Kind == llm.Server && t.Server == ref.Name || t.Kind == ref.Kind && t.Name == ref.Name {
			return true
		}
	}
	return false
}
