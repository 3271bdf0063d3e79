package anthropic

import (
	"strconv"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
	"portico/internal/schema"
)

// An offer is what a request says of tools: which are declared, where the
// servers of others are, and which are to be called.
type offer struct {
	tools, servers []declared
	mode           llm.ChoiceMode // unset: nothing is said
	name           string         // of the tool that is to be called
	single         bool           // one call at a time
	nudge          string         // words that force a tool on a model that refuses to be forced
}

// A declared tool is one with a seat. config is its declaration if it stands
// fast; else tool is written.
type declared struct {
	tool   *llm.Tool
	at     string
	config []byte
	strict bool
}

// forced reports whether a tool must be called.
func (o *offer) forced() bool {
	return o.mode == llm.ChoiceRequired || o.mode == llm.ChoiceNamed
}

// maxStrict is how many tools of one request may be strict: the upstream
// refuses more (seen in its own error).
const maxStrict = 20

// offer settles the tools.
func (e *requestEncoder) offer() (o offer) {
	c := &e.r.Choice
	awake, strict := false, 0
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		at := "tools[" + strconv.Itoa(i) + "]"
		if c.Mode == llm.ChoiceAllowed && !allowed(c.Tools, t) {
			continue
		}
		d := declared{tool: t, at: at}
		switch {
		case isServer(t):
			if !e.own(t.Extra) {
				e.lose(at, "dropped: copies of the protocol reach no tool servers")
				continue
			}
			d.config = t.Config
			o.servers = append(o.servers, d)
			continue
		case t.Kind == llm.Server:
			if d.config = e.hosted(t, at); d.config == nil {
				continue
			}
		case t.Strict != nil && *t.Strict && !e.native:
			if d.strict = e.takesStrict(t) && strict < maxStrict; d.strict {
				strict++
			} else {
				e.lose(at+".strict", "dropped: the upstream cannot hold the model to this schema")
			}
		}
		awake = awake || !t.Deferred
		o.tools = append(o.tools, d)
	}
	if !e.native {
		e.wake(&o, awake)
	}
	if len(o.tools) == 0 && !e.fit.Native {
		o.tools = e.remembered()
		if len(o.tools) > 0 {
			o.mode = llm.ChoiceNone
			return o
		}
	}
	e.choose(&o)
	return o
}

// wake declares deferred tools outright where nobody could search for them:
// copies of the protocol, or all of them deferred, which is refused.
func (e *requestEncoder) wake(o *offer, awake bool) {
	if awake && e.fit.Native {
		return
	}
	for i, d := range o.tools {
		if d.tool.Deferred && d.config == nil {
			own := *d.tool
			own.Deferred = false
			o.tools[i].tool = &own
			e.lose(d.at+".defer_loading", "emulated: the tool is declared at once")
		}
	}
}

func allowed(refs []llm.ToolRef, t *llm.Tool) bool {
	for _, ref := range refs {
		if names(ref, t) {
			return true
		}
	}
	return false
}

// names reports whether ref means t.
func names(ref llm.ToolRef, t *llm.Tool) bool {
	if t.Kind == llm.Server {
		return ref.Kind == llm.Server && ref.Name == t.Server && !isServer(t)
	}
	return ref.Kind == t.Kind && ref.Name == t.Name && ref.Namespace == t.Namespace
}

// remembered are the tools that the conversation's calls name, for a client
// that declares none any more: without any, copies of the protocol refuse calls
// and results in the history; Anthropic itself takes them, as recorded answers
// show. None of the tools is to be called (spec: upstreams §2.4,
// translation-traps A18).
func (e *requestEncoder) remembered() (out []declared) {
	seen := map[string]bool{}
	for i := range e.r.Messages {
		for _, p := range e.r.Messages[i].Parts {
			if c, ok := p.(*llm.Call); ok && !seen[c.Name] && e.r.Messages[i].Role == llm.Assistant {
				seen[c.Name] = true
				out = append(out, declared{tool: &llm.Tool{Name: c.Name}, at: "tools"})
			}
		}
	}
	if len(out) > 0 {
		e.lose("tools", "emulated: the tools of earlier calls are declared, since the upstream wants that, and none may be called")
	}
	return out
}

