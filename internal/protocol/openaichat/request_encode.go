package openaichat

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/protocol/wire"
)

// EncodeRequest appends a chat request. A vendor that copied the protocol
// (fit.Native is false) gets the older, wider known spellings: max_tokens, the
// role system, reasoning_content.
func (*Codec) EncodeRequest(dst []byte, r *llm.Request, fit *protocol.Fit) ([]byte, []llm.Loss, error) {
	e := requestEncoder{r: r, fit: fit, home: r.Protocol == protocol.OpenAIChat, breaks: openaiwire.TakesBreakpoints(fit)}
	dst = append(dst, '{')
	dst = jsonw.String(dst, "model", fit.Model)
	dst = e.messages(dst)
	dst = e.tools(dst)
	dst = e.sampling(dst)
	dst = e.output(dst)
	dst = e.rest(dst)
	dst = r.Extra.AppendTo(dst, protocol.OpenAIChat)
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
	home   bool // the client speaks this protocol, too: what it says is said
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
		if e.fit.MaxOutput > 0 && n > e.fit.MaxOutput {
			n = e.fit.MaxOutput
			e.lose("max_tokens", "approximated: the model's limit is "+strconv.FormatInt(n, 10))
		}
		name := "max_tokens"
		if e.fit.Native {
			name = "max_completion_tokens"
		}
		dst = jsonw.Int(dst, name, n)
	}
	dst = jsonw.Number(dst, "temperature", s.Temperature)
	dst = jsonw.Number(dst, "top_p", s.TopP)
	if s.TopK != "" && e.fit.Native {
		e.lose("top_k", "dropped: the upstream has no such setting")
	} else {
		dst = jsonw.Number(dst, "top_k", s.TopK)
	}
	dst = jsonw.Number(dst, "frequency_penalty", s.Frequency)
	dst = jsonw.Number(dst, "presence_penalty", s.Presence)
	dst = jsonw.Number(dst, "seed", s.Seed)
	if s.N > 0 {
		dst = jsonw.Int(dst, "n", int64(s.N))
	}
	if s.Logprobs {
		dst = jsonw.Bool(dst, "logprobs", true)
		if s.TopLogprobs > 0 {
			dst = jsonw.Int(dst, "top_logprobs", int64(s.TopLogprobs))
		}
	}
	if s.LogitBias != nil {
		dst = jsonw.Raw(dst, "logit_bias", s.LogitBias)
	}
	if len(s.Stop) > 0 {
		dst = e.stop(dst, s.Stop)
	}
	return dst
}

// maxStop is how many stop sequences the protocol takes.
const maxStop = 4

func (e *requestEncoder) stop(dst []byte, stop []llm.Text) []byte {
	if len(stop) > maxStop {
		e.lose("stop", "dropped: the upstream takes "+strconv.Itoa(maxStop)+" stop sequences")
		stop = stop[:maxStop]
	}
	dst = append(jsonw.Name(dst, "stop"), '[')
	for _, s := range stop {
		dst = s.AppendJSON(jsonw.Comma(dst))
	}
	return append(dst, ']')
}

