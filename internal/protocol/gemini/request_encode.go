package gemini

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/wire"
	"portico/internal/schema"
)

// EncodeRequest appends a request for content. The model stands in the path,
// not in the body. What a Gemini client sent stays where and as it was;
// everything else is laid out as Google wants it.
func (*Codec) EncodeRequest(dst []byte, r *llm.Request, fit *protocol.Fit) ([]byte, []llm.Loss, error) {
	e := requestEncoder{r: r, fit: fit, gen: generationOf(fit.Model), own: r.Protocol == protocol.Gemini}
	e.vertex = strings.HasPrefix(fit.Vendor, "vertex")
	dst = append(dst, '{')
	dst = e.config(dst) // first, since the instructions may have to say what it cannot
	dst = e.tools(dst)
	dst = e.system(dst)
	dst = e.contents(dst)
	dst = e.rest(dst)
	return append(dst, '}'), e.losses, nil
}

type requestEncoder struct {
	writer
	r      *llm.Request
	fit    *protocol.Fit
	gen    generation
	own    bool // the client speaks this protocol, too
	vertex bool // the upstream is Vertex AI, which lacks some members and has others

	nudge []byte               // what the instructions have to say in addition
	open  turn                 // the content that is being written
	count int                  // contents begun
	used  map[*llm.Result]bool // results that stand behind their calls
}

// rest writes what stands beside the conversation.
func (e *requestEncoder) rest(dst []byte) []byte {
	r := e.r
	if r.Cache.Content != "" {
		dst = jsonw.String(dst, "cachedContent", r.Cache.Content)
	}
	dst = e.tier(dst)
	if r.Store != nil && e.own && !e.vertex {
		dst = jsonw.Bool(dst, "store", *r.Store)
	}
	if e.cached() {
		e.lose("cache_control", "dropped: the upstream caches prefixes by itself")
	}
	if r.Previous != "" {
		e.lose("previous_response_id", "dropped: the upstream keeps no answers")
	}
	return rest(dst, r.Extra, "generationConfig")
}

// tier writes the service tier, which Vertex AI does not have in the body.
func (e *requestEncoder) tier(dst []byte) []byte {
	tier := e.r.Tier
	if !e.own {
		switch tier {
		case "", "auto":
			return dst
		case "default", "standard_only":
			tier = "standard"
		case "fast":
			tier = "priority"
		}
	}
	switch {
	case tier == "":
		return dst
	case e.own && !e.vertex, !e.vertex && (tier == "standard" || tier == "flex" || tier == "priority"):
		return jsonw.String(dst, "serviceTier", tier)
	case tier != "standard":
		e.lose("service_tier", "dropped: the upstream has no tier "+tier)
	}
	return dst
}

// cached reports whether the client marked what to cache (spec:
// translation-traps C29).
func (e *requestEncoder) cached() bool {
	for i := range e.r.Tools {
		if e.r.Tools[i].Cache != nil {
			return true
		}
	}
	for i := range e.r.Messages {
		if slices.ContainsFunc(e.r.Messages[i].Parts, marked) {
			return true
		}
	}
	return false
}

// marked reports whether there is a breakpoint behind p or within it.
func marked(p llm.Part) bool {
	switch p := p.(type) {
	case *llm.Prose:
		return p.Cache != nil
	case *llm.Blob:
		return p.Cache != nil
	case *llm.Call:
		return p.Cache != nil
	case *llm.Result:
		return p.Cache != nil || slices.ContainsFunc(p.Parts, marked)
	}
	return false
}

// tools writes what may be called: all functions in one entry, and each tool
// that Google runs in one of its own. Old models take either the one or the
// other.
func (e *requestEncoder) tools(dst []byte) []byte {
	functions, strict := 0, false
	for i := range e.r.Tools {
		if t := &e.r.Tools[i]; t.Kind != llm.Server {
			functions++
			strict = strict || t.Strict != nil && *t.Strict
		}
	}
	var hosted []byte
	n := 0
	for i := range e.r.Tools {
		t := &e.r.Tools[i]
		if t.Kind != llm.Server {
			continue
		}
		at := "tools[" + strconv.Itoa(i) + "]"
		if functions > 0 && !e.own && !e.gen.mixes() {
			e.lose(at, "dropped: the model does not take it beside functions")
			continue
		}
		before := len(hosted)
		if hosted = e.hosted(hosted, at, t); len(hosted) > before {
			n++
		}
	}
	if functions+n == 0 {
		return e.toolConfig(dst, 0, false, false)
	}
	dst = append(jsonw.Name(dst, "tools"), '[')
	if functions > 0 {
		dst = append(dst, `{"functionDeclarations":[`...)
		for i := range e.r.Tools {
			if t := &e.r.Tools[i]; t.Kind != llm.Server {
				dst = e.function(dst, "tools["+strconv.Itoa(i)+"]", t)
			}
		}
		dst = append(dst, "]}"...)
	}
	if n > 0 {
		dst = append(jsonw.Comma(dst), hosted...)
	}
	return e.toolConfig(append(dst, ']'), functions, n > 0, strict)
}

