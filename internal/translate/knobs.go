package translate

import (
	"slices"
	"strings"

	"portico/internal/catalog/modelid"
	"portico/internal/llm"
	"portico/internal/protocol"
)

// quirks are settings that a model refuses although its protocol has them
// (spec: upstreams §0.1, §1F; translation-traps X28). What Claude refuses is
// known to the Anthropic codec, since it depends on the form of its thinking.
type quirks struct {
	sampling bool // it refuses temperature, top_p, penalties, logprobs, logit_bias
	penalty  bool // it refuses the penalties alone
	stop     bool // it refuses stop sequences, or the protocol has none
}

// quirksOf is what the model of to refuses in proto.
func quirksOf(proto string, to *Upstream) (q quirks) {
	if proto == protocol.OpenAIResponses {
		q.stop = true
	}
	if proto == protocol.OpenAIResponses || proto == protocol.OpenAIChat {
		switch base := modelid.Base(to.Fit.Model); {
		case thinker(base):
			q.sampling, q.stop = true, true
		case strings.HasPrefix(base, "grok-") && (to.Fit.Reasoning || strings.Contains(base, "reasoning") && !strings.Contains(base, "non-reasoning")):
			q.penalty, q.stop = true, true
		}
	}
	return q
}

// thinker reports whether base names one of OpenAI's reasoning models: the o
// series and everything from GPT-5 on but for the chat models.
func thinker(base string) bool {
	if strings.Contains(base, "-chat") {
		return false
	}
	for _, p := range []string{"o1", "o3", "o4", "codex-"} {
		if base == p || strings.HasPrefix(base, p+"-") || p == "codex-" && strings.HasPrefix(base, p) {
			return true
		}
	}
	v, ok := strings.CutPrefix(base, "gpt-")
	return ok && v != "" && v[0] >= '5' && v[0] <= '9'
}

const refused = "dropped: the model refuses it"

// knobs takes out what the upstream would refuse.
func (d *draft) knobs() {
	s := &d.Sampling
	gone := func(name string, n *llm.Number, plain ...llm.Number) {
		if *n == "" {
			return
		}
		if !slices.Contains(plain, *n) { // what is the default anyway is no loss
			d.lose(name, refused)
		}
		*n = ""
	}
	if d.quirks.sampling && d.Reason.Mode == llm.ReasonOff && slices.Contains(d.to.Fit.Efforts, "none") {
		d.quirks.sampling = false // a model that does not think takes them
	}
	if d.quirks.sampling {
		gone("temperature", &s.Temperature, "1", "1.0")
		gone("top_p", &s.TopP, "1", "1.0")
		gone("top_k", &s.TopK)
		if s.Logprobs || s.TopLogprobs > 0 {
			s.Logprobs, s.TopLogprobs = false, 0
			d.lose("logprobs", refused)
		}
		if s.LogitBias != nil {
			s.LogitBias = nil
			d.lose("logit_bias", refused)
		}
	}
	if d.quirks.sampling || d.quirks.penalty {
		gone("frequency_penalty", &s.Frequency, "0", "0.0")
		gone("presence_penalty", &s.Presence, "0", "0.0")
	}
	d.lacks()
}

// lacks takes out what the upstream departs from its protocol in.
func (d *draft) lacks() {
	if d.b.upstream.Name() != protocol.OpenAIChat {
		return
	}
	s := &d.Sampling
	for _, name := range d.to.Quirks.Lacks {
		had := false
		number := func(n *llm.Number) { had, *n = *n != "", "" }
		switch name {
		case "temperature":
			number(&s.Temperature)
		case "top_p":
			number(&s.TopP)
		case "top_k":
			number(&s.TopK)
		case "frequency_penalty":
			number(&s.Frequency)
		case "presence_penalty":
			number(&s.Presence)
		case "seed":
			number(&s.Seed)
		case "n":
			had, s.N = s.N > 1, 0
		case "logprobs", "top_logprobs":
			had, s.Logprobs, s.TopLogprobs = s.Logprobs, false, 0
		case "logit_bias":
			had, s.LogitBias = s.LogitBias != nil, nil
		case "stop":
			d.quirks.stop = true
		case "tools":
			had, d.Tools, d.Choice = len(d.Tools) > 0, nil, llm.Choice{}
		case "tool_choice":
			had = d.Choice.Mode != llm.ChoiceUnset && d.Choice.Mode != llm.ChoiceAuto
			if d.Choice.Mode == llm.ChoiceNone { // without a tool none is called
				had, d.Tools = false, nil
			}
			d.Choice = llm.Choice{}
		case "parallel_tool_calls":
			had, d.Parallel = d.Parallel != nil && !*d.Parallel, nil
		}
		if had {
			d.lose(name, "dropped: the upstream has no such setting")
		}
	}
}

// maxStop is how many stop sequences a protocol takes.
var maxStop = map[string]int{protocol.OpenAIChat: 4, protocol.Gemini: 5}

// stop keeps back the stop sequences that the upstream does not take; the
// answer is cut at them here (spec: upstreams §2.2). Claude's API refuses those
// of white space, which text completions often have.
func (d *draft) stop() {
	s := &d.Sampling
	most := len(s.Stop)
	if d.quirks.stop {
		most = 0
	} else if n := maxStop[d.b.upstream.Name()]; n > 0 {
		most = min(most, n)
	}
	white := d.b.upstream.Name() == protocol.Anthropic && !d.home
	keep := make([]llm.Text, 0, most)
	for _, t := range s.Stop {
		text := t.String()
		switch {
		case text == "" && len(keep) == most:
		case len(keep) == most, white && strings.TrimSpace(text) == "" && text != "":
			d.plan.stops = append(d.plan.stops, text)
		default:
			keep = append(keep, t)
		}
	}
	if len(d.plan.stops) > 0 {
		s.Stop = keep
		d.lose("stop", "emulated: the answer is cut at it here")
	} else if most < len(s.Stop) {
		s.Stop = s.Stop[:most:most]
	}
}