// choose settles which tools are called (spec: upstreams §2.4,
// translation-traps A16, A17).
func (e *requestEncoder) choose(o *offer) {
	c := &e.r.Choice
	if len(o.tools) == 0 && !e.native {
		if c.Mode == llm.ChoiceRequired || c.Mode == llm.ChoiceNamed || c.Mode == llm.ChoiceAllowed {
			e.lose("tool_choice", "dropped: there are no tools")
		}
		return
	}
	o.mode = c.Mode
	switch c.Mode {
	case llm.ChoiceNamed:
		if o.name = e.chosen(c, o); o.name == "" {
			o.mode = llm.ChoiceUnset
			e.lose("tool_choice", "dropped: the tool it names is not among the tools")
		}
	case llm.ChoiceAllowed:
		o.mode = llm.ChoiceAuto
		if c.Must {
			o.mode = llm.ChoiceRequired
		}
		e.lose("tool_choice", "emulated: only the tools that are allowed are declared")
	}
	if o.forced() && !e.can.forced && !e.believed() {
		o.nudge = "Call a tool now."
		if o.name != "" {
			o.nudge = "Call the tool " + o.name + " now."
		}
		o.mode, o.name = llm.ChoiceAuto, ""
		e.lose("tool_choice", "emulated: the model refuses a forced tool, so it is told in words")
	}
	o.single = e.r.Parallel != nil && !*e.r.Parallel && o.mode != llm.ChoiceNone
	if o.single && o.mode == llm.ChoiceUnset {
		o.mode = llm.ChoiceAuto
	}
}

// chosen is the name of the one tool that must be called, "" if it is not
// declared.
func (e *requestEncoder) chosen(c *llm.Choice, o *offer) string {
	if len(c.Tools) != 1 {
		return ""
	}
	for _, d := range o.tools {
		if names(c.Tools[0], d.tool) {
			if d.config != nil {
				return wire.Text(jsonedit.Get(d.config, "name"))
			}
			return d.tool.Name
		}
	}
	if e.native { // a member of a toolset, perhaps
		return c.Tools[0].Name
	}
	return ""
}

// takesStrict reports whether the upstream can hold the model to t's schema.
func (e *requestEncoder) takesStrict(t *llm.Tool) bool {
	if !e.can.strict || t.Schema == nil {
		return false
	}
	_, losses := strictSchema(t.Schema)
	return len(losses) == 0
}

// strictSchema is v as a strict tool may have it.
func strictSchema(v []byte) ([]byte, []llm.Loss) {
	rooted, losses := schema.Anthropic(v, "")
	if len(losses) > 0 {
		return nil, losses
	}
	return schema.AnthropicOutput(rooted, "")
}

// writeTools writes tools, the servers of others, and the choice.
func (e *requestEncoder) writeTools(dst []byte) []byte {
	o := &e.tools
	if len(o.tools) > 0 || e.native && e.r.Tools != nil && len(o.servers) == 0 {
		dst = append(jsonw.Name(dst, "tools"), '[')
		for i := range o.tools {
			dst = e.tool(jsonw.Comma(dst), &o.tools[i])
		}
		dst = append(dst, ']')
	}
	if len(o.servers) > 0 {
		dst = append(jsonw.Name(dst, "mcp_servers"), '[')
		for _, d := range o.servers {
			dst = append(jsonw.Comma(dst), d.config...)
		}
		dst = append(dst, ']')
	}
	return e.choice(dst, o)
}

func (e *requestEncoder) tool(dst []byte, d *declared) []byte {
	if d.config != nil {
		return append(dst, d.config...)
	}
	t := d.tool
	dst = jsonw.String(append(dst, '{'), "name", t.Name)
	if t.Description.IsSet() {
		dst = jsonw.Text(dst, "description", t.Description)
	}
	switch {
	case e.native:
		if t.Schema != nil {
			dst = jsonw.Raw(dst, "input_schema", t.Schema)
		}
		if t.Strict != nil {
			dst = jsonw.Bool(dst, "strict", *t.Strict)
		}
	case d.strict:
		fitted, _ := strictSchema(t.Schema)
		dst = jsonw.Bool(jsonw.Raw(dst, "input_schema", fitted), "strict", true)
	default:
		fitted, losses := schema.Anthropic(t.Schema, d.at+".parameters")
		e.losses = append(e.losses, losses...)
		dst = jsonw.Raw(dst, "input_schema", fitted)
	}
	if t.Deferred {
		dst = jsonw.Bool(dst, "defer_loading", true)
	}
	if !t.Deferred || e.native { // the upstream refuses both (spec: translation-traps A35)
		dst = e.cache.append(dst, t.Cache)
	}
	return append(e.rare(dst, t.Extra, func() string { return d.at }), '}')
}

func (e *requestEncoder) choice(dst []byte, o *offer) []byte {
	mode := ""
	switch o.mode {
	case llm.ChoiceUnset, llm.ChoiceAllowed:
		return dst
	case llm.ChoiceAuto:
		mode = "auto"
	case llm.ChoiceNone:
		mode = "none"
	case llm.ChoiceRequired:
		mode = "any"
	case llm.ChoiceNamed:
		mode = "tool"
	}
	dst = jsonw.String(append(jsonw.Name(dst, "tool_choice"), '{'), "type", mode)
	if o.name != "" {
		dst = jsonw.String(dst, "name", o.name)
	}
	if o.single {
		dst = append(dst, `,"disable_parallel_tool_use":true`...)
	} else if e.native && e.r.Parallel != nil {
		dst = append(dst, `,"disable_parallel_tool_use":false`...)
	}
	return append(e.r.Choice.Extra.AppendTo(dst, protocol.Anthropic), '}')
}
