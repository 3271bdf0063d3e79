package gemini

import (
	"slices"
	"strconv"
	"strings"

	"portico/internal/llm"
	"portico/internal/protocol"
	"portico/internal/protocol/jsonw"
	"portico/internal/protocol/openaiwire"
	"portico/internal/schema"
)

// config writes the generationConfig, if it says anything.
func (e *requestEncoder) config(dst []byte) []byte {
	from := len(dst)
	dst = append(jsonw.Name(dst, "generationConfig"), '{')
	empty := len(dst)
	dst = e.sampling(dst)
	dst = e.output(dst)
	dst = e.thinking(dst)
	x, _ := inner(e.r.Extra, "generationConfig")
	if dst = x.AppendTo(dst, protocol.Gemini); len(dst) == empty {
		return dst[:from]
	}
	return append(dst, '}')
}

// The most that Google takes.
const (
	maxStop       = 5
	maxAnswers    = 8
	maxAlternates = 20 // log probabilities for each token
)

func (e *requestEncoder) sampling(dst []byte) []byte {
	s := &e.r.Sampling
	dst = jsonw.Number(dst, "temperature", s.Temperature)
	dst = jsonw.Number(dst, "topP", s.TopP)
	dst = jsonw.Number(dst, "topK", s.TopK)
	if s.N > 0 && (e.own || s.N > 1) {
		dst = jsonw.Int(dst, "candidateCount", e.most("n", int64(s.N), maxAnswers))
	}
	if s.MaxTokens != nil {
		n := *s.MaxTokens
		if e.fit.MaxOutput > 0 {
			n = e.most("max_tokens", n, e.fit.MaxOutput)
		}
		dst = jsonw.Int(dst, "maxOutputTokens", n)
	}
	if stop := s.Stop; len(stop) > 0 {
		if len(stop) > maxStop && !e.own {
			e.lose("stop", "dropped: the upstream takes "+strconv.Itoa(maxStop)+" stop sequences")
			stop = stop[:maxStop]
		}
		dst = append(jsonw.Name(dst, "stopSequences"), '[')
		for _, t := range stop {
			dst = t.AppendJSON(jsonw.Comma(dst))
		}
		dst = append(dst, ']')
	}
	dst = jsonw.Number(dst, "presencePenalty", s.Presence)
	dst = jsonw.Number(dst, "frequencyPenalty", s.Frequency)
	switch n, exact := seed(s.Seed); {
	case s.Seed == "":
	case exact || e.own:
		dst = jsonw.Number(dst, "seed", s.Seed)
	default:
		e.lose("seed", "approximated: the upstream's seeds have 32 bits")
		dst = jsonw.Int(dst, "seed", n)
	}
	if s.Logprobs {
		dst = jsonw.Bool(dst, "responseLogprobs", true)
	}
	if s.TopLogprobs > 0 {
		dst = jsonw.Int(dst, "logprobs", e.most("top_logprobs", int64(s.TopLogprobs), maxAlternates))
	}
	if s.LogitBias != nil {
		e.lose("logit_bias", "dropped: the upstream has no such setting")
	}
	return dst
}

// most is n, or most if it is less. A Gemini client is taken at its word.
func (e *requestEncoder) most(name string, n, most int64) int64 {
	if n <= most || e.own {
		return n
	}
	e.lose(name, "approximated: the limit is "+strconv.FormatInt(most, 10))
	return most
}

func (e *requestEncoder) output(dst []byte) []byte {
	o := &e.r.Output
	switch o.Kind {
	case llm.OutputUnset:
	case llm.OutputText:
		if e.own {
			dst = jsonw.String(dst, "responseMimeType", "text/plain")
		}
	case llm.OutputJSON, llm.OutputSchema:
		dst = e.json(dst)
	}
	if o.Verbosity != "" {
		e.lose("verbosity", "dropped: the upstream has no such setting")
	}
	dst = e.modalities(dst)
	for _, x := range []struct {
		name, path string
		v          []byte
	}{{"imageConfig", "output.image", o.Image}, {"speechConfig", "audio", o.Audio}} {
		switch {
		case x.v == nil:
		case o.Extra.Protocol == protocol.Gemini:
			dst = jsonw.Raw(dst, x.name, x.v)
		default:
			e.lose(x.path, "dropped: it is set up differently at the upstream")
		}
	}
	return o.Extra.AppendTo(dst, protocol.Gemini)
}