// function writes the declaration of a function. Newer models take JSON Schema
// nearly as it is (spec: translation-traps C23).
func (e *requestEncoder) function(dst []byte, at string, t *llm.Tool) []byte {
	dst = jsonw.String(append(jsonw.Comma(dst), '{'), "name", t.Name)
	if t.Description.IsSet() {
		dst = jsonw.Text(dst, "description", t.Description)
	}
	switch {
	case t.Config != nil && t.Extra.Protocol == protocol.Gemini:
		dst = jsonw.Raw(dst, "parameters", t.Config)
	case wire.Null(t.Schema):
	case e.own:
		dst = jsonw.Raw(dst, "parametersJsonSchema", t.Schema)
	default:
		name, fit := "parametersJsonSchema", schema.GeminiJSON
		if !e.jsonSchema() {
			name, fit = "parameters", schema.Gemini
		}
		out, losses := fit(t.Schema, at+".parameters")
		e.losses = append(e.losses, losses...)
		if out != nil {
			dst = jsonw.Raw(dst, name, out)
		}
	}
	if t.Strict != nil && *t.Strict && !e.validates() {
		e.lose(at+".strict", "dropped: the upstream does not hold calls to their schema")
	}
	return append(t.Extra.AppendTo(dst, protocol.Gemini), '}')
}

// jsonSchema reports whether the upstream takes JSON Schema itself.
func (e *requestEncoder) jsonSchema() bool {
	return e.fit.Native && (e.gen == 0 || e.gen >= 20)
}

// validates reports whether calls can be held to their schema.
func (e *requestEncoder) validates() bool { return e.fit.Native && e.gen >= 25 }

// hosts are Google's names of what it runs, by the neutral ones.
var hosts = map[string]string{"web_search": "googleSearch", "web_fetch": "urlContext", "code_execution": "codeExecution"}

// hosted writes a tool that Google runs (spec: upstreams §2.9). Where a search
// looks, and how often, cannot be said.
func (e *requestEncoder) hosted(dst []byte, at string, t *llm.Tool) []byte {
	comma := func() {
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
	}
	if t.Extra.Protocol == protocol.Gemini {
		comma()
		return append(jsonw.Raw(append(dst, '{'), t.Name, t.Config), '}')
	}
	if name := hosts[t.Server]; name != "" && e.gen != 0 {
		for m := range wire.Object(t.Config) {
			switch string(m.Name) {
			case "type", "name", "container", "max_uses":
				continue
			}
			if !wire.Empty(m.Value) {
				e.lose(at+"."+string(m.Name), "dropped: the upstream's tool has no such setting")
			}
		}
		comma()
		return append(jsonw.Raw(append(dst, '{'), name, []byte("{}")), '}')
	}
	switch url := jsonedit.Get(t.Config, "server_url"); {
	case t.Server == "mcp" && wire.Text(url) != "" && e.gen >= 30 && !e.vertex: // as Responses declares it
		e.lose(at, "approximated: the upstream asks nobody before it calls this server")
		comma()
		dst = append(dst, `{"mcpServers":[{`...)
		if label := jsonedit.Get(t.Config, "server_label"); label != nil {
			dst = jsonw.Raw(dst, "name", label)
		}
		dst = jsonw.Raw(append(jsonw.Name(dst, "streamableHttpTransport"), '{'), "url", url)
		if h := jsonedit.Get(t.Config, "headers"); !wire.Empty(h) {
			dst = jsonw.Raw(dst, "headers", h)
		}
		return append(dst, "}}]}"...)
	case t.Server == "image_generation" && strings.Contains(e.fit.Model, "image"):
		return dst // it is asked for by the modalities
	}
	e.lose(at, "dropped: the upstream does not run "+t.Server)
	return dst
}