func (e *requestEncoder) output(dst []byte) []byte {
	o := &e.r.Output
	switch o.Kind {
	case llm.OutputUnset:
	case llm.OutputText:
		dst = jsonw.Raw(dst, "response_format", []byte(`{"type":"text"}`))
	case llm.OutputJSON:
		dst = jsonw.Raw(dst, "response_format", []byte(`{"type":"json_object"}`))
	case llm.OutputSchema:
		dst = jsonw.Raw(dst, "response_format", []byte(`{"type":"json_schema","json_schema":{`))
		switch {
		case o.Name != "":
			dst = jsonw.String(dst, "name", o.Name)
		case e.fit.Native && !e.home: // OpenAI demands one
			dst = jsonw.String(dst, "name", "answer")
		}
		if o.Description.IsSet() {
			dst = jsonw.Text(dst, "description", o.Description)
		}
		if o.Schema != nil {
			dst = jsonw.Raw(dst, "schema", o.Schema)
		}
		if o.Strict != nil {
			dst = jsonw.Bool(dst, "strict", *o.Strict)
		}
		dst = append(o.Extra.AppendTo(dst, protocol.OpenAIChat), '}', '}')
	}
	if o.Verbosity != "" {
		dst = jsonw.String(dst, "verbosity", o.Verbosity)
	}
	if len(o.Modalities) > 0 {
		dst = append(jsonw.Name(dst, "modalities"), '[')
		for _, m := range o.Modalities {
			dst = append(append(append(jsonw.Comma(dst), '"'), m...), '"')
		}
		dst = append(dst, ']')
	}
	if o.Audio != nil {
		if o.Extra.Protocol == protocol.OpenAIChat {
			dst = jsonw.Raw(dst, "audio", o.Audio)
		} else {
			e.lose("audio", "dropped: speech is set up differently at the upstream")
		}
	}
	return e.reason(dst)
}

// reason writes how hard to think: by an effort, which is all that the
// protocol has.
func (e *requestEncoder) reason(dst []byte) []byte {
	q := &e.r.Reason
	if q.Mode == llm.ReasonUnset && q.Effort == "" {
		return dst
	}
	if e.fit.Known && !e.fit.Reasoning {
		if q.Mode != llm.ReasonOff {
			e.lose("reasoning", "dropped: the model does not reason")
		}
		return dst
	}
	if e.fit.Vendor == "openrouter" {
		return e.reasonObject(dst)
	}
	want, exact := openaiwire.Effort(q)
	if want == "" {
		return dst
	}
	got := openaiwire.Nearest(want, e.fit.Efforts)
	switch {
	case got != want:
		e.lose("reasoning.effort", "approximated: "+want+" as "+got)
	case !exact:
		e.lose("reasoning.budget", "approximated: "+strconv.FormatInt(q.Budget, 10)+" tokens as effort "+got)
	}
	return jsonw.String(dst, "reasoning_effort", got)
}

// reasonObject writes OpenRouter's own way to say it, which has a seat for
// everything.
func (e *requestEncoder) reasonObject(dst []byte) []byte {
	q := &e.r.Reason
	dst = append(jsonw.Name(dst, "reasoning"), '{')
	switch q.Mode {
	case llm.ReasonUnset:
	case llm.ReasonOff:
		dst = jsonw.String(dst, "effort", "none")
	case llm.ReasonAuto:
		dst = jsonw.Bool(dst, "enabled", true)
	case llm.ReasonEffort:
		dst = jsonw.String(dst, "effort", q.Effort)
	case llm.ReasonBudget:
		dst = jsonw.Int(dst, "max_tokens", q.Budget)
	}
	if q.Show == llm.ShowNone {
		dst = jsonw.Bool(dst, "exclude", true)
	}
	return append(q.Extra.AppendTo(dst, protocol.OpenAIChat), '}')
}

func (e *requestEncoder) rest(dst []byte) []byte {
	r := e.r
	if r.Stream {
		dst = jsonw.Bool(dst, "stream", true)
		// The gateway needs the usage, whether the client asked for it or not.
		if !slices.Contains(e.fit.Lacks, "stream_options") {
			dst = jsonw.Raw(dst, "stream_options", []byte(`{"include_usage":true}`))
		}
	}
	if !e.fit.Native && !e.home { // copies of the protocol may refuse what they do not know
		if r.Tier != "" && r.Tier != "auto" && r.Tier != "default" && r.Tier != "standard" && r.Tier != "standard_only" {
			e.lose("service_tier", "dropped: the upstream has no tier "+r.Tier)
		}
		return dst
	}
	if r.Cache.Key != "" {
		dst = jsonw.String(dst, "prompt_cache_key", r.Cache.Key)
	}
	if r.Cache.Retention != "" {
		dst = jsonw.String(dst, "prompt_cache_retention", r.Cache.Retention)
	}
	if r.User.IsSet() {
		dst = openaiwire.AppendUser(dst, r)
	}
	switch r.Tier {
	case "":
	case "auto", "default", "flex", "scale", "priority", "fast":
		dst = jsonw.String(dst, "service_tier", r.Tier)
	case "standard_only", "standard":
		dst = jsonw.String(dst, "service_tier", "default")
	default:
		e.lose("service_tier", "dropped: the upstream has no tier "+r.Tier)
	}
	if r.Store != nil {
		dst = jsonw.Bool(dst, "store", *r.Store)
	}
	if len(r.Metadata) > 0 {
		dst = jsonw.Raw(dst, "metadata", r.Metadata)
	}
	return dst
}