// json asks for JSON. Models before Gemini 3 refuse that beside functions;
// there the instructions ask for it (spec: translation-traps D7).
func (e *requestEncoder) json(dst []byte) []byte {
	o := &e.r.Output
	if !e.own && !e.gen.mixes() && e.functions() {
		e.lose("output", "emulated: by an instruction, since the model does not take a form beside functions")
		e.nudge = append(e.nudge, "Answer with JSON only, without a code fence."...)
		if o.Schema != nil {
			e.nudge = append(append(e.nudge, " It must fit this JSON Schema: "...), o.Schema...)
		}
		return dst
	}
	if !strings.Contains(string(o.Extra.Members), `"responseMimeType":`) && (!e.own || o.Kind == llm.OutputJSON || o.Config != nil || o.Schema != nil) {
		dst = jsonw.String(dst, "responseMimeType", "application/json")
	}
	if o.Description.IsSet() && !o.Description.Empty() {
		e.lose("output.description", "dropped: the upstream has no such setting")
	}
	switch {
	case o.Kind != llm.OutputSchema:
	case o.Config != nil && o.Extra.Protocol == protocol.Gemini:
		dst = jsonw.Raw(dst, "responseSchema", o.Config)
	case o.Schema == nil:
	case e.own:
		dst = jsonw.Raw(dst, "responseJsonSchema", o.Schema)
	default:
		name, fit := "responseJsonSchema", schema.GeminiJSON
		if !e.jsonSchema() {
			name, fit = "responseSchema", schema.Gemini
		}
		out, losses := fit(o.Schema, "output.schema")
		e.losses = append(e.losses, losses...)
		if out != nil {
			dst = jsonw.Raw(dst, name, out)
		}
	}
	return dst
}

func (e *requestEncoder) functions() bool {
	return slices.ContainsFunc(e.r.Tools, func(t llm.Tool) bool { return t.Kind != llm.Server })
}

// modalities writes what the answer is made of. Text alone is what everybody
// gets anyway; speech comes alone.
func (e *requestEncoder) modalities(dst []byte) []byte {
	list := e.r.Output.Modalities
	switch {
	case e.own:
	case slices.Contains(list, "audio"):
		list = []string{"audio"}
	case e.draws():
		list = []string{"text", "image"}
	case len(list) == 1 && list[0] == "text":
		list = nil
	}
	if len(list) == 0 {
		return dst
	}
	dst = append(jsonw.Name(dst, "responseModalities"), '[')
	for _, m := range list {
		dst = append(append(append(jsonw.Comma(dst), '"'), strings.ToUpper(m)...), '"')
	}
	return append(dst, ']')
}

// thinking writes how hard to think: by a level for Gemini 3 and later, by a
// budget for 2.5; never both (spec: upstreams §2.3, translation-traps C13).
// Whether thoughts are shown is independent of it (F10).
func (e *requestEncoder) thinking(dst []byte) []byte {
	q := &e.r.Reason
	asked := q.Mode != llm.ReasonUnset || q.Effort != ""
	if !asked && q.Show == llm.ShowUnset && q.Extra.Members == nil {
		return dst
	}
	if !e.own && (!e.gen.thinks() || e.fit.Known && !e.fit.Reasoning) {
		if q.Mode != llm.ReasonOff && asked {
			e.lose("reasoning", "dropped: the model does not reason")
		}
		return dst
	}
	from := len(dst)
	dst = append(jsonw.Name(dst, "thinkingConfig"), '{')
	empty := len(dst)
	switch q.Show {
	case llm.ShowUnset:
		// Who turns thinking on, and does not just say how hard, speaks a
		// protocol that shows it unless told otherwise.
		if !e.own && (q.Mode == llm.ReasonBudget || q.Mode == llm.ReasonAuto) {
			dst = jsonw.Bool(dst, "includeThoughts", true)
		}
	case llm.ShowNone:
		if e.own {
			dst = jsonw.Bool(dst, "includeThoughts", false)
		}
	case llm.ShowSummary, llm.ShowAll:
		dst = jsonw.Bool(dst, "includeThoughts", true)
	}
	switch {
	case !asked:
	case e.own && q.Mode != llm.ReasonEffort: // Gemini 3 takes budgets, too
		dst = e.ownBudget(dst)
	case e.gen.levels(), e.own && e.gen == 0:
		dst = e.level(dst)
	default:
		dst = e.budget(dst)
	}
	if dst = q.Extra.AppendTo(dst, protocol.Gemini); len(dst) == empty {
		return dst[:from]
	}
	return append(dst, '}')
}