// draws reports whether the client lets the upstream draw and the model can.
func (e *requestEncoder) draws() bool {
	for i := range e.r.Tools {
		if t := &e.r.Tools[i]; t.Kind == llm.Server && t.Server == "image_generation" {
			return strings.Contains(e.fit.Model, "image")
		}
	}
	return false
}

// toolConfig writes whether and which tools are called (spec: translation-traps
// A16, D8). Without a function there is nothing to choose (A17).
func (e *requestEncoder) toolConfig(dst []byte, functions int, hosted, strict bool) []byte {
	c := &e.r.Choice
	calling, other := inner(c.Extra, "functionCallingConfig")
	mode, names := "", []llm.ToolRef(nil)
	switch c.Mode {
	case llm.ChoiceUnset:
	case llm.ChoiceAuto:
		mode = "AUTO"
	case llm.ChoiceNone:
		mode = "NONE"
	case llm.ChoiceRequired:
		mode = "ANY"
	case llm.ChoiceNamed:
		mode, names = "ANY", c.Tools
	case llm.ChoiceAllowed:
		if mode, names = "VALIDATED", c.Tools; c.Must {
			mode = "ANY"
		}
	}
	if !e.own {
		switch {
		case functions == 0:
			mode, names = "", nil
		case c.Mode == llm.ChoiceNamed || c.Mode == llm.ChoiceAllowed:
			if names = e.declared(names); len(names) == 0 {
				e.lose("tool_choice", "dropped: what it names is not among the functions")
				mode = ""
			}
		}
		if strict && e.validates() && (mode == "" || mode == "AUTO") {
			mode = "VALIDATED"
		}
	}
	if calling.Members != nil && jsonedit.Get(append(append([]byte{'{'}, calling.Members...), '}'), "mode") != nil {
		mode = "" // as the client wrote it
	}
	if mode != "" || calling.Members != nil {
		dst = append(jsonw.Name(open(dst), "functionCallingConfig"), '{')
		if mode != "" {
			dst = jsonw.String(dst, "mode", mode)
		}
		if len(names) > 0 {
			dst = append(jsonw.Name(dst, "allowedFunctionNames"), '[')
			for _, t := range names {
				dst = jsonedit.Quote(jsonw.Comma(dst), t.Name)
			}
			dst = append(dst, ']')
		}
		dst = append(calling.AppendTo(dst, protocol.Gemini), '}')
		return e.closeConfig(dst, other, functions > 0 && hosted)
	}
	if mixed := functions > 0 && hosted; other.Members != nil || e.allows(mixed) {
		return e.closeConfig(open(dst), other, mixed)
	}
	return dst
}

// allows reports whether functions beside tools that Google runs have to be
// allowed. Vertex AI does not know how.
func (e *requestEncoder) allows(mixed bool) bool {
	return mixed && !e.own && e.gen >= 30 && !e.vertex
}

func open(dst []byte) []byte { return append(jsonw.Name(dst, "toolConfig"), '{') }

// closeConfig ends toolConfig. Functions beside tools that Google runs have to
// be allowed (spec: translation-traps C25).
func (e *requestEncoder) closeConfig(dst []byte, other llm.Extra, mixed bool) []byte {
	if e.allows(mixed) {
		dst = jsonw.Bool(dst, "includeServerSideToolInvocations", true)
	}
	return append(other.AppendTo(dst, protocol.Gemini), '}')
}

// declared are those of refs that are functions of the request.
func (e *requestEncoder) declared(refs []llm.ToolRef) (out []llm.ToolRef) {
	for _, ref := range refs {
		for i := range e.r.Tools {
			if t := &e.r.Tools[i]; t.Kind != llm.Server && t.Name == ref.Name {
				out = append(out, ref)
				break
			}
		}
	}
	return out
}

// seed is a seed that Google takes: a whole number of 32 bits.
func seed(n llm.Number) (out int64, exact bool) {
	v, ok := jsonedit.Int([]byte(n))
	if ok && v >= math.MinInt32 && v <= math.MaxInt32 {
		return v, true
	}
	return v & math.MaxInt32, false
}