// tools writes what may be called. Without a tool, nothing else of it is
// legal (spec: translation-traps A17).
func (e *requestEncoder) tools(dst []byte) []byte {
	n := 0
	open := func() {
		if n++; n == 1 {
			dst = append(jsonw.Name(dst, "tools"), '[')
		}
		dst = append(jsonw.Comma(dst), '{')
	}
	var search *llm.Tool
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		switch {
		case t.Kind == llm.Server && t.Server == "web_search":
			search = t
		case t.Kind == llm.Server && t.Extra.Protocol == protocol.OpenAIChat:
			open()
			dst = append(dst[:len(dst)-1], t.Config...)
		case t.Kind == llm.Server:
			e.lose("tools["+strconv.Itoa(i)+"]", "dropped: the upstream does not run "+t.Server+" in this protocol")
		default:
			open()
			dst = append(e.tool(dst, t), '}')
		}
	}
	if n > 0 {
		dst = append(dst, ']')
	}
	if search != nil {
		dst = e.search(dst, search)
	}
	if n == 0 {
		return dst
	}
	dst = e.choice(dst)
	if e.r.Parallel != nil {
		dst = jsonw.Bool(dst, "parallel_tool_calls", *e.r.Parallel)
	}
	return dst
}

// search writes web_search_options, which only search models take.
func (e *requestEncoder) search(dst []byte, t *llm.Tool) []byte {
	switch {
	case t.Extra.Protocol == protocol.OpenAIChat:
		return jsonw.Raw(dst, "web_search_options", t.Config)
	case e.fit.Native && strings.Contains(e.fit.Model, "search"):
		return e.searchOptions(append(jsonw.Name(dst, "web_search_options"), '{'), t)
	}
	e.lose("tools.web_search", "dropped: the upstream does not search in this protocol")
	return dst
}

// searchOptions writes what another protocol says of a search.
func (e *requestEncoder) searchOptions(dst []byte, t *llm.Tool) []byte {
	for m := range wire.Object(t.Config) {
		switch name := string(m.Name); {
		case name == "type", name == "name", wire.Empty(m.Value):
		case name == "search_context_size":
			dst = jsonw.Raw(dst, name, m.Value)
		case name == "user_location" && m.Value[0] == '{':
			dst = append(jsonw.Name(dst, name), `{"type":"approximate","approximate":{`...)
			for x := range wire.Object(m.Value) {
				if string(x.Name) != "type" {
					dst = jsonw.Raw(dst, string(x.Name), x.Value)
				}
			}
			dst = append(dst, "}}"...)
		default:
			e.lose("tools.web_search."+name, "dropped: a search has no such option in this protocol")
		}
	}
	return append(dst, '}')
}