// ownBudget writes the budget that a Gemini client asked for.
func (e *requestEncoder) ownBudget(dst []byte) []byte {
	switch q := &e.r.Reason; q.Mode {
	case llm.ReasonOff:
		return jsonw.Int(dst, "thinkingBudget", 0)
	case llm.ReasonAuto:
		return jsonw.Int(dst, "thinkingBudget", -1)
	case llm.ReasonBudget:
		return jsonw.Int(dst, "thinkingBudget", q.Budget)
	case llm.ReasonUnset, llm.ReasonEffort:
	}
	return dst
}

// level writes a thinkingLevel. A model that thinks always gets the lowest one
// instead of none.
func (e *requestEncoder) level(dst []byte) []byte {
	want, exact := openaiwire.Effort(&e.r.Reason)
	if want == "" {
		return dst // the model decides anyway
	}
	if e.own {
		return jsonw.String(dst, "thinkingLevel", strings.ToUpper(want))
	}
	levels := e.levels()
	got := openaiwire.Nearest(strings.Replace(want, "none", "minimal", 1), levels)
	if !slices.Contains(levels, got) {
		got = levels[len(levels)-1]
	}
	switch {
	case want == "none":
		e.lose("reasoning", "approximated: the model cannot but think, at level "+got)
	case got != want:
		e.lose("reasoning.effort", "approximated: "+want+" as "+got)
	case !exact:
		e.lose("reasoning.budget", "approximated: "+strconv.FormatInt(e.r.Reason.Budget, 10)+" tokens as level "+got)
	}
	return jsonw.String(dst, "thinkingLevel", strings.ToUpper(got))
}

// levels are those of the model: the catalogue's, or, if it has none, those
// that the model is known to have, else those that all have.
func (e *requestEncoder) levels() (out []string) {
	for _, l := range []string{"minimal", "low", "medium", "high"} {
		if slices.Contains(e.fit.Efforts, l) {
			out = append(out, l)
		}
	}
	switch {
	case len(out) > 0:
		return out
	case strings.Contains(e.fit.Model, "gemini-3-pro"):
		return []string{"low", "high"}
	case strings.Contains(e.fit.Model, "flash") && e.gen <= 36:
		return []string{"minimal", "low", "medium", "high"}
	}
	return []string{"low", "medium", "high"}
}

// A purse is how many tokens Gemini 2.5 may think: the least and the most, and
// what each effort is worth (spec: upstreams §2.3.1).
type purse struct {
	off, least, low, most int64
}

func (e *requestEncoder) purse() purse {
	switch {
	case strings.Contains(e.fit.Model, "lite"):
		return purse{off: 0, least: 512, low: 1024, most: 24576}
	case strings.Contains(e.fit.Model, "flash"):
		return purse{off: 0, least: 1, low: 1024, most: 24576}
	}
	return purse{off: 128, least: 128, low: 2048, most: 32768}
}

// budget writes a thinkingBudget.
func (e *requestEncoder) budget(dst []byte) []byte {
	q, p := &e.r.Reason, e.purse()
	var n int64
	switch {
	case q.Mode == llm.ReasonAuto && q.Effort == "":
		n = -1
	case q.Mode == llm.ReasonOff:
		if n = p.off; n > 0 {
			e.lose("reasoning", "approximated: the model cannot but think, at least "+strconv.FormatInt(n, 10)+" tokens")
		}
	case q.Mode == llm.ReasonBudget:
		if n = min(max(q.Budget, p.least), p.most); n != q.Budget {
			e.lose("reasoning.budget", "approximated: the model takes "+strconv.FormatInt(p.least, 10)+" to "+strconv.FormatInt(p.most, 10)+" tokens")
		}
	default:
		switch q.Effort {
		case "none":
			n = p.off
		case "minimal":
			n = 512
		case "low":
			n = p.low
		case "medium":
			n = 8192
		case "high":
			n = 24576
		case "xhigh", "max":
			n = p.most
		default:
			e.lose("reasoning.effort", "dropped: the upstream has no effort "+q.Effort)
			return dst
		}
	}
	return jsonw.Int(dst, "thinkingBudget", n)
}