func (e *requestEncoder) tool(dst []byte, t *llm.Tool) []byte {
	kind := "function"
	if t.Kind == llm.Custom {
		kind = "custom"
	}
	dst = append(jsonw.Name(jsonw.String(dst, "type", kind), kind), '{')
	dst = jsonw.String(dst, "name", t.Name)
	if t.Description.IsSet() {
		dst = jsonw.Text(dst, "description", t.Description)
	}
	switch {
	case t.Kind == llm.Custom && t.Format != nil:
		dst = jsonw.Raw(dst, "format", t.Format)
	case t.Kind == llm.Custom:
	case t.Schema != nil:
		dst = jsonw.Raw(dst, "parameters", openaiwire.Parameters(t.Schema))
	case t.Extra.Protocol != protocol.OpenAIChat:
		dst = jsonw.Raw(dst, "parameters", []byte(`{"type":"object","properties":{}}`))
	}
	if t.Strict != nil {
		dst = jsonw.Bool(dst, "strict", *t.Strict)
	}
	own, beside := split(t.Extra)
	dst = append(own.AppendTo(dst, protocol.OpenAIChat), '}')
	return e.mark(beside.AppendTo(dst, protocol.OpenAIChat), t.Cache, false)
}

// mark appends a breakpoint of the prompt cache to a part of a message, or
// where seat is false to what has no seat for one: under OpenAI's name for
// OpenAI, and as Anthropic's, which OpenRouter passes on.
func (e *requestEncoder) mark(dst []byte, b *llm.Breakpoint, seat bool) []byte {
	switch own := b != nil && b.Extra.Protocol == protocol.OpenAIChat; {
	case b == nil:
	case own && e.home:
		return openaiwire.AppendBreakpoint(dst, b, protocol.OpenAIChat)
	case e.fit.Vendor == "openrouter":
		dst = append(jsonw.Name(dst, "cache_control"), `{"type":"ephemeral"`...)
		switch ttl := b.TTL; ttl {
		case "", "30m":
		case "12h":
			dst = jsonw.String(dst, "ttl", "1h")
		default:
			dst = jsonw.String(dst, "ttl", ttl)
		}
		return append(dst, '}')
	case seat && e.breaks:
		return openaiwire.AppendBreakpoint(dst, b, protocol.OpenAIChat)
	default:
		e.unmarked = true
	}
	return dst
}

// marks reports whether a breakpoint is written on a part of a message.
func (e *requestEncoder) marks(b *llm.Breakpoint) bool {
	return b != nil && (e.breaks || e.fit.Vendor == "openrouter" || e.home && b.Extra.Protocol == protocol.OpenAIChat)
}

func (e *requestEncoder) choice(dst []byte) []byte {
	c := &e.r.Choice
	ref := func(dst []byte, t llm.ToolRef) []byte {
		kind := "function"
		if t.Kind == llm.Custom {
			kind = "custom"
		}
		dst = append(jsonw.Name(jsonw.String(append(dst, '{'), "type", kind), kind), '{')
		return append(jsonw.String(dst, "name", t.Name), '}', '}')
	}
	switch c.Mode {
	case llm.ChoiceUnset:
	case llm.ChoiceAuto:
		return jsonw.String(dst, "tool_choice", "auto")
	case llm.ChoiceNone:
		return jsonw.String(dst, "tool_choice", "none")
	case llm.ChoiceRequired:
		return jsonw.String(dst, "tool_choice", cmp.Or(e.fit.Required, "required"))
	case llm.ChoiceNamed:
		if len(c.Tools) != 1 || !e.declares(c.Tools[0]) {
			e.lose("tool_choice", "dropped: the tool it names is not among the tools")
			return dst
		}
		return ref(jsonw.Name(dst, "tool_choice"), c.Tools[0])
	case llm.ChoiceAllowed:
		mode := "auto"
		if c.Must {
			mode = "required"
		}
		dst = append(jsonw.Name(dst, "tool_choice"), `{"type":"allowed_tools","allowed_tools":{"mode":"`...)
		dst = append(append(dst, mode...), `","tools":[`...)
		for _, t := range c.Tools {
			if e.declares(t) {
				dst = ref(jsonw.Comma(dst), t)
			}
		}
		return append(dst, "]}}"...)
	}
	return dst
}

func (e *requestEncoder) declares(ref llm.ToolRef) bool {
	for i := range e.r.Tools {
		if t := &e.r.Tools[i]; t.Name == ref.Name && t.Kind == ref.Kind {
			return true
		}
	}
	return false
}
